//! The pages: everything a person sees in a browser, made of the same functions as the JSON API.

mod alerts;
mod asset;
mod asset_field_sources;
mod asset_form;
mod asset_inside;
mod asset_secret;
mod assets;
pub(crate) mod company_alerts;
pub(crate) mod company_plan;
pub(crate) mod company_tickets;
mod contact;
mod contact_form;
mod contact_posts;
mod contacts;
mod merge;
mod pins;
pub(crate) mod record;
mod search;
pub mod store;
mod ticket;
mod tickets;

pub(crate) use crate::ui::{count_of, mention, words};
use crate::{
    assets::Assets,
    companies::Companies,
    history::protection::LEVELS,
    records::contacts::Contacts,
    resource::{form_page::Typed, forms},
    ui::{Choice, Field, label},
    web::Routes,
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
        .form("/records/batches/{id}/undo", "/", pins::take_all_back)
        .get("/companies/{acct}/merge", merge::show::<Companies>)
        .post("/companies/{acct}/merge", merge::save::<Companies>)
        .get("/contacts/{id}/merge", merge::show::<Contacts>)
        .post("/contacts/{id}/merge", merge::save::<Contacts>)
        .get("/assets/{id}/merge", merge::show::<Assets>)
        .post("/assets/{id}/merge", merge::save::<Assets>)
        .merge(contact_routes())
        .merge(asset_routes())
        .get("/tickets/", tickets::index)
        .get("/tickets/{id}", ticket::show)
        .form("/tickets/{id}/update", "/tickets/{id}", ticket::update)
}

fn contact_routes() -> Routes {
    let edited = ["/contacts/{id}/edit", "/contacts/{id}/retire", "/contacts/{id}/restore"];
    Routes::new()
        .get("/companies/{acct}/features", company_plan::edit)
        .post("/companies/{acct}/features", company_plan::save)
        .get("/contacts/", contacts::index)
        .get("/contacts/{id}", contact::show)
        .merge(forms::routes::<Contacts>("/contacts/new", "/contacts/{id}", edited))
        .form("/contacts/{id}/companies/assign", "/contacts/{id}", contact_posts::join)
        .form("/contacts/{id}/companies/remove", "/contacts/{id}", contact_posts::leave)
}

fn asset_routes() -> Routes {
    Routes::new()
        .get("/assets/", assets::index)
        .get("/assets/{id}", asset::show)
        .merge(forms::routes::<Assets>(
            "/assets/new",
            "/assets/{id}",
            ["/assets/{id}/edit", "/assets/{id}/retire", "/assets/{id}/restore"],
        ))
        .form("/assets/{id}/secrets/{name}", "/assets/{id}", asset_secret::reveal)
        .form("/assets/{id}/assign-user", "/assets/{id}", asset::assign)
        .form("/assets/{id}/unassign-user/{contact}", "/assets/{id}", asset::unassign)
}

/// How strictly a record's people are protected, to be chosen; an administrator may lower it.
fn protected_as(typed: &Typed) -> Field {
    let choices = LEVELS.iter().map(|level| Choice::new(*level, label(level))).collect();
    Field::select("protected_as", "Protected as", typed.text("protected_as"), choices)
        .hint("Follows its companies by itself; only an administrator lowers it.")
}
