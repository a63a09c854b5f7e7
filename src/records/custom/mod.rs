//! What administrators add to the nouns: fields of their own and tags, as JSON, as pages, and on the pages of records.

mod api;
mod pages;
pub mod panel;
mod tags;

use super::entities;
use crate::{custom::Noun, web::Routes};

/// The routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().merge(api::routes()).merge(tags::routes()).merge(pages::routes())
}

/// The nouns that can have fields of their own and tags: those whose records the one door writes.
#[must_use]
pub fn nouns() -> Vec<Noun> {
    let written = entities::ENTITIES.iter().filter(|entity| match entity.noun() {
        Some(noun) => !noun.is_for_staff(),
        None => entities::OF_THE_DOOR.contains(&entity.name()),
    });
    written.map(|entity| Noun { entity: entity.name(), table: entity.table(), what: entity.what() }).collect()
}
