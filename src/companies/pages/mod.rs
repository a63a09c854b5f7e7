//! The pages of companies and of their locations.

mod detail;
mod form;
mod list;
mod location;

use super::{Companies, Locations};
use crate::{
    resource::{bulk_page, forms},
    ui::{Page, Records, Section, Value, label},
    web::{Routes, encode_segment},
};

/// Their list.
const LIST: Records =
    Records { section: Section::Companies, path: "/companies/", title: "Companies", new: "New company", add: "Add company" };

/// Their routes.
#[must_use]
pub fn routes() -> Routes {
    let edited = ["/companies/{acct}/edit", "/companies/{acct}/retire", "/companies/{acct}/restore"];
    Routes::new()
        .get("/companies/", list::index)
        .get("/companies/{acct}", detail::show)
        .merge(bulk_page::routes::<Companies>("/bulk/companies", "/bulk/companies/retire"))
        .merge(forms::routes::<Companies>("/companies/new", "/companies/{acct}", edited))
        .form("/companies/{acct}/locations/add", "/companies/{acct}", forms::create::<Locations>)
        .get("/companies/{acct}/locations/{id}/edit", forms::edit::<Locations>)
        .post("/companies/{acct}/locations/{id}/edit", forms::update::<Locations>)
        .form("/companies/{acct}/locations/{id}/remove", "/companies/{acct}", forms::retire::<Locations>)
}

/// Where a company's page is.
#[must_use]
pub fn address(page: &Page, account_number: &str) -> String {
    page.url(&format!("/companies/{}", encode_segment(account_number)))
}

/// A plan's badge.
#[must_use]
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
#[must_use]
pub fn compliance(level: &str) -> Value {
    match level {
        "hipaa" => Value::badge("info", "HIPAA"),
        "cjis" => Value::badge("info", "CJIS"),
        other => Value::words(label(other)),
    }
}
