//! The pages: everything a person sees in a browser, made of the same functions as the JSON API.

mod alerts;
mod asset;
mod asset_field_sources;
mod asset_form;
mod asset_inside;
mod asset_secret;
mod assets;
pub(crate) mod columns;
pub(crate) mod companies;
mod company;
mod company_form;
mod company_plan;
mod company_posts;
mod company_tables;
mod company_tickets;
mod contact;
mod contact_form;
mod contact_posts;
mod contacts;
pub(crate) mod edit;
pub(crate) mod fields;
mod location_form;
mod pins;
pub(crate) mod record;
mod search;
pub mod store;
mod ticket;
mod tickets;

use crate::{
    history::protection::LEVELS,
    web::{
        Routes,
        view::{Choice, Crumb, Field, thousands},
    },
};

/// The routes of all pages that joined rooms have.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/search", search::show)
        .get("/alerts/", alerts::index)
        .get("/records/{entity}/{id}", pins::show)
        .form("/records/{entity}/{id}/pin", "/records/{entity}/{id}", pins::save)
        .form("/records/{entity}/{id}/push", "/records/{entity}/{id}", pins::push)
        .form("/records/changes/{seq}/undo", "/", pins::take_back)
        .merge(company_routes())
        .merge(contact_routes())
        .merge(asset_routes())
        .get("/tickets/", tickets::index)
        .get("/tickets/{id}", ticket::show)
        .form("/tickets/{id}/update", "/tickets/{id}", ticket::update)
}

fn company_routes() -> Routes {
    Routes::new()
        .get("/companies/", companies::index)
        .get("/companies/new", company_form::new)
        .post("/companies/new", company_form::create)
        .get("/companies/{acct}", company::show)
        .get("/companies/{acct}/edit", company_form::edit)
        .post("/companies/{acct}/edit", company_form::update)
        .form("/companies/{acct}/retire", "/companies/{acct}", company_posts::retire)
        .form("/companies/{acct}/restore", "/companies/{acct}", company_posts::restore)
        .form("/companies/{acct}/locations/add", "/companies/{acct}", company_posts::add_location)
        .get("/companies/{acct}/features", company_plan::edit)
        .post("/companies/{acct}/features", company_plan::save)
        .get("/companies/{acct}/locations/{id}/edit", location_form::edit)
        .post("/companies/{acct}/locations/{id}/edit", location_form::update)
        .form("/companies/{acct}/locations/{id}/remove", "/companies/{acct}", company_posts::remove_location)
}

fn contact_routes() -> Routes {
    Routes::new()
        .get("/contacts/", contacts::index)
        .get("/contacts/new", contact_form::new)
        .post("/contacts/new", contact_form::create)
        .get("/contacts/{id}", contact::show)
        .get("/contacts/{id}/edit", contact_form::edit)
        .post("/contacts/{id}/edit", contact_form::update)
        .form("/contacts/{id}/retire", "/contacts/{id}", contact_posts::retire)
        .form("/contacts/{id}/restore", "/contacts/{id}", contact_posts::restore)
        .form("/contacts/{id}/companies/assign", "/contacts/{id}", contact_posts::join)
        .form("/contacts/{id}/companies/remove", "/contacts/{id}", contact_posts::leave)
}

fn asset_routes() -> Routes {
    Routes::new()
        .get("/assets/", assets::index)
        .get("/assets/new", asset_form::new)
        .post("/assets/new", asset_form::create)
        .get("/assets/{id}", asset::show)
        .get("/assets/{id}/edit", asset_form::edit)
        .post("/assets/{id}/edit", asset_form::update)
        .form("/assets/{id}/secrets/{name}", "/assets/{id}", asset_secret::reveal)
        .form("/assets/{id}/assign-user", "/assets/{id}", asset::assign)
        .form("/assets/{id}/unassign-user/{contact}", "/assets/{id}", asset::unassign)
        .form("/assets/{id}/retire", "/assets/{id}", asset::retire)
        .form("/assets/{id}/restore", "/assets/{id}", asset::restore)
}

/// A thing that a page mentions and leads to.
pub(crate) fn mention(href: String, text: impl Into<String>) -> Crumb {
    Crumb { href, text: text.into() }
}

/// How strictly a record's people are protected, to be chosen; an administrator may lower it.
fn protected_as(typed: &edit::Typed) -> Field {
    let choices = LEVELS.iter().map(|level| Choice::new(*level, companies::label(level))).collect();
    Field::select("protected_as", "Protected as", typed.text("protected_as"), choices)
        .hint("Follows its companies by itself; only an administrator lowers it.")
}

/// `virtual_machine` as people read it: `Virtual machine`.
pub(crate) fn words(key: &str) -> String {
    // The contract's word for it is short.
    let key = if key == "ap" { "access_point" } else { key };
    let plain = key.replace('_', " ");
    let mut letters = plain.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
}

/// `1 asset`, `3 assets`.
pub(crate) fn count_of(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}
