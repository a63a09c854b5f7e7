//! Adding and editing a contact.

use axum::{extract::State, response::Response};

use super::{
    edit::{Doubles, FormPage, Part, Typed, changed, section, without_blank_lists},
    mention, protected_as, store, words,
};
use crate::{
    agents::Frame,
    auth::Editor,
    companies::store as companies,
    compliance::{RedactionPolicy, trail},
    contacts::{
        Contact,
        model::{DESIGNATIONS, EMPLOYMENT, EMPLOYMENTS, ROLES},
        rules, store as contacts,
    },
    error::Result,
    web::{
        Fields, Path, Web,
        view::{Choice, Field, Section},
    },
};

/// `GET /contacts/new`
pub async fn new(State(web): State<Web>, _: Editor, frame: Frame) -> Result<Response> {
    let mut typed = Typed::default();
    typed.set("company_id", frame.query.get("company").unwrap_or_default());
    typed.set("active", true);
    typed.set("employment_type", EMPLOYMENT);
    let form = adding(&web, &frame, &typed).await?;
    frame.show(&form)
}

/// `POST /contacts/new`
pub async fn create(State(web): State<Web>, editor: Editor, frame: Frame, fields: Fields) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    let policy = RedactionPolicy::of(&frame.caller, &web.config, &frame.query)?;
    if let Some(doubles) = doubles(&web, &frame, &fields, &typed).await? {
        return adding(&web, &frame, &typed).await?.ask(&frame, doubles);
    }
    let saved = match rules::read(without_blank_lists(&fields, &["secondary_emails"]), true) {
        Ok(input) => web.db.write(&editor.scope(), &editor.actor(), move |w| contacts::create(w, &input, &policy)).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(contact) => frame.go(&format!("/contacts/{}", contact.id), &format!("{} was added.", contact.name)),
        Err(error) => adding(&web, &frame, &typed).await?.fail(&frame, error),
    }
}

async fn doubles(web: &Web, frame: &Frame, fields: &Fields, typed: &Typed) -> Result<Option<Doubles>> {
    let (name, company) = (typed.text("name"), typed.text("company_id"));
    let wanted = name.clone();
    let policy = RedactionPolicy::of(&frame.caller, &web.config, &frame.query)?;
    let known = web
        .db
        .read(&frame.scope(), move |c| {
            let Some(company) = companies::find_id(c, &company)? else { return Ok(Vec::new()) };
            let named = store::contacts_named(c, &wanted, company)?;
            trail::names(c, named, &policy)
        })
        .await?;
    let known = known.into_iter().map(|(id, name)| mention(frame.page.url(&format!("/contacts/{id}")), name)).collect();
    Ok(Doubles::unless_confirmed(fields, "This company has a contact with this name already", &name, known))
}

/// `GET /contacts/{id}/edit`
pub async fn edit(State(web): State<Web>, _: Editor, frame: Frame, Path(id): Path<i64>) -> Result<Response> {
    let policy = RedactionPolicy::of(&frame.caller, &web.config, &frame.query)?;
    let view = web.db.read(&frame.scope(), move |c| contacts::get_view(c, id)).await?.redact(&policy);
    let form = editing(&frame, id, &view.row.name, &Typed::of(&view)?);
    frame.show(&form)
}

/// `POST /contacts/{id}/edit`
pub async fn update(
    State(web): State<Web>,
    editor: Editor,
    frame: Frame,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    let rev = typed.rev();
    let policy = RedactionPolicy::of(&frame.caller, &web.config, &frame.query)?;
    let view = web.db.read(&frame.scope(), move |c| contacts::get_view(c, id)).await?.redact(&policy);
    let fields = changed(&editing(&frame, id, &view.row.name, &Typed::of(&view)?), &fields);
    let saved = match rules::read(without_blank_lists(&fields, &["secondary_emails"]), false) {
        Ok(input) => web.db.write(&editor.scope(), &editor.actor(), move |w| contacts::update(w, id, &input, rev, &policy)).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(updated) => {
            let done = if updated.changed.is_empty() { "No changes to save." } else { "Saved." };
            frame.go(&format!("/contacts/{id}"), done)
        }
        Err(error) => editing(&frame, id, &view.row.name, &typed).fail(&frame, error),
    }
}

async fn adding(web: &Web, frame: &Frame, typed: &Typed) -> Result<FormPage> {
    let none = |mut known: Vec<Choice>| {
        known.insert(0, Choice::new("", "–"));
        known
    };
    let words = |known: &[&str]| none(known.iter().map(|word| Choice::new(*word, words(word))).collect());
    let companies = none(web.db.read(&frame.scope(), store::company_choices).await?);
    let mut sections = parts(typed);
    sections.insert(
        1,
        Part {
            title: "Company",
            fields: vec![
                Field::select("company_id", "Company", typed.text("company_id"), companies),
                Field::select("role", "Role", typed.text("role"), words(ROLES)),
                Field::select("designation", "Designation", typed.text("designation"), words(DESIGNATIONS)),
                Field::check("is_primary", "The company's primary contact", typed.is_on("is_primary")),
            ],
        },
    );
    Ok(FormPage {
        page: frame.titled(Section::Contacts, "New contact"),
        crumbs: vec![mention(frame.page.url("/contacts/"), "Contacts")],
        problems: Vec::new(),
        doubles: None,
        action: frame.page.url("/contacts/new"),
        rev: String::new(),
        sections,
        save: "Add contact",
        back: frame.page.url("/contacts/"),
    })
}

fn editing(frame: &Frame, id: i64, name: &str, typed: &Typed) -> FormPage {
    let here = frame.page.url(&format!("/contacts/{id}"));
    let mut sections = parts(typed);
    if let Some(more) = sections.last_mut() {
        more.fields.push(protected_as(typed));
    }
    FormPage {
        page: frame.titled(Section::Contacts, format!("Edit {name}")),
        crumbs: vec![mention(frame.page.url("/contacts/"), "Contacts"), mention(here.clone(), name)],
        problems: Vec::new(),
        doubles: None,
        action: format!("{here}/edit"),
        rev: typed.text("rev"),
        sections,
        save: "Save",
        back: here,
    }
}

fn parts(typed: &Typed) -> Vec<Part> {
    let employments = EMPLOYMENTS.iter().map(|kind| Choice::word(kind)).collect();
    let employment = Field::select("employment_type", "Employment", typed.text("employment_type"), employments);
    let mut person = section::<Contact>(typed, "Person", vec![("employment_type", employment)]);
    // A name can be made of first and last name, but whoever types here types it.
    person.fields.first_mut().into_iter().for_each(|name| name.required = true);
    vec![person, section::<Contact>(typed, "Reach", Vec::new())]
}
