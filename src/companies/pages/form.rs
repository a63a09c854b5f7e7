//! Adding and editing a company.

use axum::response::Response;

use super::{LIST, address, detail};
use crate::{
    agents::PageContext,
    companies::{Companies, Company, CompanyView, model::TERMS, pages_store, store as companies},
    compliance::RedactionPolicy,
    db::Conn,
    error::{Error, Result},
    resource::{
        bulk_page::Many,
        form_page::{FormPage, Part, Typed, or_none, section},
        forms::Form,
    },
    ui::{Choice, Field, Records, link_to},
    web::{Query, Web, encode_segment},
};

/// What a company's form is made of.
pub struct Ground {
    view: Option<CompanyView>,
    /// The number of the company above.
    parent: Option<String>,
    companies: Vec<Choice>,
    contacts: Vec<Choice>,
    plans: Vec<Choice>,
}

impl Many for Companies {
    const LIST: Records = LIST;
    const WORDS: (&'static str, &'static str) = ("company", "companies");
}

impl Form for Companies {
    type Ground = Ground;
    const LISTS: &'static [&'static str] = &["domains"];
    const DOUBLES: (&'static str, &'static str) = ("A company with this name exists already", "name");

    fn ground(c: &mut Conn, id: Option<i64>, _: &Typed, policy: &RedactionPolicy) -> Result<Ground> {
        let mut offered = pages_store::company_choices(c)?;
        let plans = pages_store::plan_choices(c)?;
        let Some(id) = id else {
            return Ok(Ground { view: None, parent: None, companies: offered, contacts: Vec::new(), plans });
        };
        let view = companies::get_view(c, id)?.redact(policy);
        offered.retain(|choice| choice.value != view.row.account_number);
        let parent = match view.row.parent_id {
            Some(parent) => companies::ancestors(c, parent)?.into_iter().next().map(|(_, parent)| parent.account_number),
            None => None,
        };
        let contacts = pages_store::contact_choices(c, Some(id), policy)?;
        Ok(Ground { view: Some(view), parent, companies: offered, contacts, plans })
    }

    fn begin(query: &Query) -> Typed {
        let mut typed = Typed::default();
        typed.set("kind", "client");
        typed.set("compliance_level", "standard");
        typed.set("parent_id", query.get("parent").unwrap_or_default());
        typed
    }

    fn stands(ground: &Ground) -> Result<Typed> {
        let Some(view) = &ground.view else { return Ok(Typed::default()) };
        let mut typed = Typed::of(view)?;
        typed.set("parent_id", ground.parent.clone().unwrap_or_default());
        typed.set("plan", view.row.plan.clone());
        typed.set("support_level", view.row.support_level.clone().unwrap_or_default());
        typed.set("main_number", view.row.main_number.clone().unwrap_or_default());
        typed.set("start_date", view.row.start_date.clone().unwrap_or_default());
        typed.set("contract_term", view.row.term().clone().unwrap_or_default());
        Ok(typed)
    }

    fn form(context: &PageContext, ground: &Ground, typed: &Typed) -> FormPage {
        let mut sections = parts(typed, ground);
        let company = ground.view.as_ref();
        let company = company.map(|view| link_to(address(&context.page, &view.row.account_number), view.row.name.clone()));
        if let (None, Some(first)) = (&company, sections.first_mut()) {
            let number =
                Field::text("account_number", "Account number", typed.text("account_number")).hint("Leave blank to assign one.");
            first.fields.insert(1, number);
        }
        FormPage::of(context, &LIST, company, typed, sections)
    }

    fn page(key: &String) -> String {
        format!("/companies/{}", encode_segment(key))
    }

    fn title(shown: &CompanyView) -> String {
        shown.row.name.clone()
    }

    fn mark(shown: &CompanyView) -> Option<String> {
        Some(shown.row.account_number.clone())
    }

    fn doubles(c: &mut Conn, typed: &Typed, _: &RedactionPolicy) -> Result<Vec<(String, String)>> {
        let known = pages_store::companies_named(c, &typed.text("name"))?;
        Ok(known.into_iter().map(|(number, name)| (Self::page(&number), format!("{name} ({number})"))).collect())
    }

    async fn not_retired(web: &Web, context: &PageContext, key: String, error: Error) -> Result<Response> {
        let status = error.status();
        detail::page(web, context, key, status, detail::Refused::attached(&error)).await
    }
}

fn parts(typed: &Typed, ground: &Ground) -> Vec<Part> {
    let select = |name: &'static str, label: &'static str, known: Vec<Choice>| {
        Field::select(name, label, typed.text(name), or_none(known))
    };
    let terms = TERMS.iter().map(|term| Choice::word(term)).collect();
    let contract = vec![
        ("plan", select("plan", "Plan", ground.plans.clone())),
        ("contract_term", select("contract_term", "Term", terms)),
        // The vendor's own word for it is kept as text; what is a day is picked as one.
        ("start_date", Field::line("date", "start_date", "Client since", typed.text("start_date"))),
        ("billing_contact_id", select("billing_contact_id", "Billing contact", ground.contacts.clone())),
    ];
    let parent = vec![("parent_id", select("parent_id", "Part of", ground.companies.clone()))];
    let mut days = section::<Company>(typed, "Inactive devices", Vec::new());
    days.fields = days.fields.into_iter().map(|field| field.hint("Leave blank to use the general setting.")).collect();
    vec![
        section::<Company>(typed, "Company", parent),
        section::<Company>(typed, "Contract", contract),
        section::<Company>(typed, "People and systems", Vec::new()),
        days,
    ]
}
