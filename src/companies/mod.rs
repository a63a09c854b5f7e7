//! Companies: who the provider works for, buys from, or hopes to win.

pub mod alias;
pub mod alias_store;
mod api;
pub mod contract;
pub mod list_store;
pub mod location;
pub mod model;
pub mod pages;
pub mod pages_store;
mod resource;
pub mod rules;
pub mod store;

pub use location::Location;
pub use model::{Company, CompanyView};

pub use resource::{Companies, Locations, Within};

use crate::entity::{
    ending,
    schema::{changed, new},
};
use crate::web::openapi::schema as json;
use crate::{
    resource::{self as door, as_of, merged},
    web::Routes,
};
use alias::Alias;
use api::search_answer;

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/companies", api::index)
        .tells("List companies", json::list::<CompanyView>)
        .asks(&[door::as_of::PARAMETER])
        .asks(&[(
            "contract",
            ending::ASKED,
            "How the contract stands: in, ending (within 90 days), expired or unknown, or several of them.",
        )])
        .merge(door::api::routes::<Companies>("/api/companies", "/api/companies/{acct}", "/api/companies/{acct}/restore"))
        .get("/api/company/{acct}", door::api::show::<Companies>)
        .tells("Company: read", json::one::<CompanyView>)
        .get("/api/companies/{acct}/aliases", api::aliases)
        .tells("List the names under which people have recognised a company", json::list::<Alias>)
        .get("/api/companies/{acct}/attached", api::attached)
        .tells("Count what is attached to a company", |_| json::counts())
        .get("/api/companies/{acct}/locations", api::locations)
        .tells("List the locations of a company", json::list::<Location>)
        .answers(307, merged::WHEN, merged::described)
        .asks(&[as_of::PARAMETER])
        .post("/api/companies/{acct}/locations", door::api::create::<Locations>)
        .makes("Location: add one, or all of an array or none", json::added::<Location>)
        .takes(new::<Location>)
        .merge(door::bulk::routes::<Locations>("/api/companies/{acct}/locations"))
        .get("/api/companies/{acct}/locations/{id}", door::api::show::<Locations>)
        .tells("Location: read", json::one::<Location>)
        .update("/api/companies/{acct}/locations/{id}", door::api::update::<Locations>)
        .tells("Location: change the fields that are sent", json::written::<Location>)
        .takes(changed::<Location>)
        .delete("/api/companies/{acct}/locations/{id}", door::api::retire::<Locations>)
        .tells("Location: remove", |_| json::done(&[]))
        .put("/companies/{acct}/update", door::api::update::<Companies<true>>)
        .tells("Company: change the fields that are sent, for pages", json::brief)
        .takes(resource::changed_by_page)
        .get("/companies/{acct}/locations", api::page_locations)
        .tells("List the locations of a company for pages", |schemas| {
            json::done(&[("locations", json::list::<Location>(schemas))])
        })
        .post("/companies/{acct}/locations", door::api::create::<Locations<true>>)
        .tells("Location: add one for pages", |schemas| json::done(&[("location", json::one::<Location>(schemas))]))
        .takes(new::<Location>)
        .delete("/companies/{acct}/locations/{id}", door::api::retire::<Locations>)
        .tells("Location: remove for pages", |_| json::done(&[]))
        .get("/companies/api/search", api::search)
        .tells("Search companies for the page that lists them", search_answer)
        .asks(&[
            ("q", "string", "What to look for."),
            ("page", "loose", "The page, counted from 1."),
            ("per_page", "loose", "The size of a page."),
            ("sort", "string", "The column."),
            ("dir", "string", "asc or desc."),
        ])
        .merge(pages::routes())
}
