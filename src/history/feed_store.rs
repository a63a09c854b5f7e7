//! Reading the changes: the ordered feed, one row's history, and where each of its values came from.

use std::collections::{BTreeMap, btree_map::Entry};

use serde::Serialize;
use serde_json::Value as Json;

use super::{Unredacted, merges_store as merges, retention_store as retention};
use crate::db::{Conn, Row, Value};
use crate::error::{Error, Result};
use crate::params;

/// One change.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its number: gap-free and in commit order over all writers.
    pub seq: i64,
    pub at: String,
    /// `user`, `service`, `sync`, `import`, `cli` or `system`.
    pub actor_kind: String,
    pub actor: String,
    /// The vendor, when a sync acted.
    pub source: Option<String>,
    /// The sync run, when one acted.
    pub run_id: Option<i64>,
    /// What it was part of, when it was done together with others.
    pub batch_id: Option<i64>,
    /// `company`, `contact`, `asset`, …
    pub entity: String,
    /// The row.
    pub entity_id: i64,
    /// `create`, `update`, `retire`, `restore`, `link`, `pin`, …
    pub action: String,
    /// Why, when there is more to say.
    pub reason: Option<String>,
    /// Field → `{old, new}`.
    pub fields: Json,
}

/// A page of the feed.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The changes after the cursor, oldest first.
    pub changes: Vec<Unredacted<Change>>,
    /// What to send as `since` next time.
    pub cursor: i64,
    /// The same under its other name.
    pub since: i64,
    /// Whether more changes are already there.
    pub more: bool,
}

pub(super) const COLUMNS: &str =
    "seq, at, actor_kind, actor, source, run_id, entity, entity_id, action, reason, fields, batch_id";

pub(super) fn change(row: &Row) -> Result<Unredacted<Change>> {
    let text: String = row.get(10)?;
    let stored: Json = serde_json::from_str(&text).map_err(Error::internal)?;
    Ok(Unredacted::new(Change {
        seq: row.get(0)?,
        at: row.get(1)?,
        actor_kind: row.get(2)?,
        actor: row.get(3)?,
        source: row.get(4)?,
        run_id: row.get(5)?,
        entity: row.get(6)?,
        entity_id: row.get(7)?,
        action: row.get(8)?,
        reason: row.get(9)?,
        fields: named(stored),
        batch_id: row.get(11)?,
    }))
}

/// `[old, new]` as stored becomes `{"old": …, "new": …}` as shown.
fn named(stored: Json) -> Json {
    let Json::Object(map) = stored else { return stored };
    let named = map.into_iter().map(|(field, value)| match value {
        Json::Array(pair) if pair.len() == 2 => {
            let mut pair = pair.into_iter();
            (field, serde_json::json!({ "old": pair.next(), "new": pair.next() }))
        }
        other => (field, other),
    });
    Json::Object(named.collect())
}

/// The number of the last change.
///
/// # Errors
/// Those of the database.
pub fn head(c: &mut Conn) -> Result<i64> {
    c.one("SELECT version FROM head WHERE id = 1", &[])?.get(0)
}

/// When the last change was made.
///
/// # Errors
/// Those of the database.
pub fn newest(c: &mut Conn) -> Result<Option<String>> {
    c.first("SELECT at FROM changes ORDER BY seq DESC LIMIT 1", &[])?.map(|row| row.get(0)).transpose()
}

/// So few changes are looked through when only those of some kinds are wanted.
const NEAR: i64 = 2_000;

/// The changes after `since`, or from the oldest on; oldest first, at most `limit`; of these entity kinds and of this row
/// when given. A reader that follows `cursor` never misses a change.
///
/// # Errors
/// `Gone`, with `start`, when changes up to the cursor were lost with the database that this one, restored from a backup,
/// took the place of; when it is ahead of this database; or when changes after it were removed: read the records again, and
/// follow from `start` on.
pub fn after(c: &mut Conn, since: Option<i64>, kinds: &[String], row: Option<(&str, Option<i64>)>, limit: i64) -> Result<Feed> {
    let head = head(c)?;
    let kept = retention::kept(c)?;
    let start = kept.after;
    let since = since.unwrap_or(start);
    let gone = |start: i64, message: String| {
        let mut details = serde_json::Map::new();
        details.insert("start".to_owned(), start.into());
        Err(Error::Gone { message, details })
    };
    if since > head {
        return gone(start, format!("cursor {since} is ahead of this database ({head}); start again from {start}"));
    }
    if let Some(until) = lost_until(c, since)? {
        let message = format!(
            "change {since} was lost when the database was restored from a backup: read the records themselves, and follow from {until} on"
        );
        return gone(until, message);
    }
    if let Some(edge) = kept.since.filter(|_| since < start) {
        let message = format!("changes before {edge} were removed: read the records themselves, and follow from {start} on");
        return gone(start, message);
    }
    let mut params = vec![Value::from(since)];
    let mut wheres = vec!["seq > ?1".to_owned()];
    if !kinds.is_empty() {
        let places: Vec<String> = kinds
            .iter()
            .map(|kind| {
                params.push(kind.into());
                format!("?{}", params.len())
            })
            .collect();
        // Near the end the few changes that are left are looked through; the index would give all of these kinds.
        let entity = if head - since < NEAR { "(entity || '')" } else { "entity" };
        wheres.push(format!("{entity} IN ({})", places.join(", ")));
    }
    if let Some((entity, id)) = row {
        params.push(entity.into());
        wheres.push(format!("entity = ?{}", params.len()));
        if let Some(id) = id {
            params.push(id.into());
            wheres.push(format!("entity_id = ?{}", params.len()));
        }
    }
    params.push((limit + 1).into());
    let sql = format!("SELECT {COLUMNS} FROM changes WHERE {} ORDER BY seq LIMIT ?{}", wheres.join(" AND "), params.len());
    let mut changes = c.all(&sql, &params)?.iter().map(change).collect::<Result<Vec<_>>>()?;
    let more = i64::try_from(changes.len()).unwrap_or(i64::MAX) > limit;
    if more {
        changes.pop();
    }
    // Without more, everything up to the head was looked at, also what the filters left out.
    let cursor = if more { changes.last().map_or(since, |last| last.inside().seq) } else { head };
    Ok(Feed { changes, cursor, since: cursor, more })
}

/// Where to go on after a number that was given to a change which a restored database does not have.
fn lost_until(c: &mut Conn, seq: i64) -> Result<Option<i64>> {
    let sql = "SELECT until FROM feed_gaps WHERE after < ?1 AND until > ?1 ORDER BY until DESC LIMIT 1";
    c.first(sql, params![seq])?.map(|row| row.get(0)).transpose()
}

/// The number behind which the newest changes stand, so many of them; 0 when there are no more than those.
///
/// # Errors
/// Those of the database.
pub fn before_newest(c: &mut Conn, count: i64) -> Result<i64> {
    let found = c.first("SELECT seq FROM changes ORDER BY seq DESC LIMIT 1 OFFSET ?1", params![count])?;
    Ok(found.map(|row| row.get(0)).transpose()?.unwrap_or_default())
}

/// Which change it was, without what it says.
#[derive(Clone, Debug)]
pub struct Trace {
    pub seq: i64,
    pub entity: String,
    pub entity_id: i64,
    pub action: String,
}

impl From<&Change> for Trace {
    fn from(change: &Change) -> Self {
        let Change { seq, entity, entity_id, action, .. } = change;
        Self { seq: *seq, entity: entity.clone(), entity_id: *entity_id, action: action.clone() }
    }
}

/// The changes from one to another, oldest first, at most so many: of these kinds of records, and of these actions when given.
pub fn between(
    c: &mut Conn,
    (from, to): (i64, i64),
    kinds: &[String],
    actions: Option<&[String]>,
    limit: i64,
) -> Result<Vec<Trace>> {
    let mut params = params![from, to, limit].to_vec();
    let mut wheres = vec!["seq BETWEEN ?1 AND ?2".to_owned()];
    for (column, wanted) in [("entity", Some(kinds)), ("action", actions)] {
        let Some(wanted) = wanted else { continue };
        let first = params.len() + 1;
        params.extend(wanted.iter().map(Value::from));
        let places: Vec<String> = (first..=params.len()).map(|place| format!("?{place}")).collect();
        wheres.push(format!("{column} IN ({})", places.join(", ")));
    }
    let sql = format!("SELECT seq, entity, entity_id, action FROM changes WHERE {} ORDER BY seq LIMIT ?3", wheres.join(" AND "));
    c.map(&sql, &params, |row| Ok(Trace { seq: row.get(0)?, entity: row.get(1)?, entity_id: row.get(2)?, action: row.get(3)? }))
}

/// Rows that are parts of others, whose changes belong to the whole's history too: whole, condition.
const PARTS: &[(&str, &str)] = &[(
    "company",
    "entity = 'location' AND entity_id IN (SELECT location.id FROM @locations location WHERE location.company_id IN ids(?2))",
)];

/// One row's changes, those of its parts, and those of the rows that were merged into it, newest first.
pub fn of(c: &mut Conn, entity: &str, id: i64, limit: i64) -> Result<Vec<Unredacted<Change>>> {
    let own = "entity = ?1 AND entity_id IN ids(?2)";
    let parts = PARTS.iter().filter(|(whole, _)| *whole == entity).map(|(_, rows)| *rows);
    let rows = std::iter::once(own).chain(parts).collect::<Vec<_>>().join(" OR ");
    let sql = format!("SELECT {COLUMNS} FROM changes WHERE {rows} ORDER BY seq DESC LIMIT ?3");
    let ids = merges::family(c, entity, id)?;
    c.all(&sql, params![entity, ids, limit])?.iter().map(change).collect()
}

/// One change.
///
/// # Errors
/// `NotFound`.
pub fn get(c: &mut Conn, seq: i64) -> Result<Unredacted<Change>> {
    let row = c.first(&format!("SELECT {COLUMNS} FROM changes WHERE seq = ?1"), params![seq])?;
    row.as_ref().map(change).transpose()?.ok_or(Error::NotFound { what: "Change" })
}

/// The changes of a sync run before `seq`, newest first.
pub fn of_run(c: &mut Conn, run: i64, before: i64, limit: i64) -> Result<Vec<Unredacted<Change>>> {
    let sql = format!("SELECT {COLUMNS} FROM changes WHERE run_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3");
    c.all(&sql, params![run, before, limit])?.iter().map(change).collect()
}

/// Which changes somebody looks for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// By whom: the whole name.
    pub actor: Option<String>,
    /// Of which kind of record.
    pub entity: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// On this day or before, as `2026-11-21`.
    pub until: Option<String>,
}

/// The changes before `seq` that are wanted, newest first.
pub fn before(c: &mut Conn, seq: i64, wanted: &Wanted, limit: i64) -> Result<Vec<Unredacted<Change>>> {
    let mut params = params![seq, limit].to_vec();
    let mut wheres = vec!["seq < ?1".to_owned()];
    // Every moment of a day is before the day with a letter behind it.
    let until = wanted.until.as_ref().map(|day| format!("{day}U"));
    for (test, value) in
        [("actor =", &wanted.actor), ("entity =", &wanted.entity), ("action =", &wanted.action), ("at <", &until)]
    {
        if let Some(value) = value {
            params.push(value.into());
            wheres.push(format!("{test} ?{}", params.len()));
        }
    }
    let sql = format!("SELECT {COLUMNS} FROM changes WHERE {} ORDER BY seq DESC LIMIT ?2", wheres.join(" AND "));
    c.all(&sql, &params)?.iter().map(change).collect()
}

/// The changes of a batch, newest first, at most so many.
pub fn of_batch(c: &mut Conn, batch: i64, limit: i64) -> Result<Vec<Unredacted<Change>>> {
    let sql = format!("SELECT {COLUMNS} FROM changes WHERE batch_id = ?1 ORDER BY seq DESC LIMIT ?2");
    c.all(&sql, params![batch, limit])?.iter().map(change).collect()
}

/// The first changes of a batch, in their order, without what only pins a field.
pub fn first_of_batch(c: &mut Conn, batch: i64, limit: i64) -> Result<Vec<Unredacted<Change>>> {
    let sql =
        format!("SELECT {COLUMNS} FROM changes WHERE batch_id = ?1 AND action NOT IN ('pin', 'unpin') ORDER BY seq LIMIT ?2");
    c.all(&sql, params![batch, limit])?.iter().map(change).collect()
}

/// How many changes of a sync run there are, by kind of row and action.
pub fn tally_of_run(c: &mut Conn, run: i64) -> Result<Vec<(String, String, i64)>> {
    let sql = "SELECT entity, action, COUNT(*) FROM changes WHERE run_id = ?1 GROUP BY entity, action ORDER BY entity, action";
    c.all(sql, params![run])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

/// Where a value came from.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, utoipa::ToSchema)]
pub struct Origin {
    /// The vendor when a sync set it, otherwise the kind of hand (`user`, `import`, …).
    pub source: String,
    pub actor: String,
    pub at: String,
    /// Which sync run.
    pub run_id: Option<i64>,
}

/// For each field of a row, the last change that set it.
pub fn origins(c: &mut Conn, entity: &str, id: i64) -> Result<BTreeMap<String, Origin>> {
    let sql = "SELECT actor_kind, actor, source, at, run_id, fields FROM changes
               WHERE entity = ?1 AND entity_id = ?2 AND action IN ('create', 'update') ORDER BY seq DESC";
    let mut origins = BTreeMap::new();
    for row in c.all(sql, params![entity, id])? {
        let text: String = row.get(5)?;
        let fields: serde_json::Map<String, Json> = serde_json::from_str(&text).map_err(Error::internal)?;
        for field in fields.into_iter().map(|(field, _)| field) {
            if let Entry::Vacant(free) = origins.entry(field) {
                let kind: String = row.get(0)?;
                let source: Option<String> = row.get(2)?;
                let origin = Origin { source: source.unwrap_or(kind), actor: row.get(1)?, at: row.get(3)?, run_id: row.get(4)? };
                free.insert(origin);
            }
        }
    }
    Ok(origins)
}
