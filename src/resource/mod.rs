//! The one door of writes: what a record that callers write says of itself, from which its JSON (`api`) and its forms
//! (`forms`) are made.

pub mod api;
pub mod as_of;
mod as_of_store;
pub mod bulk;
pub mod bulk_page;
pub mod columns;
pub mod dependents;
pub mod form_page;
pub mod forms;
pub mod links;
pub mod merged;
pub mod panel;
pub mod record_history;
pub mod values;
pub mod ways;
pub mod workspace;

use std::ops::Deref;

use axum::extract::FromRequestParts;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    compliance::RedactionPolicy,
    config::Config,
    db::{
        Conn, Write,
        list::{ListQuery, ListSpec},
    },
    entity::Entity,
    error::{Error, Result},
    history::{self, Record as _},
    web::{Fields, Query, Reply, Web, openapi::Schemas},
};

/// How one caller sees records.
pub trait View: Clone + Send + Sync + 'static {
    /// That of a caller, for a request with this query string.
    ///
    /// # Errors
    /// When a parameter is wrong.
    fn of(caller: &Caller, config: &Config, query: &Query) -> Result<Self>;
}

impl View for RedactionPolicy {
    fn of(caller: &Caller, config: &Config, query: &Query) -> Result<Self> {
        Self::of(caller, config, query)
    }
}

/// What tells of nobody is seen alike by everybody.
impl View for () {
    fn of(_: &Caller, _: &Config, _: &Query) -> Result<Self> {
        Ok(())
    }
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Created,
    Updated,
    Retired,
    Restored,
}

impl Done {
    /// "Company created"
    fn message<R: Resource>(self) -> String {
        let done = match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Retired => "retired",
            Self::Restored => "restored",
        };
        format!("{} {done}", R::Row::WHAT)
    }
}

/// A record that callers write. Its room says what is its own; conditions, dry runs, redaction and replies follow.
pub trait Resource: Send + Sync + Sized + 'static {
    /// The row.
    type Row: Entity;
    /// What stands in its address.
    type Key: DeserializeOwned + Clone + Send + 'static;
    /// What stands in the address where one is added: nothing, or the key of what it belongs to.
    type Whose: FromRequestParts<Web> + Clone + Send + 'static;
    /// How a caller sees it.
    type View: View;
    /// What was sent, checked.
    type Input: Send + 'static;
    /// The record as answers have it.
    type Shown: Serialize + ToSchema + Send + 'static;
    /// Who may write it.
    type Writer: FromRequestParts<Web, Rejection = Error> + Deref<Target = Caller> + Send + 'static;
    /// Who may retire it.
    type Retirer: FromRequestParts<Web, Rejection = Error> + Deref<Target = Caller> + Send + 'static;
    /// Whether `force=true` retires it although something is attached.
    const IS_FORCED: bool = true;

    /// Whether one can be merged into another.
    const IS_MERGED: bool = false;

    /// The key of a row, for those that can be merged.
    ///
    /// # Errors
    /// `NotFound`.
    fn key_of(_c: &mut Conn, _id: i64) -> Result<Self::Key> {
        Err(Error::NotFound { what: Self::Row::WHAT })
    }

    /// How this caller sees such records.
    ///
    /// # Errors
    /// `Forbidden` for who may not; `Invalid` for a wrong parameter.
    fn view(caller: &Caller, config: &Config, query: &Query) -> Result<Self::View> {
        Self::View::of(caller, config, query)
    }

    /// The id behind a key.
    fn id(c: &mut Conn, key: &Self::Key) -> Result<i64>;

    /// Where a record is found, below the prefix.
    fn path(key: &Self::Key) -> String;

    /// The list from which rows are chosen when many are meant; without one they are only written one by one.
    #[must_use]
    fn list() -> Option<&'static ListSpec> {
        None
    }

    /// The ids of the rows that a question to this list means, as far as this caller may ask it; `parameters` are those
    /// that the list reads itself.
    ///
    /// # Errors
    /// When a parameter is wrong, naming it; `NotFound` for what they would belong to.
    fn chosen(
        _c: &mut Conn,
        _whose: &Self::Whose,
        _query: ListQuery,
        _parameters: &Query,
        _view: &Self::View,
    ) -> Result<Vec<i64>> {
        Ok(Vec::new())
    }

    /// The records that one was linked with just before a moment, by the member that tells them, as far as history knows.
    fn linked_then(_c: &mut Conn, _id: i64, _moment: &str) -> Result<Vec<(&'static str, Vec<i64>)>> {
        Ok(Vec::new())
    }

    /// Reads the fields of a write.
    ///
    /// # Errors
    /// `Invalid` with every field that is wrong.
    fn read(fields: Fields, creating: bool) -> Result<Self::Input>;

    /// The fields of a write, as the API description says them.
    fn body(schemas: &mut Schemas, creating: bool) -> Json;

    /// Adds a record; its key.
    ///
    /// # Errors
    /// `Invalid`, `Conflict`, `NotFound` for what it belongs to.
    fn create(w: &mut Write<'_>, whose: &Self::Whose, input: &Self::Input, view: &Self::View) -> Result<Self::Key>;

    /// Changes the fields that were sent, as far as this caller may; whether any is another one now.
    ///
    /// # Errors
    /// `Invalid`, `Conflict`, `PreconditionFailed`, `NotFound`.
    fn update(w: &mut Write<'_>, id: i64, input: &Self::Input, rev: Option<i64>, view: &Self::View) -> Result<bool>;

    /// Takes a record out of every list.
    ///
    /// # Errors
    /// `Conflict` with what is attached, unless `force`; `NotFound`.
    fn retire(w: &mut Write<'_>, id: i64, _force: bool) -> Result<()> {
        history::retire::<Self::Row>(w, id, None).map(drop)
    }

    /// Brings a retired record back.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` or `Conflict` when it does not fit any more.
    fn restore(w: &mut Write<'_>, id: i64) -> Result<()> {
        history::restore::<Self::Row>(w, id, None).map(drop)
    }

    /// The record as this caller may see it.
    fn answer(c: &mut Conn, id: i64, view: &Self::View) -> Result<Self::Shown>;

    /// Its revision.
    fn rev(shown: &Self::Shown) -> i64;

    /// What is odd about a stored record without being wrong, as sentences.
    fn warnings(_c: &mut Conn, _shown: &Self::Shown) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// What a write answers.
    fn reply(w: &mut Write<'_>, id: i64, key: &Self::Key, view: &Self::View, done: Done) -> Result<Reply> {
        whole::<Self>(w, id, key, view, done)
    }
}

/// The record as it is now, with what is odd about it.
pub fn whole<R: Resource>(w: &mut Write<'_>, id: i64, key: &R::Key, view: &R::View, done: Done) -> Result<Reply> {
    let shown = R::answer(w, id, view)?;
    let reply = match done {
        Done::Created => Reply::created(&shown, R::path(key))?,
        Done::Updated | Done::Retired | Done::Restored => Reply::ok(&shown)?,
    };
    let warnings = R::warnings(w, &shown)?;
    let reply = if warnings.is_empty() { reply } else { reply.with("warnings", warnings) };
    Ok(reply.tagged(id, R::rev(&shown)).with("message", done.message::<R>()))
}

/// What the scripts of our old pages read of a write (contract §1.10): that it was done, and nothing of the record.
pub fn brief<R: Resource>(w: &mut Write<'_>, id: i64, done: Done) -> Result<Reply> {
    let rev = history::get::<R::Row>(w, id)?.rev();
    Ok(Reply::ok(&json!({ "success": true, "message": done.message::<R>() }))?.tagged(id, rev))
}
