//! The outbox in the database. Entries are added inside the transaction that decides them, and marked as
//! under way before their request leaves.

use serde_json::Value;

use super::model::{Entry, Operation, State, Values, Write as Wish};
use crate::{
    db::{Conn, Row, Value as Cell, Write},
    error::{Error, Result},
    history::Unredacted,
    params,
    types::{now, now_plus},
};

/// Longer than any entry is put off: one that is due later was put off before the clock was set back.
const FAR: i64 = 600;

const COLUMNS: &str = "id, system, operation, target, entity, entity_id, label, reason, wanted, expected, seen_before, found, \
                       state, attempts, next_at, error, run_id, created_at, created_by, sent_at, settled_at, decided_by";

fn entry(row: &Row) -> Result<Entry> {
    let unknown = || Error::internal("an outbox entry holds a word that this program does not know");
    Ok(Entry {
        id: row.get(0)?,
        system: row.get(1)?,
        operation: Operation::parse(&row.get::<String>(2)?).ok_or_else(unknown)?,
        target: row.get(3)?,
        entity: row.get(4)?,
        entity_id: row.get(5)?,
        label: row.get(6)?,
        reason: row.get(7)?,
        wanted: values(row.get(8)?)?.unwrap_or_default(),
        expected: values(row.get(9)?)?,
        seen_before: values(row.get(10)?)?,
        found: values(row.get(11)?)?,
        state: State::parse(&row.get::<String>(12)?).ok_or_else(unknown)?,
        attempts: row.get(13)?,
        next_at: row.get(14)?,
        error: row.get(15)?,
        run_id: row.get(16)?,
        created_at: row.get(17)?,
        created_by: row.get(18)?,
        sent_at: row.get(19)?,
        settled_at: row.get(20)?,
        decided_by: row.get(21)?,
    })
}

fn values(text: Option<String>) -> Result<Option<Values>> {
    text.map(|text| serde_json::from_str(&text).map_err(Error::internal)).transpose()
}

fn text(values: &Values) -> String {
    Value::Object(values.clone()).to_string()
}

/// Adds an entry, or gives an entry that waits for the same place its new value. One that is under way
/// with this very value is that entry. Returns the entry's id.
pub fn enqueue(w: &mut Write<'_>, wish: &Wish) -> Result<i64> {
    let dedup = wish.dedup();
    let wanted = text(&wish.wanted);
    let under_way = "SELECT id FROM outbox WHERE dedup = ?1 AND wanted = ?2 AND state IN ('sending', 'unknown')";
    if let Some(row) = w.first(under_way, params![&dedup, &wanted])? {
        return row.get(0);
    }
    let by = w.actor().name.clone();
    let (state, settled_at) = if wish.conflict.is_some() { (State::Conflict, Some(now())) } else { (State::Pending, None) };
    let why = wish.conflict.as_ref().map(|_| "the vendor has another value; approve it to overwrite that".to_owned());
    let row = [
        Cell::from(wish.operation.system()),
        wish.operation.as_str().into(),
        (&wish.target).into(),
        (&dedup).into(),
        wish.entity.map(|(entity, _)| entity).into(),
        wish.entity.map(|(_, id)| id).into(),
        (&wish.label).into(),
        (&wish.reason).into(),
        (&wanted).into(),
        wish.expected.as_ref().map(text).into(),
        wish.conflict.as_ref().map(text).into(),
        state.as_str().into(),
        now().into(),
        why.into(),
        wish.run_id.into(),
        by.into(),
        settled_at.into(),
    ];
    let waiting = "SELECT id FROM outbox WHERE dedup = ?1 AND state IN ('pending', 'conflict', 'failed')";
    if let Some(found) = w.first(waiting, params![&dedup])? {
        let id: i64 = found.get(0)?;
        let sql =
            "UPDATE outbox SET system = ?1, operation = ?2, target = ?3, dedup = ?4, entity = ?5, entity_id = ?6, label = ?7,
                   reason = ?8, wanted = ?9, expected = ?10, found = ?11, state = ?12, next_at = ?13, error = ?14, run_id = ?15,
                   created_by = ?16, settled_at = ?17, created_at = ?13, attempts = 0, seen_before = NULL WHERE id = ?18";
        w.run(sql, &[row.as_slice(), &[id.into()]].concat())?;
        return Ok(id);
    }
    let sql = "INSERT INTO outbox (system, operation, target, dedup, entity, entity_id, label, reason, wanted, expected, found,
               state, next_at, error, run_id, created_by, settled_at, created_at, attempts)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?13, 0) RETURNING id";
    w.one(sql, &row)?.get(0)
}

fn unredacted(row: &Row) -> Result<Unredacted<Entry>> {
    entry(row).map(Unredacted::new)
}

/// One entry.
///
/// # Errors
/// `NotFound`.
pub fn get(c: &mut Conn, id: i64) -> Result<Unredacted<Entry>> {
    let row = c.first(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1"), params![id])?;
    row.as_ref().map(unredacted).transpose()?.ok_or(Error::NotFound { what: "Outbox entry" })
}

/// These entries, by id.
pub fn these(c: &mut Conn, ids: Vec<i64>) -> Result<Vec<Unredacted<Entry>>> {
    c.all(&format!("SELECT {COLUMNS} FROM outbox WHERE id IN ids(?1) ORDER BY id"), params![ids])?
        .iter()
        .map(unredacted)
        .collect()
}

/// The newest entries: those in this state, or, without one, all that are not over and then the rest.
pub fn list(c: &mut Conn, state: Option<State>, limit: i64) -> Result<Vec<Unredacted<Entry>>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox WHERE (CAST(?1 AS TEXT) IS NULL OR state = ?1)
         ORDER BY CASE WHEN state IN ('done', 'discarded') THEN 1 ELSE 0 END, id DESC LIMIT ?2"
    );
    c.all(&sql, params![state.map(State::as_str), limit])?.iter().map(unredacted).collect()
}

/// The entries of one of our rows that are not over, and when each is not, why.
pub fn open_of(c: &mut Conn, kind: &str, id: i64) -> Result<Vec<Unredacted<Entry>>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox WHERE entity = ?1 AND entity_id = ?2 AND state NOT IN ('done', 'discarded') ORDER BY id"
    );
    c.all(&sql, params![kind, id])?.iter().map(unredacted).collect()
}

/// How many entries are in each state, of those that are not over.
pub fn counts(c: &mut Conn) -> Result<Vec<(State, i64)>> {
    let sql = "SELECT state, COUNT(*) FROM outbox WHERE state NOT IN ('done', 'discarded') GROUP BY state ORDER BY state";
    let rows = c.all(sql, &[])?;
    let read = |row: &Row| Ok(State::parse(&row.get::<String>(0)?).zip(Some(row.get(1)?)));
    rows.iter().filter_map(|row| read(row).transpose()).collect()
}

/// What of an operation is not settled and waits for no person: what an interrupted run may have left.
pub fn unsettled(c: &mut Conn, operation: Operation) -> Result<Vec<i64>> {
    let sql = "SELECT id FROM outbox WHERE operation = ?1 AND state IN ('pending', 'sending', 'unknown') ORDER BY id";
    c.all(sql, params![operation.as_str()])?.iter().map(|row| row.get(0)).collect()
}

/// The vendor's ids of the notes of ours that a ticket is known to have.
pub fn notes(c: &mut Conn, ticket: &str) -> Result<Vec<String>> {
    let sql = "SELECT found FROM outbox WHERE operation = 'ticket_note' AND target = ?1 AND state = 'done' AND found IS NOT NULL";
    let id = |row: &Row| Ok(values(row.get(0)?)?.and_then(|found| found.get("id").and_then(Value::as_str).map(str::to_owned)));
    c.all(sql, params![ticket])?.iter().filter_map(|row| id(row).transpose()).collect()
}

/// Drops what waits for a person about a record: the vendor has by now what was wanted.
pub fn withdraw(c: &mut Conn, operation: Operation, target: &str) -> Result<()> {
    let sql = "UPDATE outbox SET state = 'discarded', settled_at = ?1, error = 'the vendor has what is wanted by now'
               WHERE operation = ?2 AND target = ?3 AND state IN ('conflict', 'failed')";
    c.run(sql, params![now(), operation.as_str(), target])?;
    Ok(())
}

/// The next entry to be looked after, oldest first: one that is due, or one of these. One that waits behind another for the same place is
/// not next.
pub fn next_due(c: &mut Conn, after: i64, only: Option<Vec<i64>>) -> Result<Option<Entry>> {
    let blocked = "NOT (state = 'pending' AND EXISTS (SELECT 1 FROM outbox other WHERE other.dedup = outbox.dedup
                   AND other.state IN ('sending', 'unknown')))";
    let open = "state IN ('pending', 'sending', 'unknown')";
    let select = format!("SELECT {COLUMNS} FROM outbox WHERE id > ?1 AND {blocked}");
    let row = match only {
        None => {
            let due = "(next_at <= ?2 OR next_at > ?3)";
            c.first(&format!("{select} AND {open} AND {due} ORDER BY id LIMIT 1"), params![after, now(), now_plus(FAR)])?
        }
        Some(ids) => c.first(&format!("{select} AND {open} AND id IN ids(?2) ORDER BY id LIMIT 1"), params![after, ids])?,
    };
    row.as_ref().map(entry).transpose()
}

/// How many entries are due.
pub fn due(c: &mut Conn) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM outbox WHERE state IN ('pending', 'sending', 'unknown') AND (next_at <= ?1 OR next_at > ?2)";
    c.one(sql, params![now(), now_plus(FAR)])?.get(0)
}

/// Marks an entry as under way; `false` when it is no more what was read (a person decided meanwhile).
pub fn claim(c: &mut Conn, read: &Entry, before: &Values) -> Result<bool> {
    let sql = "UPDATE outbox SET state = 'sending', seen_before = ?1, sent_at = ?2, attempts = attempts + 1, error = NULL
               WHERE id = ?3 AND state = ?4 AND attempts = ?5 AND wanted = ?6";
    let params = params![text(before), now(), read.id, read.state.as_str(), read.attempts, text(&read.wanted)];
    Ok(c.run(sql, params)? == 1)
}

/// Nobody heard how the request ended.
pub fn wonder(c: &mut Conn, id: i64, why: &str) -> Result<()> {
    c.run("UPDATE outbox SET state = 'unknown', error = ?1 WHERE id = ?2 AND state = 'sending'", params![why, id])?;
    Ok(())
}

/// Not now: asks again in so many seconds. What may have left stays a question.
pub fn postpone(c: &mut Conn, id: i64, seconds: i64, why: &str) -> Result<()> {
    let sql = "UPDATE outbox SET next_at = ?1, error = ?2,
               state = CASE WHEN state = 'sending' THEN 'unknown' ELSE state END WHERE id = ?3";
    c.run(sql, params![now_plus(seconds), why, id])?;
    Ok(())
}

/// The request certainly did nothing: the entry waits again, unless a later one for the same place does.
pub fn put_back(c: &mut Conn, id: i64, seconds: i64, why: &str) -> Result<()> {
    if give_way(c, id)? {
        return Ok(());
    }
    let sql = "UPDATE outbox SET state = 'pending', next_at = ?1, error = ?2, attempts = attempts - 1 WHERE id = ?3 AND state = 'sending'";
    c.run(sql, params![now_plus(seconds), why, id])?;
    Ok(())
}

/// Says how an entry ended, or why a person has to decide.
pub fn mark(c: &mut Conn, id: i64, state: State, found: Option<&Values>, error: Option<&str>) -> Result<()> {
    if state.waits_for_person() && give_way(c, id)? {
        return Ok(());
    }
    let sql = "UPDATE outbox SET state = ?1, settled_at = ?2, found = ?3, error = ?4 WHERE id = ?5";
    c.run(sql, params![state.as_str(), now(), found.map(text), error, id])?;
    Ok(())
}

/// An entry under way that would wait again makes room for a later one that waits already.
fn give_way(c: &mut Conn, id: i64) -> Result<bool> {
    let sql = "SELECT later.id FROM outbox entry JOIN outbox later ON later.dedup = entry.dedup AND later.id <> entry.id
               WHERE entry.id = ?1 AND entry.state IN ('sending', 'unknown') AND later.state IN ('pending', 'conflict', 'failed')";
    let Some(row) = c.first(sql, params![id])? else { return Ok(false) };
    let later: i64 = row.get(0)?;
    let sql = "UPDATE outbox SET state = 'discarded', settled_at = ?1, error = ?2 WHERE id = ?3";
    c.run(sql, params![now(), format!("entry {later} took its place"), id])?;
    Ok(true)
}

/// A person wants an entry sent (again). With `overwrite`, whatever the vendor has now.
///
/// # Errors
/// `Conflict` when it does not wait for a person; `NotFound`.
pub fn retry(w: &mut Write<'_>, id: i64, overwrite: bool) -> Result<Unredacted<Entry>> {
    let known = get(w, id)?;
    let entry = known.inside();
    match entry.state {
        State::Conflict if !overwrite => {
            return Err(Error::conflict(format!("entry {id}: the vendor has another value; approve it to overwrite that")));
        }
        State::Conflict | State::Failed | State::Pending => {}
        State::Sending | State::Unknown => {
            return Err(Error::conflict(format!("entry {id} is under way; the next delivery asks the vendor how it ended")));
        }
        State::Done | State::Discarded => return Err(Error::conflict(format!("entry {id} is {}", entry.state.as_str()))),
    }
    // What was shown is what is approved: should the vendor have a third value by then, it is asked again.
    let expected = if overwrite { entry.found.as_ref().or(entry.expected.as_ref()) } else { entry.expected.as_ref() };
    let sql = "UPDATE outbox SET state = 'pending', attempts = 0, next_at = ?1, expected = ?2, decided_by = ?3, error = NULL,
               settled_at = NULL WHERE id = ?4";
    let by = w.actor().name.clone();
    w.run(sql, params![now(), expected.map(text), by, id])?;
    get(w, id)
}

/// A person decides against an entry.
///
/// # Errors
/// `Conflict` when it is over, or under way; `NotFound`.
pub fn discard(w: &mut Write<'_>, id: i64) -> Result<Unredacted<Entry>> {
    let known = get(w, id)?;
    let entry = known.inside();
    if entry.state.is_over() {
        return Err(Error::conflict(format!("entry {id} is {}", entry.state.as_str())));
    }
    if entry.state == State::Sending {
        return Err(Error::conflict(format!("entry {id} is under way; decide when that has ended")));
    }
    let by = w.actor().name.clone();
    let sql = "UPDATE outbox SET state = 'discarded', settled_at = ?1, decided_by = ?2 WHERE id = ?3";
    w.run(sql, params![now(), by, id])?;
    get(w, id)
}

/// Removes entries that were over before a moment, at most so many; how many went.
pub fn remove(c: &mut Conn, before: &str, limit: i64) -> Result<u64> {
    let sql = "DELETE FROM outbox WHERE id IN
               (SELECT id FROM outbox WHERE state IN ('done', 'discarded') AND settled_at < ?1 ORDER BY id LIMIT ?2)";
    c.run(sql, params![before, limit])
}
