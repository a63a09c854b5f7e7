//! The list of companies.

use askama::Template;
use axum::{extract::State, response::Response};

use super::store;
use crate::{
    agents::Frame,
    companies::{
        CompanyView,
        list_store::COMPANIES,
        model::{COMPLIANCE_LEVELS, KINDS},
        store as companies,
    },
    compliance::Lens,
    error::Result,
    web::{
        Web, encode_segment,
        view::{Choice, List, Listing, Page, Row, Section, Shape, Shown, Value, filters},
    },
};

static SHAPE: Shape = Shape {
    spec: &COMPANIES,
    path: "/companies/",
    api: "/api/companies",
    columns: &[
        Shown { key: "name", label: "Company", class: "cell--main", usual: true },
        Shown { key: "account_number", label: "Account", class: "cell--sub", usual: true },
        Shown { key: "billing_plan", label: "Plan", class: "cell--end", usual: true },
        Shown { key: "kind", label: "Kind", class: "", usual: false },
        Shown { key: "contacts", label: "Contacts", class: "cell--number", usual: true },
        Shown { key: "assets", label: "Assets", class: "cell--number", usual: true },
        Shown { key: "email_system", label: "E-mail system", class: "cell--cut", usual: true },
        Shown { key: "phone_system", label: "Phone system", class: "cell--cut", usual: false },
        Shown { key: "company_main_number", label: "Main number", class: "", usual: true },
        Shown { key: "support_level", label: "Support level", class: "cell--cut", usual: false },
        Shown { key: "contract_end_date", label: "Contract ends", class: "cell--sub", usual: true },
        Shown { key: "compliance_level", label: "Compliance", class: "", usual: true },
        Shown { key: "updated_at", label: "Changed", class: "", usual: false },
    ],
    placeholder: "Search name, account number, domain",
    noun: "companies",
    when_empty: "Add a company, or let a sync bring them in.",
};

/// A list under its title.
#[derive(Template)]
#[template(path = "list.html")]
pub struct ListPage {
    /// The frame.
    pub page: Page,
    /// What can be added, for those who may.
    pub action: Option<(String, &'static str)>,
    /// The list.
    pub list: List,
}

/// `GET /companies/`
pub async fn index(State(web): State<Web>, frame: Frame) -> Result<Response> {
    let listing = Listing::new(&SHAPE, &frame.page.prefix, &frame.query);
    let query = listing.ask()?;
    let lens = Lens::of(&frame.caller, &web.config, &frame.query)?;
    let (found, contacts, assets) = web
        .db
        .read(&frame.scope(), move |c| {
            let found = query.run(c, |row| Ok(companies::view(row)?.through(&lens)))?;
            let ids: Vec<i64> = found.items.iter().map(|company| company.row.id).collect();
            let contacts = store::contacts_per_company(c, ids.clone())?;
            Ok((found, contacts, store::assets_per_company(c, ids)?))
        })
        .await?;
    let number = |counts: &std::collections::HashMap<i64, i64>, id: i64| Value::count(counts.get(&id).copied().unwrap_or(0));
    let rows = found.items.into_iter().map(|company| {
        let counts = [number(&contacts, company.row.id), number(&assets, company.row.id)];
        row(&frame.page, company, counts)
    });
    let choices = |known: &[&str]| known.iter().map(|word| Choice::new(*word, label(word))).collect();
    let filters = vec![
        listing.filter("kind", "Kind", choices(KINDS)),
        listing.filter("compliance_level", "Compliance", choices(COMPLIANCE_LEVELS)),
    ];
    let list = listing.list(filters, rows.collect(), found.total);
    let action = frame.page.may_write().then(|| (frame.page.url("/companies/new"), "New company"));
    frame.show(&ListPage { page: frame.titled(Section::Companies, "Companies"), action, list })
}

fn row(page: &Page, company: CompanyView, [contacts, assets]: [Value; 2]) -> Row {
    let compliance = compliance(&company.row.compliance_level);
    Row {
        id: company.row.id,
        href: address(page, &company.row.account_number),
        name: company.row.name.clone(),
        retired: company.row.retired_at.is_some(),
        cells: vec![
            Value::words(company.row.name),
            Value::code(Some(&company.row.account_number)),
            plan(Some(company.row.plan.as_deref().unwrap_or_default())),
            Value::words(label(&company.row.kind)),
            contacts,
            assets,
            Value::text(company.row.email_system.as_deref()),
            Value::text(company.row.phone_system.as_deref()),
            Value::phone(company.row.main_number.as_deref()),
            Value::text(company.row.support_level.as_deref()),
            Value::date(company.row.contract_end_date.as_deref()),
            compliance,
            Value::ago(Some(&company.row.updated_at)),
        ],
    }
}

/// Where a company's page is.
pub fn address(page: &Page, account_number: &str) -> String {
    page.url(&format!("/companies/{}", encode_segment(account_number)))
}

/// A plan's badge.
pub fn plan(name: Option<&str>) -> Value {
    let Some(name) = name.filter(|name| !name.trim().is_empty()) else { return Value::None };
    let folded = name.to_lowercase();
    let kind = match () {
        () if folded.contains("gold") => "gold",
        () if folded.contains("platinum") => "platinum",
        () => "",
    };
    Value::badge(kind, name)
}

/// A compliance level's badge; the usual one is plain words.
pub fn compliance(level: &str) -> Value {
    match level {
        "hipaa" => Value::badge("info", "HIPAA"),
        "cjis" => Value::badge("info", "CJIS"),
        other => Value::words(label(other)),
    }
}

/// A stored word as people read it.
pub fn label(word: &str) -> String {
    match word {
        "hipaa" => "HIPAA".to_owned(),
        "cjis" => "CJIS".to_owned(),
        other => super::words(other),
    }
}
