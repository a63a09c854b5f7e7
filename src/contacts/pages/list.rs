//! The list of contacts.

use std::sync::LazyLock;

use axum::{extract::State, response::Response};

use super::LIST;
use crate::{
    agents::PageContext,
    companies::pages::address,
    compliance::RedactionPolicy,
    contacts::{
        ContactView,
        list_store::{self, Places},
        model::{DESIGNATIONS, ROLES},
        pages_store::{self, Belongs},
        panels::place,
    },
    error::Result,
    resource::columns::Columns,
    ui::{Choice, ListPage, Listing, Page, Row, Shape, Value, listing::ROOMY, words},
    web::Web,
};

/// A contact in the list, with the companies they belong to.
struct Line {
    contact: ContactView,
    belongs: Vec<Belongs>,
}

static COLUMNS: LazyLock<Columns<Line>> = LazyLock::new(|| {
    Columns::new("name", "Name", |line: &Line| Value::words(line.contact.row.name.clone()))
        .usual("company_id", "Company", "cell--sub cell--cut", company)
        .usual("role", "Role", "", |_, line| {
            let at = &line.contact.place;
            place(at.is_primary, at.role.as_deref(), at.designation.as_deref(), true)
        })
        .usual("title", "Job title", "cell--cut", |_, line| Value::text(line.contact.row.job_title.as_deref()))
        .usual("email", "E-mail", "cell--sub cell--cut", |_, line| Value::mail(Some(&line.contact.row.email)))
        .usual("phone", "Phone", "", |_, line| Value::phone(line.contact.phone()))
        .usual("active", "State", "cell--end", |_, line| state(line.contact.row.active))
        .other("updated_at", "Changed", "", |_, line| Value::ago(Some(&line.contact.row.updated_at)))
        .rest(|line| &line.contact.row)
});

static SHAPE: Shape = Shape {
    spec: &list_store::LIST,
    path: "/contacts/",
    api: "/api/contacts",
    bulk: Some(("/bulk/contacts", "Edit or retire")),
    yields: &[("title", ROOMY)],
    columns: || COLUMNS.shown(),
    placeholder: "Search name, e-mail, phone",
    noun: "contacts",
    when_empty: "Add a contact, or let a sync bring them in.",
};

/// `GET /contacts/`
pub async fn index(State(web): State<Web>, context: PageContext) -> Result<Response> {
    let listing = Listing::new(&SHAPE, &context.page, &context.query);
    let query = listing.ask()?;
    let places = Places::read(&context.query)?;
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let (found, mut companies) = web
        .db
        .read(&context.scope(), move |c| {
            let found = list_store::list(c, &query, &places, &policy)?;
            let companies = pages_store::companies_of(c, found.items.iter().map(|contact| contact.row.id).collect())?;
            Ok((found, companies))
        })
        .await?;
    let rows = found.items.into_iter().map(|contact| {
        let belongs = companies.remove(&contact.row.id).unwrap_or_default();
        row(&context.page, &Line { contact, belongs })
    });
    let choices = |known: &[&str]| known.iter().map(|word| Choice::new(*word, words(word))).collect();
    let filters = vec![
        listing.filter("active", "State", vec![Choice::new("true", "Active"), Choice::new("false", "Inactive")]),
        listing.filter("role", "Role", choices(ROLES)),
        listing.filter("designation", "Designation", choices(DESIGNATIONS)),
        listing.filter("is_primary", "Primary contact", vec![Choice::new("true", "Yes"), Choice::new("false", "No")]),
    ];
    let list = listing.list(filters, rows.collect(), found.total);
    let action = context.page.may_write().then(|| (context.page.url("/contacts/new"), LIST.new));
    context.show(&ListPage {
        page: context.titled(LIST.section, LIST.title),
        action,
        list,
        import: Some("contacts"),
        tabs: Vec::new(),
    })
}

fn company(page: &Page, line: &Line) -> Value {
    match line.belongs.as_slice() {
        [] => Value::None,
        [only] => Value::link(address(page, &only.account_number), only.name.clone()),
        [first, rest @ ..] => Value::Many(vec![
            Value::link(address(page, &first.account_number), first.name.clone()),
            Value::badge("", format!("+{}", rest.len())),
        ]),
    }
}

fn row(page: &Page, line: &Line) -> Row {
    let contact = &line.contact.row;
    Row {
        id: contact.id,
        href: page.url(&format!("/contacts/{}", contact.id)),
        name: contact.name.clone(),
        retired: contact.retired_at.is_some(),
        cells: COLUMNS.cells(page, line),
    }
}

/// Whether somebody is still there.
pub fn state(active: bool) -> Value {
    if active { Value::Dot { kind: "good", text: "Active".into() } } else { Value::Dot { kind: "", text: "Inactive".into() } }
}
