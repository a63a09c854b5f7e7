//! What administrators add to the nouns: fields of their own and tags, as JSON, as pages, and on the pages of records.

mod api;
mod pages;
pub mod panel;
mod tags;

pub use api::take_back;

use super::entities;
use crate::{
    custom::{self, Noun},
    db::{Conn, Write},
    error::Result,
    resource::dependents::{Dependent, Moved},
    web::Routes,
};

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

/// What stands beside a record that becomes one with another; history tells of it at the other.
pub struct Beside;

impl Dependent for Beside {
    fn attached(&self, _c: &mut Conn, _entity: &str, _id: i64) -> Result<Vec<(&'static str, i64)>> {
        Ok(Vec::new())
    }

    fn release(&self, _w: &mut Write<'_>, _entity: &str, _id: i64) -> Result<()> {
        Ok(())
    }

    fn hand_over(&self, w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<Moved>> {
        custom::hand_over(w, entity, from, to).map(|()| Vec::new())
    }
}
