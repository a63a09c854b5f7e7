//! Links between records that the room of one end keeps and the room of the other end tells and takes: the assets that a
//! contact uses. Who keeps them is said where rooms are joined.

use std::sync::OnceLock;

use crate::{
    db::{Conn, Write},
    error::{Error, Result},
};

/// Links of records of one noun, under the name that they have in its JSON.
pub trait Links: Sync {
    /// The noun and the name: `contact`, `asset_ids`.
    fn belong(&self) -> (&'static str, &'static str);

    /// The records at the other end.
    fn of(&self, c: &mut Conn, id: i64) -> Result<Vec<i64>>;

    /// Links a record with these and with no others.
    ///
    /// # Errors
    /// `Invalid` for a record that does not exist.
    fn replace(&self, w: &mut Write<'_>, id: i64, wanted: &[i64]) -> Result<()>;
}

static ALL: OnceLock<&'static [&'static dyn Links]> = OnceLock::new();

/// Says who keeps links, before any record is read; the first call counts.
pub fn register(all: &'static [&'static dyn Links]) {
    ALL.get_or_init(|| all);
}

fn named(entity: &str, name: &str) -> Result<&'static dyn Links> {
    let found = ALL.get().and_then(|all| all.iter().find(|links| links.belong() == (entity, name)));
    found.copied().ok_or_else(|| Error::internal(format!("nobody keeps the {name} of a {entity}")))
}

/// The records that a record is linked with.
pub fn of(c: &mut Conn, entity: &str, name: &str, id: i64) -> Result<Vec<i64>> {
    named(entity, name)?.of(c, id)
}

/// Links a record with these and with no others.
pub fn replace(w: &mut Write<'_>, entity: &str, name: &str, id: i64, wanted: &[i64]) -> Result<()> {
    named(entity, name)?.replace(w, id, wanted)
}
