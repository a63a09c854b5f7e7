//! Pages that work on records of any kind: finding one, and what is done to single values and changes of it.

mod pins;
pub(crate) mod record;
mod search;
pub mod store;

use crate::web::Routes;

/// Their routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/search", search::show)
        .get("/records/{entity}/{id}", pins::show)
        .form("/records/{entity}/{id}/pin", "/records/{entity}/{id}", pins::save)
        .form("/records/{entity}/{id}/push", "/records/{entity}/{id}", pins::push)
        .form("/records/changes/{seq}/undo", "/", pins::take_back)
}
