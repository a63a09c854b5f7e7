//! What was done to many rows as one: it has a number, which stands in each of its changes, and is taken back as one.

use std::collections::BTreeMap;

use serde::Serialize;

use super::retention_store as retention;
use crate::{
    db::{Conn, Write},
    error::{Error, Result},
    params,
    types::now,
};

/// The kinds that are more than their changes.
pub const MERGE: &str = "merge";
pub const UNDO: &str = "undo";

/// One of them.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, utoipa::ToSchema)]
pub struct Batch {
    pub id: i64,
    /// `create`, `update`, `retire`, `merge` or `undo`.
    pub kind: String,
    /// What kind of rows were meant.
    pub entity: String,
    pub at: String,
    pub actor_kind: String,
    pub actor: String,
    /// When it was taken back.
    pub undone_at: Option<String>,
    pub undone_by: Option<String>,
}

/// Begins one: the changes of this transaction are part of it from here on.
pub fn begin(w: &mut Write<'_>, kind: &str, entity: &str) -> Result<i64> {
    let actor = w.actor();
    let sql = "INSERT INTO batches (kind, entity, at, actor_kind, actor) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id";
    let id = w.one(sql, params![kind, entity, now(), actor.kind.as_str(), &actor.name])?.get(0)?;
    w.set_batch(Some(id));
    Ok(id)
}

/// Ends one; how many rows of its kind it changed. One that changed nothing at all is none.
pub fn end(w: &mut Write<'_>, id: i64) -> Result<Option<i64>> {
    w.set_batch(None);
    if w.first("SELECT 1 FROM changes WHERE batch_id = ?1", params![id])?.is_none() {
        w.run("DELETE FROM batches WHERE id = ?1", params![id])?;
        return Ok(None);
    }
    Ok(Some(id))
}

/// How many rows of this kind it changed.
pub fn changed(c: &mut Conn, id: i64, entity: &str) -> Result<i64> {
    let sql =
        "SELECT COUNT(DISTINCT entity_id) FROM changes WHERE batch_id = ?1 AND entity = ?2 AND action NOT IN ('pin', 'unpin')";
    c.one(sql, params![id, entity])?.get(0)
}

/// One of them.
///
/// # Errors
/// `NotFound`.
pub fn get(c: &mut Conn, id: i64) -> Result<Batch> {
    let sql = "SELECT id, kind, entity, at, actor_kind, actor, undone_at, undone_by FROM batches WHERE id = ?1";
    let row = c.first(sql, params![id])?.ok_or(Error::NotFound { what: "Batch" })?;
    Ok(Batch {
        id: row.get(0)?,
        kind: row.get(1)?,
        entity: row.get(2)?,
        at: row.get(3)?,
        actor_kind: row.get(4)?,
        actor: row.get(5)?,
        undone_at: row.get(6)?,
        undone_by: row.get(7)?,
    })
}

/// Notes who took it back, at the time of the undo; what one that was an undo had taken back, stands again.
pub fn mark_undone(w: &mut Write<'_>, whole: &Batch, own: Option<i64>) -> Result<()> {
    let at = match own {
        Some(own) => get(w, own)?.at,
        None => now(),
    };
    let by = w.actor().name.clone();
    let (mut next, mut is_undone) = (Some(whole.clone()), true);
    while let Some(batch) = next {
        let (at, by) = if is_undone { (Some(&at), Some(&by)) } else { (None, None) };
        w.run("UPDATE batches SET undone_at = ?1, undone_by = ?2 WHERE id = ?3", params![at, by, batch.id])?;
        next = taken_back(w, &batch)?;
        is_undone = !is_undone;
    }
    Ok(())
}

/// What an undo took back. Most of its changes name the one that they take back; one that has none of those has the time
/// and the rows of it.
///
/// # Errors
/// `Gone` or `Conflict` when the history of that was removed.
pub fn taken_back(c: &mut Conn, undo: &Batch) -> Result<Option<Batch>> {
    if undo.kind != UNDO {
        return Ok(None);
    }
    let sql = "SELECT reason FROM changes WHERE batch_id = ?1 AND reason LIKE 'change % undone' ORDER BY seq LIMIT 1";
    let named = c.first(sql, params![undo.id])?.map(|row| row.get::<String>(0)).transpose()?;
    let seq = named.and_then(|reason| reason.split(' ').nth(1).and_then(|seq| seq.parse::<i64>().ok()));
    let row = match seq {
        Some(seq) => match c.first("SELECT batch_id FROM changes WHERE seq = ?1", params![seq])? {
            Some(row) => row.get::<Option<i64>>(0)?.is_some().then_some(row),
            None => return Err(retention::missing(c, seq)),
        },
        None => {
            let sql = "SELECT batch.id FROM batches batch
                       WHERE batch.undone_at = ?2 AND batch.undone_by = ?3 AND batch.entity = ?4 AND batch.id < ?1 AND EXISTS (
                           SELECT 1 FROM changes theirs JOIN changes own
                               ON own.batch_id = ?1 AND own.entity = theirs.entity AND own.entity_id = theirs.entity_id
                           WHERE theirs.batch_id = batch.id)
                       ORDER BY batch.id DESC LIMIT 1";
            let of = params![undo.id, &undo.at, &undo.actor, &undo.entity];
            let found = c.first(sql, of)?;
            let older = "SELECT MIN(at) FROM batches WHERE undone_at = ?2 AND undone_by = ?3 AND entity = ?4 AND id < ?1";
            if let (None, Some(at)) = (&found, c.one(older, of)?.get::<Option<String>>(0)?) {
                retention::refuse_before(c, &at, &format!("batch {} cannot be taken back", undo.id))?;
            }
            found
        }
    };
    row.map(|row| row.get(0)).transpose()?.map(|id| get(c, id)).transpose()
}

/// How many of its changes there are, by kind of row.
pub fn tally(c: &mut Conn, id: i64) -> Result<BTreeMap<String, i64>> {
    let sql = "SELECT entity, COUNT(*) FROM changes WHERE batch_id = ?1 AND action NOT IN ('pin', 'unpin') GROUP BY entity ORDER BY entity";
    c.all(sql, params![id])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Refuses a batch that has changed rows of kinds which its maker does not reach.
///
/// # Errors
/// `Forbidden`, naming the kinds.
pub fn allow(c: &mut Conn, id: i64, types: Option<&[String]>) -> Result<()> {
    let Some(types) = types else { return Ok(()) };
    let beyond: Vec<String> = tally(c, id)?.into_keys().filter(|kind| !types.contains(kind)).collect();
    if beyond.is_empty() {
        return Ok(());
    }
    let why = "This API key is limited to records of these types";
    Err(Error::Forbidden(format!("{why}: {}; this would change others as well: {}", types.join(", "), beyond.join(", "))))
}
