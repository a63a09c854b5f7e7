//! Links between records: how they are written at the page of one end, whatever they link; and those that the room of one
//! end keeps while the room of the other end tells and takes them in its JSON, as the assets that a contact uses. Who keeps
//! these is said where rooms are joined.

use std::sync::OnceLock;

use axum::{extract::State, response::Response};
use serde::de::DeserializeOwned;

use super::{Resource, form_page::Typed, forms::Form};
use crate::{
    agents::PageContext,
    auth::Editor,
    db::{Conn, Write},
    error::{Error, FieldError, Result},
    history::{self, Record as _},
    web::{Fields, Path, Preconditions, Web},
};

/// A link of a record with another one, as the record's page adds and removes it.
pub trait Link: Send + Sync + 'static {
    /// The record.
    type At: Form;
    /// What is sent to add one: the other record, and what the link says of it.
    type Added: Send + 'static;
    /// What stands in the address where one is removed: the record, with the other one where that is not sent.
    type Address: DeserializeOwned + Send + 'static;
    /// The other record of a link that is removed.
    type Removed: Send + 'static;
    /// What is said when one was added, and when one was removed.
    const DONE: (&'static str, &'static str);

    /// Reads what is to be linked.
    ///
    /// # Errors
    /// `Invalid` with every field that is wrong.
    fn added(fields: Fields) -> Result<Self::Added>;

    /// Reads what is to be unlinked, from what.
    ///
    /// # Errors
    /// `Invalid` with every field that is wrong.
    fn removed(address: Self::Address, fields: Fields) -> Result<(<Self::At as Resource>::Key, Self::Removed)>;

    /// Adds it, or changes what it says.
    ///
    /// # Errors
    /// `Invalid` for another record that does not exist.
    fn add(w: &mut Write<'_>, id: i64, other: Self::Added) -> Result<()>;

    /// Removes it; nothing when there is none.
    ///
    /// # Errors
    /// `NotFound`.
    fn remove(w: &mut Write<'_>, id: i64, other: Self::Removed) -> Result<()>;

    /// What is shown when one could not be added.
    fn refused(
        _web: &Web,
        _context: &PageContext,
        _key: <Self::At as Resource>::Key,
        wrong: Vec<FieldError>,
        _typed: Typed,
    ) -> impl Future<Output = Result<Response>> + Send {
        async move { Err(Error::Invalid(wrong)) }
    }
}

/// Changes the links of a record that is the one which `If-Match`, when sent, names.
///
/// # Errors
/// `NotFound`, `PreconditionFailed`, those of the change.
pub fn change<R: Resource>(
    w: &mut Write<'_>,
    key: &R::Key,
    conditions: &Preconditions,
    change: impl FnOnce(&mut Write<'_>, i64) -> Result<()>,
) -> Result<()> {
    let id = R::id(w, key)?;
    conditions.check(id, history::get::<R::Row>(w, id)?.rev())?;
    change(w, id)
}

/// `POST` of a link that is to be added; what was typed comes back when it is wrong.
pub async fn add<L: Link>(
    State(web): State<Web>,
    editor: Editor,
    context: PageContext,
    Path(key): Path<<L::At as Resource>::Key>,
    conditions: Preconditions,
    mut fields: Fields,
) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    fields.set_creating(true);
    let saved = match L::added(fields) {
        Ok(other) => {
            let key = key.clone();
            let work = move |w: &mut Write<'_>| change::<L::At>(w, &key, &conditions, |w, id| L::add(w, id, other));
            web.db.write(&editor.scope(), &editor.actor(), work).await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(()) => context.go(&L::At::page(&key), L::DONE.0),
        Err(Error::Invalid(wrong)) => L::refused(&web, &context, key, wrong, typed).await,
        Err(other) => Err(other),
    }
}

/// `POST` of a link that is to be removed.
pub async fn remove<L: Link>(
    State(web): State<Web>,
    editor: Editor,
    context: PageContext,
    Path(address): Path<L::Address>,
    conditions: Preconditions,
    mut fields: Fields,
) -> Result<Response> {
    fields.set_creating(true);
    let (key, other) = L::removed(address, fields)?;
    let at = key.clone();
    let work = move |w: &mut Write<'_>| change::<L::At>(w, &at, &conditions, |w, id| L::remove(w, id, other));
    web.db.write(&editor.scope(), &editor.actor(), work).await?;
    context.go(&L::At::page(&key), L::DONE.1)
}

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
