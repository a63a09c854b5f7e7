//! Adding and editing a company.

use axum::{extract::State, http::StatusCode, response::Response};

use super::{
    companies::address,
    edit::{Doubles, FormPage, Part, Typed, changed, section, without_blank_lists},
    mention, store,
};
use crate::{
    agents::Frame,
    auth::Editor,
    billing,
    companies::{
        Company,
        model::{INACTIVE, TERMS},
        rules, store as companies,
    },
    compliance::RedactionPolicy,
    db::Conn,
    error::Result,
    web::{
        Fields, Path, Web, encode_segment,
        view::{Choice, Field, Section},
    },
};

/// What can be chosen in the form.
#[derive(Default)]
struct Choices {
    companies: Vec<Choice>,
    contacts: Vec<Choice>,
    plans: Vec<Choice>,
}

/// The names of the plans that there are, and what stands there for a company that is no client any more.
fn plans(c: &mut Conn) -> Result<Vec<Choice>> {
    let mut names: Vec<String> = billing::store::all(c)?.into_iter().map(|plan| plan.name).collect();
    names.dedup();
    names.push(INACTIVE.to_owned());
    Ok(names.iter().map(|name| Choice::word(name)).collect())
}

/// `GET /companies/new`
pub async fn new(State(web): State<Web>, _: Editor, frame: Frame) -> Result<Response> {
    let mut typed = Typed::default();
    typed.set("kind", "client");
    typed.set("compliance_level", "standard");
    typed.set("parent_id", frame.query.get("parent").unwrap_or_default());
    let form = adding(&web, &frame, &typed).await?;
    frame.show(&form)
}

/// `POST /companies/new`
pub async fn create(State(web): State<Web>, editor: Editor, frame: Frame, fields: Fields) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    let policy = RedactionPolicy::of(&frame.caller, &web.config, &frame.query)?;
    if let Some(doubles) = doubles(&web, &frame, &fields, typed.text("name")).await? {
        return adding(&web, &frame, &typed).await?.ask(&frame, doubles);
    }
    let saved = match rules::read(without_blank_lists(&fields, &["domains"]), true) {
        Ok(input) => web.db.write(&editor.scope(), &editor.actor(), move |w| companies::create(w, &input, Some(&policy))).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(company) => {
            frame.go(&format!("/companies/{}", encode_segment(&company.account_number)), &format!("{} was added.", company.name))
        }
        Err(error) => adding(&web, &frame, &typed).await?.fail(&frame, error),
    }
}

async fn doubles(web: &Web, frame: &Frame, fields: &Fields, name: String) -> Result<Option<Doubles>> {
    let wanted = name.clone();
    let known = web.db.read(&frame.scope(), move |c| store::companies_named(c, &wanted)).await?;
    let known =
        known.into_iter().map(|(number, name)| mention(address(&frame.page, &number), format!("{name} ({number})"))).collect();
    Ok(Doubles::unless_confirmed(fields, "A company with this name exists already", &name, known))
}

/// `GET /companies/{acct}/edit`
pub async fn edit(State(web): State<Web>, _: Editor, frame: Frame, Path(key): Path<String>) -> Result<Response> {
    let form = stored(&web, &frame, key).await?;
    frame.show_as(StatusCode::OK, &form)
}

/// The form with what is stored.
async fn stored(web: &Web, frame: &Frame, key: String) -> Result<FormPage> {
    let policy = RedactionPolicy::of(&frame.caller, &web.config, &frame.query)?;
    let (view, parent) = web
        .db
        .read(&frame.scope(), move |c| {
            let id = companies::id_of(c, &key)?;
            let view = companies::get_view(c, id)?.redact(&policy);
            let parent = match view.row.parent_id {
                Some(parent) => companies::ancestors(c, parent)?.into_iter().next().map(|(_, parent)| parent.account_number),
                None => None,
            };
            Ok((view, parent))
        })
        .await?;
    let mut typed = Typed::of(&view)?;
    typed.set("parent_id", parent.unwrap_or_default());
    typed.set("plan", view.row.plan.clone());
    typed.set("support_level", view.row.support_level.clone().unwrap_or_default());
    typed.set("main_number", view.row.main_number.clone().unwrap_or_default());
    typed.set("start_date", view.row.start_date.clone().unwrap_or_default());
    typed.set("contract_term", view.row.term().clone().unwrap_or_default());
    editing(web, frame, &view.row.account_number, &typed).await
}

/// `POST /companies/{acct}/edit`
pub async fn update(
    State(web): State<Web>,
    editor: Editor,
    frame: Frame,
    Path(key): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    let rev = typed.rev();
    let policy = RedactionPolicy::of(&frame.caller, &web.config, &frame.query)?;
    let account = key.clone();
    let fields = changed(&stored(&web, &frame, key.clone()).await?, &fields);
    let saved = match rules::read(without_blank_lists(&fields, &["domains"]), false) {
        Ok(input) => {
            web.db
                .write(&editor.scope(), &editor.actor(), move |w| {
                    let id = companies::id_of(w, &key)?;
                    companies::update(w, id, &input, rev, &policy)
                })
                .await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(updated) => {
            let done = if updated.changed.is_empty() { "No changes to save." } else { "Saved." };
            frame.go(&format!("/companies/{}", encode_segment(&account)), done)
        }
        Err(error) => editing(&web, &frame, &account, &typed).await?.fail(&frame, error),
    }
}

async fn adding(web: &Web, frame: &Frame, typed: &Typed) -> Result<FormPage> {
    let (companies, plans) = web.db.read(&frame.scope(), |c| Ok((store::company_choices(c)?, plans(c)?))).await?;
    let mut sections = parts(typed, Choices { companies, contacts: Vec::new(), plans });
    if let Some(first) = sections.first_mut() {
        let number = Field::text("account_number", "Account number", typed.text("account_number"))
            .hint("Left empty, a free six-digit number is taken.");
        first.fields.insert(1, number);
    }
    Ok(FormPage {
        page: frame.titled(Section::Companies, "New company"),
        crumbs: vec![mention(frame.page.url("/companies/"), "Companies")],
        problems: Vec::new(),
        doubles: None,
        action: frame.page.url("/companies/new"),
        rev: String::new(),
        sections,
        save: "Add company",
        back: frame.page.url("/companies/"),
    })
}

async fn editing(web: &Web, frame: &Frame, key: &str, typed: &Typed) -> Result<FormPage> {
    let wanted = key.to_owned();
    let policy = RedactionPolicy::of(&frame.caller, &web.config, &frame.query)?;
    let (name, choices) = web
        .db
        .read(&frame.scope(), move |c| {
            let id = companies::id_of(c, &wanted)?;
            let view = companies::get_view(c, id)?.redact(&policy);
            let mut companies = store::company_choices(c)?;
            companies.retain(|choice| choice.value != view.row.account_number);
            let contacts = store::contact_choices(c, Some(id), &policy)?;
            Ok((view.row.name, Choices { companies, contacts, plans: plans(c)? }))
        })
        .await?;
    let here = address(&frame.page, key);
    Ok(FormPage {
        page: frame.titled(Section::Companies, format!("Edit {name}")),
        crumbs: vec![mention(frame.page.url("/companies/"), "Companies"), mention(here.clone(), name)],
        problems: Vec::new(),
        doubles: None,
        action: format!("{here}/edit"),
        rev: typed.text("rev"),
        sections: parts(typed, choices),
        save: "Save",
        back: here,
    })
}

fn parts(typed: &Typed, choices: Choices) -> Vec<Part> {
    let none = |mut known: Vec<Choice>| {
        known.insert(0, Choice::new("", "–"));
        known
    };
    let select = |name: &'static str, label: &'static str, known| Field::select(name, label, typed.text(name), none(known));
    let terms = TERMS.iter().map(|term| Choice::word(term)).collect();
    let contract = vec![
        ("plan", select("plan", "Plan", choices.plans)),
        ("contract_term", select("contract_term", "Term", terms)),
        ("billing_contact_id", select("billing_contact_id", "Billing contact", choices.contacts)),
    ];
    let parent = vec![("parent_id", select("parent_id", "Part of", choices.companies))];
    let mut days = section::<Company>(typed, "Devices out of sight", Vec::new());
    days.fields = days.fields.into_iter().map(|field| field.hint("Left empty, the general setting counts.")).collect();
    vec![
        section::<Company>(typed, "Company", parent),
        section::<Company>(typed, "Contract", contract),
        section::<Company>(typed, "People and systems", Vec::new()),
        days,
    ]
}
