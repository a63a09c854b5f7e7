//! The pages: everything a person sees in a browser, made of the same functions as the JSON API.

mod alerts;
mod asset;
mod asset_form;
mod asset_inside;
mod asset_voices;
mod assets;
mod companies;
mod company;
mod company_form;
mod company_posts;
mod company_tables;
mod company_tickets;
mod contact;
mod contact_form;
mod contact_posts;
mod contacts;
mod credentials;
mod dashboard;
pub mod dashboard_store;
mod edit;
mod job;
mod pins;
mod record;
mod schedule;
mod search;
pub mod store;
mod ticket;
mod tickets;

use crate::web::{
    Routes,
    view::{Crumb, thousands},
};

/// The routes of all pages that joined rooms have.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/", dashboard::show)
        .get("/search", search::show)
        .get("/alerts/", alerts::index)
        .post("/records/{entity}/{id}/pin", pins::save)
        .post("/records/{entity}/{id}/push", pins::push)
        .post("/records/changes/{seq}/undo", pins::take_back)
        .get("/admin/schedules/{job}", schedule::show)
        .post("/admin/schedules/{job}", schedule::save)
        .post("/admin/schedules/{job}/reset", schedule::reset)
        .get("/admin/credentials/{system}", credentials::show)
        .post("/admin/credentials/{system}", credentials::save)
        .post("/admin/credentials/{system}/test", credentials::test)
        .post("/admin/credentials/{system}/forget", credentials::forget)
        .get("/admin/jobs/{id}", job::show)
        .post("/admin/runs/{id}/undo", job::undo)
        .merge(company_routes())
        .merge(contact_routes())
        .merge(asset_routes())
        .get("/tickets/", tickets::index)
        .get("/tickets/{id}", ticket::show)
        .post("/tickets/{id}/update", ticket::update)
}

fn company_routes() -> Routes {
    Routes::new()
        .get("/companies/", companies::index)
        .get("/companies/new", company_form::new)
        .post("/companies/new", company_form::create)
        .get("/companies/{acct}", company::show)
        .get("/companies/{acct}/edit", company_form::edit)
        .post("/companies/{acct}/edit", company_form::update)
        .post("/companies/{acct}/retire", company_posts::retire)
        .post("/companies/{acct}/restore", company_posts::restore)
        .post("/companies/{acct}/locations/add", company_posts::add_location)
        .post("/companies/{acct}/locations/{id}/remove", company_posts::remove_location)
}

fn contact_routes() -> Routes {
    Routes::new()
        .get("/contacts/", contacts::index)
        .get("/contacts/new", contact_form::new)
        .post("/contacts/new", contact_form::create)
        .get("/contacts/{id}", contact::show)
        .get("/contacts/{id}/edit", contact_form::edit)
        .post("/contacts/{id}/edit", contact_form::update)
        .post("/contacts/{id}/retire", contact_posts::retire)
        .post("/contacts/{id}/restore", contact_posts::restore)
        .post("/contacts/{id}/companies/assign", contact_posts::join)
        .post("/contacts/{id}/companies/remove", contact_posts::leave)
}

fn asset_routes() -> Routes {
    Routes::new()
        .get("/assets/", assets::index)
        .get("/assets/new", asset_form::new)
        .post("/assets/new", asset_form::create)
        .get("/assets/{id}", asset::show)
        .get("/assets/{id}/edit", asset_form::edit)
        .post("/assets/{id}/edit", asset_form::update)
        .post("/assets/{id}/assign-user", asset::assign)
        .post("/assets/{id}/unassign-user/{contact}", asset::unassign)
        .post("/assets/{id}/retire", asset::retire)
        .post("/assets/{id}/restore", asset::restore)
}

/// A thing that a page mentions and leads to.
fn mention(href: String, text: impl Into<String>) -> Crumb {
    Crumb { href, text: text.into() }
}

/// `virtual_machine` as people read it: `Virtual machine`.
fn words(key: &str) -> String {
    let plain = key.replace('_', " ");
    let mut letters = plain.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
}

/// `1 asset`, `3 assets`.
fn count_of(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}
