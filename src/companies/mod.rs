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

use crate::{resource as door, web::Routes};

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/companies", api::index)
        .merge(door::api::routes::<Companies>("/api/companies", "/api/companies/{acct}", "/api/companies/{acct}/restore"))
        .get("/api/company/{acct}", door::api::show::<Companies>)
        .get("/api/companies/{acct}/aliases", api::aliases)
        .get("/api/companies/{acct}/attached", api::attached)
        .get("/api/companies/{acct}/locations", api::locations)
        .post("/api/companies/{acct}/locations", door::api::create::<Locations>)
        .get("/api/companies/{acct}/locations/{id}", door::api::show::<Locations>)
        .update("/api/companies/{acct}/locations/{id}", door::api::update::<Locations>)
        .delete("/api/companies/{acct}/locations/{id}", door::api::retire::<Locations>)
        .put("/companies/{acct}/update", door::api::update::<Companies<true>>)
        .get("/companies/{acct}/locations", api::page_locations)
        .post("/companies/{acct}/locations", door::api::create::<Locations<true>>)
        .delete("/companies/{acct}/locations/{id}", door::api::retire::<Locations>)
        .get("/companies/api/search", api::search)
        .merge(pages::routes())
}
