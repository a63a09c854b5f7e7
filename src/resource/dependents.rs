//! What hangs on a record in rooms that its own does not know: who they are is said where rooms are joined.

use std::{collections::BTreeMap, sync::OnceLock};

use serde_json::json;

use crate::{
    db::{Conn, Write},
    error::{Error, Result},
};

/// Rows of one kind that belong to records of another.
pub trait Dependent: Sync {
    /// How many live ones lead to a record, by kind; kinds without any may be left out.
    fn attached(&self, c: &mut Conn, entity: &str, id: i64) -> Result<Vec<(&'static str, i64)>>;

    /// How many of them cannot be without the record, by kind.
    fn bound(&self, _c: &mut Conn, _entity: &str, _id: i64) -> Result<Vec<(&'static str, i64)>> {
        Ok(Vec::new())
    }

    /// Retires those.
    fn retire_bound(&self, _w: &mut Write<'_>, _entity: &str, _id: i64) -> Result<()> {
        Ok(())
    }

    /// What becomes of them when the record is about to retire.
    fn release(&self, w: &mut Write<'_>, entity: &str, id: i64) -> Result<()>;

    /// About how many rows [`hand_over`](Self::hand_over) would move one by one.
    fn moving(&self, _c: &mut Conn, _entity: &str, _from: i64) -> Result<usize> {
        Ok(0)
    }

    /// Lets them belong to another record of the same kind, because both are one; what moved.
    fn hand_over(&self, _w: &mut Write<'_>, _entity: &str, _from: i64, _to: i64) -> Result<Vec<Moved>> {
        Ok(Vec::new())
    }

    /// Lets those of them belong to the first of two records again that moved to the second without history, as far as
    /// they still belong to it.
    fn hand_back(&self, _w: &mut Write<'_>, _entity: &str, _moved: &Moved, _between: (i64, i64)) -> Result<()> {
        Ok(())
    }
}

/// Rows of one kind that came from one record to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// What they are, in a word.
    pub what: String,
    pub ids: Vec<i64>,
    /// Whether history tells of it, so that it is undone from there.
    pub is_in_history: bool,
}

impl Moved {
    /// Rows whose move stands in history.
    #[must_use]
    pub fn in_history(what: &str, ids: Vec<i64>) -> Self {
        Self { what: what.to_owned(), ids, is_in_history: true }
    }

    /// Rows that have no history.
    #[must_use]
    pub fn without_history(what: &str, ids: Vec<i64>) -> Self {
        Self { is_in_history: false, ..Self::in_history(what, ids) }
    }
}

static ALL: OnceLock<&'static [&'static dyn Dependent]> = OnceLock::new();

/// Says who they are, before any record is retired; the first call counts.
pub fn register(all: &'static [&'static dyn Dependent]) {
    ALL.get_or_init(|| all);
}

fn all() -> Result<&'static [&'static dyn Dependent]> {
    ALL.get().copied().ok_or_else(|| Error::internal("nobody has said yet what hangs on records"))
}

/// What still belongs to a record, by kind, in numbers; empty when nothing does.
pub fn attached(c: &mut Conn, entity: &str, id: i64) -> Result<BTreeMap<&'static str, i64>> {
    let mut found = BTreeMap::new();
    for dependent in all()? {
        found.extend(dependent.attached(c, entity, id)?.into_iter().filter(|(_, count)| *count > 0));
    }
    Ok(found)
}

/// Refuses while something belongs to a record.
///
/// # Errors
/// `Conflict` with what does.
pub fn refuse_attached(c: &mut Conn, entity: &str, id: i64) -> Result<()> {
    let found = attached(c, entity, id)?;
    if found.is_empty() { Ok(()) } else { Err(still_attached(&found)) }
}

/// Retires what cannot be without a record that is about to retire, and leaves the rest with it: refused unless `force`
/// while there is any.
///
/// # Errors
/// `Conflict` with what there is.
pub fn retire_bound(w: &mut Write<'_>, entity: &str, id: i64, force: bool) -> Result<()> {
    let mut found = BTreeMap::new();
    for dependent in all()? {
        found.extend(dependent.bound(w, entity, id)?.into_iter().filter(|(_, count)| *count > 0));
    }
    if !found.is_empty() && !force {
        return Err(still_attached(&found));
    }
    all()?.iter().try_for_each(|dependent| dependent.retire_bound(w, entity, id))
}

/// Lets everything go from a record that is about to retire.
pub fn release(w: &mut Write<'_>, entity: &str, id: i64) -> Result<()> {
    all()?.iter().try_for_each(|dependent| dependent.release(w, entity, id))
}

/// How many rows would move with a record.
pub fn moving(c: &mut Conn, entity: &str, from: i64) -> Result<i64> {
    let mut count = 0_usize;
    for dependent in all()? {
        count = count.saturating_add(dependent.moving(c, entity, from)?);
    }
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Lets everything that belongs to a record belong to another one.
pub fn hand_over(w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<Moved>> {
    let mut moved = Vec::new();
    for dependent in all()? {
        moved.extend(dependent.hand_over(w, entity, from, to)?);
    }
    Ok(moved)
}

/// Takes back what moved without history.
pub fn hand_back(w: &mut Write<'_>, entity: &str, moved: &Moved, between: (i64, i64)) -> Result<()> {
    all()?.iter().try_for_each(|dependent| dependent.hand_back(w, entity, moved, between))
}

/// That a record cannot retire because of what belongs to it.
#[must_use]
pub fn still_attached(found: &BTreeMap<&'static str, i64>) -> Error {
    let list: Vec<String> = found.iter().map(|(name, count)| format!("{count} {}", name.replace('_', " "))).collect();
    let mut details = serde_json::Map::new();
    details.insert("attached".to_owned(), json!(found));
    Error::Conflict { message: format!("still attached: {}", list.join(", ")), details }
}
