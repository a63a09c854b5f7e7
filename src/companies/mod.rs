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

use crate::web::Routes;

/// This room's routes; retiring is in `records`, which knows what is attached.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/companies", api::index)
        .post("/api/companies", api::create)
        .get("/api/companies/{acct}", api::show)
        .update("/api/companies/{acct}", api::update)
        .get("/api/company/{acct}", api::show)
        .get("/api/companies/{acct}/aliases", api::aliases)
        .get("/api/companies/{acct}/locations", api::locations)
        .post("/api/companies/{acct}/locations", api::add_location)
        .get("/api/companies/{acct}/locations/{id}", api::location)
        .update("/api/companies/{acct}/locations/{id}", api::update_location)
        .post("/api/companies/{acct}/restore", api::restore)
        .put("/companies/{acct}/update", api::page_update)
        .get("/companies/{acct}/locations", api::page_locations)
        .post("/companies/{acct}/locations", api::page_add_location)
        .get("/companies/api/search", api::search)
}
