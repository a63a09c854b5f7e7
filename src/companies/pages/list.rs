//! The list of companies.

use std::{collections::HashMap, sync::LazyLock};

use axum::{extract::State, response::Response};

use super::{LIST, address, compliance, plan};
use crate::{
    agents::PageContext,
    companies::{
        CompanyView,
        list_store::{self, COMPANIES},
        model::{COMPLIANCE_LEVELS, KINDS},
        pages_store, store as companies,
    },
    compliance::RedactionPolicy,
    entity::ending,
    error::Result,
    resource::{columns::Columns, values::end},
    ui::{Choice, ListPage, Listing, Page, Row, Shape, Value, label, listing::ROOMY},
    web::Web,
};

/// A company in the list, with how many contacts and assets it has.
struct Line {
    company: CompanyView,
    contacts: i64,
    assets: i64,
}

static COLUMNS: LazyLock<Columns<Line>> = LazyLock::new(|| {
    Columns::new("name", "Company", |line: &Line| Value::words(line.company.row.name.clone()))
        .usual("account_number", "Account", "cell--sub", |_, line| Value::code(Some(&line.company.row.account_number)))
        .usual("billing_plan", "Plan", "cell--end", |_, line| plan(line.company.row.plan.as_deref()))
        .usual("contacts", "Contacts", "cell--number", |_, line| Value::count(line.contacts))
        .usual("assets", "Assets", "cell--number", |_, line| Value::count(line.assets))
        .fields(|line| &line.company.row, &["email_system", "main_number"])
        .usual("contract_end_date", "Contract ends", "cell--sub", |_, line| end(line.company.row.contract_end_date.as_deref()))
        .usual("compliance_level", "Compliance", "", |_, line| compliance(&line.company.row.compliance_level))
        .other("support_level", "Support level", "", |_, line| Value::text(line.company.support_level()))
        .other("updated_at", "Changed", "", |_, line| Value::ago(Some(&line.company.row.updated_at)))
        .rest(|line| &line.company.row)
});

static SHAPE: Shape = Shape {
    spec: &COMPANIES,
    path: "/companies/",
    api: "/api/companies",
    bulk: Some(("/bulk/companies", "Edit or retire")),
    yields: &[("email_system", ROOMY)],
    columns: || COLUMNS.shown(),
    placeholder: "Search name, account number, domain",
    noun: "companies",
    when_empty: "Add a company, or let a sync bring them in.",
};

/// `GET /companies/`
pub async fn index(State(web): State<Web>, context: PageContext) -> Result<Response> {
    let listing = Listing::new(&SHAPE, &context.page, &context.query);
    let mut query = listing.ask()?;
    if let Some(contract) = list_store::contract(&context.query)? {
        query = contract.narrow(query);
    }
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let (found, contacts, assets) = web
        .db
        .read(&context.scope(), move |c| {
            let query = list_store::by_shown(c, query, &policy)?;
            let found = query.run(c, |row| Ok(companies::view(row)?.redact(&policy)))?;
            let ids: Vec<i64> = found.items.iter().map(|company| company.row.id).collect();
            let contacts = pages_store::contacts_per_company(c, ids.clone())?;
            Ok((found, contacts, pages_store::assets_per_company(c, ids)?))
        })
        .await?;
    let number = |counts: &HashMap<i64, i64>, id: i64| counts.get(&id).copied().unwrap_or(0);
    let rows = found.items.into_iter().map(|company| {
        let (contacts, assets) = (number(&contacts, company.row.id), number(&assets, company.row.id));
        row(&context.page, &Line { company, contacts, assets })
    });
    let choices = |known: &[&str]| known.iter().map(|word| Choice::new(*word, label(word))).collect();
    let filters = vec![
        listing.filter("kind", "Kind", choices(KINDS)),
        listing.filter("compliance_level", "Compliance", choices(COMPLIANCE_LEVELS)),
        listing.filter("contract", "Contract", ending::choices()),
    ];
    let list = listing.list(filters, rows.collect(), found.total);
    let action = context.page.may_write().then(|| (context.page.url("/companies/new"), LIST.new));
    context.show(&ListPage {
        page: context.titled(LIST.section, LIST.title),
        action,
        list,
        import: Some("companies"),
        tabs: Vec::new(),
    })
}

fn row(page: &Page, line: &Line) -> Row {
    let company = &line.company.row;
    Row {
        id: company.id,
        href: address(page, &company.account_number),
        name: company.name.clone(),
        retired: company.retired_at.is_some(),
        cells: COLUMNS.cells(page, line),
    }
}
