//! The pages: everything a person sees in a browser, made of the same functions as the JSON API.

mod pins;
pub(crate) mod record;
mod search;
pub mod store;

pub(crate) use crate::ui::{count_of, mention, words};
use crate::web::Routes;

/// The routes of all pages that joined rooms have.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/search", search::show)
        .get("/records/{entity}/{id}", pins::show)
        .form("/records/{entity}/{id}/pin", "/records/{entity}/{id}", pins::save)
        .form("/records/{entity}/{id}/push", "/records/{entity}/{id}", pins::push)
        .form("/records/changes/{seq}/undo", "/", pins::take_back)
}
