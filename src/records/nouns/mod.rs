//! The one door: what is read and written of a noun that its room has only declared ([`Noun`](crate::entity::Noun)).

mod about;
mod any;
mod api;
pub mod door;
mod pages;
pub mod panel;
mod table;

pub use any::{AnyEntity, AnyNoun, noun, of};

use super::entities;
use crate::web::Routes;

/// The routes of every noun of the one door.
#[must_use]
pub fn routes() -> Routes {
    entities::nouns().fold(Routes::new(), |routes, noun| routes.merge(noun.routes()))
}
