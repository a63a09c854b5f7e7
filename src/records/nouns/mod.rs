//! The one door: what is read and written of a noun that its room has only declared ([`Noun`](crate::entity::Noun)).

mod about;
mod any;
mod api;
pub mod license_assets;
mod pages;
pub mod panel;
mod table;
mod writes;

pub use any::{AnyEntity, AnyNoun, OfNoun, noun, of};
pub use writes::Leading;

use super::entities;
use crate::web::Routes;

/// The routes of every noun of the one door.
#[must_use]
pub fn routes() -> Routes {
    entities::nouns().fold(Routes::new(), |routes, noun| routes.merge(noun.routes()))
}
