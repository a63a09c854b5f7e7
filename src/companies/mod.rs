//! Companies: who the provider works for, buys from, or hopes to win.

pub mod alias;
pub mod alias_store;
mod api;
pub mod contract;
pub mod list_store;
pub mod location;
pub mod model;
pub mod rules;
pub mod store;

pub use location::Location;
pub use model::{Company, CompanyView};

use crate::entity::schema::{changed, new};
use crate::web::Routes;
use crate::web::openapi::schema as json;
use alias::Alias;
use api::search_answer;

/// This room's routes; retiring is in `records`, which knows what is attached.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/companies", api::index)
        .tells("List companies", json::list::<CompanyView>)
        .post("/api/companies", api::create)
        .makes("Add a company", json::written::<CompanyView>)
        .takes(rules::new_body)
        .get("/api/companies/{acct}", api::show)
        .tells("Read a company", json::one::<CompanyView>)
        .update("/api/companies/{acct}", api::update)
        .tells("Change the fields of a company that are sent", json::written::<CompanyView>)
        .takes(rules::changed_body)
        .get("/api/company/{acct}", api::show)
        .tells("Read a company", json::one::<CompanyView>)
        .get("/api/companies/{acct}/aliases", api::aliases)
        .tells("List the names under which people have recognised a company", json::list::<Alias>)
        .get("/api/companies/{acct}/locations", api::locations)
        .tells("List the locations of a company", json::list::<Location>)
        .post("/api/companies/{acct}/locations", api::add_location)
        .makes("Add a location to a company", json::written::<Location>)
        .takes(new::<Location>)
        .get("/api/companies/{acct}/locations/{id}", api::location)
        .tells("Read a location", json::one::<Location>)
        .update("/api/companies/{acct}/locations/{id}", api::update_location)
        .tells("Change the fields of a location that are sent", json::written::<Location>)
        .takes(changed::<Location>)
        .post("/api/companies/{acct}/restore", api::restore)
        .tells("Bring a retired company back", json::written::<CompanyView>)
        .put("/companies/{acct}/update", api::page_update)
        .get("/companies/{acct}/locations", api::page_locations)
        .post("/companies/{acct}/locations", api::page_add_location)
        .get("/companies/api/search", api::search)
        .tells("Search companies for the page that lists them", search_answer)
        .asks(&[
            ("q", "string", "What to look for."),
            ("page", "integer", "The page, counted from 1."),
            ("per_page", "integer", "The size of a page."),
            ("sort", "string", "The column."),
            ("dir", "string", "asc or desc."),
        ])
}
