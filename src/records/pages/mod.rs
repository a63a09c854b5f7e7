//! Pages that work on records of any kind: finding one, and what is done to single values and changes of it.

mod address;
mod merge;
mod pins;
pub(crate) mod record;
mod relocate;
mod search;
pub mod store;

use crate::{assets::Assets, companies::Companies, contacts::Contacts, web::Routes};

/// Their routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/search", search::show)
        .get("/records/{entity}/{id}", pins::show)
        .form("/records/{entity}/{id}/pin", "/records/{entity}/{id}", pins::save)
        .form("/records/{entity}/{id}/push", "/records/{entity}/{id}", pins::push)
        .form("/records/changes/{seq}/undo", "/", pins::take_back)
        .form("/records/batches/{id}/undo", "/", pins::take_all_back)
        .get("/companies/{acct}/merge", merge::show::<Companies>)
        .post("/companies/{acct}/merge", merge::save::<Companies>)
        .get("/contacts/{id}/merge", merge::show::<Contacts>)
        .post("/contacts/{id}/merge", merge::save::<Contacts>)
        .get("/contacts/{id}/move", relocate::show)
        .post("/contacts/{id}/move", relocate::save)
        .get("/assets/{id}/merge", merge::show::<Assets>)
        .post("/assets/{id}/merge", merge::save::<Assets>)
}
