//! What administrators add to the nouns: fields of their own and tags, with their values for every record that the one door writes.

mod beside;
pub mod form;
mod model;
pub mod store;
mod values;

use std::sync::OnceLock;

pub use beside::OfRecords;
pub use model::{AddedField, COLORS, KINDS, Tag, shows};
pub use values::{Sent, apply, hand_over, is_member, is_own, json, label, of_record, read, set_tags, undo};

/// A noun that can have fields of its own and tags.
#[derive(Clone, Copy, Debug)]
pub struct Noun {
    /// Its word in history.
    pub entity: &'static str,
    /// Its table.
    pub table: &'static str,
    /// What people call one.
    pub what: &'static str,
}

static NOUNS: OnceLock<Vec<Noun>> = OnceLock::new();

/// Says which nouns those are, before anything is asked or written; the first call counts.
pub fn register(nouns: Vec<Noun>) {
    NOUNS.get_or_init(|| nouns);
}

/// All of them.
#[must_use]
pub fn nouns() -> &'static [Noun] {
    NOUNS.get().map_or(&[], Vec::as_slice)
}

/// The noun of this name, when it can have fields of its own and tags.
#[must_use]
pub fn noun(entity: &str) -> Option<Noun> {
    nouns().iter().copied().find(|noun| noun.entity == entity)
}
