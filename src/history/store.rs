//! The one path that all writes of domain rows take: the row, its search text, its pins and its trace
//! change together or not at all.

use serde_json::{Map, Value as Json, json};

use super::{
    links, pins, protection,
    record::{Record, told_of_secret},
};
use crate::{
    db::{Conn, Engine, Value, Write, pending},
    error::{Error, Result},
    params,
    types::{ActorKind, now},
};

/// What an update did.
#[derive(Clone, Debug)]
pub struct Updated<R> {
    /// The row as it is now.
    pub record: R,
    /// The fields that changed: name, old, new.
    pub changed: Vec<(&'static str, Json, Json)>,
    /// Fields that a sync would have changed but a person has pinned.
    pub kept_pins: Vec<&'static str>,
}

/// Finds a row within the connection's scope.
pub fn find<R: Record>(c: &mut Conn, id: i64) -> Result<Option<R>> {
    let sql = format!("SELECT {} FROM @{} {} WHERE {}.id = ?1", R::SELECT, R::TABLE, R::ENTITY, R::ENTITY);
    c.first(&sql, params![id])?.map(|row| R::from_row(&row, 0)).transpose()
}

/// Finds a row or fails with "… not found".
///
/// # Errors
/// `NotFound`.
pub fn get<R: Record>(c: &mut Conn, id: i64) -> Result<R> {
    find(c, id)?.ok_or(Error::NotFound { what: R::WHAT })
}

/// Adds a row (its `id`, times and `rev` are set here) and records its fields.
///
/// # Errors
/// `Constraint` for a value that another row has.
pub fn create<R: Record>(w: &mut Write<'_>, record: &R, reason: Option<&str>) -> Result<R> {
    insert(w, None, record, reason)
}

/// The same with an id that other programs know it by already. Whoever gives such ids calls [`Write::pass_ids`] afterwards.
///
/// # Errors
/// `Constraint` for an id or a value that another row has.
pub fn create_with_id<R: Record>(w: &mut Write<'_>, id: i64, record: &R, reason: Option<&str>) -> Result<R> {
    insert(w, Some(id), record, reason)
}

fn insert<R: Record>(w: &mut Write<'_>, id: Option<i64>, record: &R, reason: Option<&str>) -> Result<R> {
    let at = now();
    let mut columns: Vec<&str> = vec!["created_at", "updated_at"];
    let mut values = vec![Value::from(&at), Value::from(&at)];
    if let Some(id) = id {
        columns.push("id");
        values.push(id.into());
    }
    columns.extend(R::COLUMNS);
    values.extend(record.values());
    let derived = record.derived();
    for (column, value) in derived.iter().cloned() {
        columns.push(column);
        values.push(value);
    }
    let places: Vec<String> = (1..=values.len()).map(|n| format!("?{n}")).collect();
    let sql = format!("INSERT INTO {} ({}) VALUES ({}) RETURNING id", R::TABLE, columns.join(", "), places.join(", "));
    let id: i64 = w.one(&sql, &values)?.get(0)?;
    index::<R>(w, id, record, key_of(&derived), None)?;
    let stored = R::COLUMNS.iter().zip(record.values()).filter(|(_, value)| *value != Value::Null);
    let stored: Vec<_> = stored
        .map(|(column, value)| {
            let (old, new) = told::<R>(column, Json::Null, value.to_json());
            (*column, old, new)
        })
        .collect();
    protection::follow(w, R::ENTITY, id, &stored)?;
    let fields = stored.into_iter().map(|(column, old, new)| (column.to_owned(), json!([old, new]))).collect();
    note::<R>(w, id, "create", reason, fields)?;
    w.unscoped(|c| get(c, id))
}

/// Changes a row through `change`; writes nothing when nothing differs. `if_match` is the `rev` that
/// the caller has seen. A user's edit of a row that a vendor also feeds pins what changed; a sync
/// never changes a pinned field.
///
/// # Errors
/// `NotFound`, `PreconditionFailed`, those of `change`.
pub fn update<R: Record>(
    w: &mut Write<'_>,
    id: i64,
    if_match: Option<i64>,
    reason: Option<&str>,
    change: impl FnOnce(&mut R) -> Result<()>,
) -> Result<Updated<R>> {
    let mut change = Some(change);
    changed(w, id, if_match, reason, &mut |row| change.take().map_or(Ok(()), |change| change(row)))
}

/// The same for every `change` there is, so that it is compiled once for each kind of record.
fn changed<R: Record>(
    w: &mut Write<'_>,
    id: i64,
    if_match: Option<i64>,
    reason: Option<&str>,
    change: &mut dyn FnMut(&mut R) -> Result<()>,
) -> Result<Updated<R>> {
    let before: R = get(w, id)?;
    if if_match.is_some_and(|rev| rev != before.rev()) {
        return Err(Error::PreconditionFailed);
    }
    let mut after = before.clone();
    change(&mut after)?;
    let pinned = if w.actor().kind == ActorKind::Sync { pins::fields(w, R::ENTITY, id)? } else { Vec::new() };
    let mut changed = Vec::new();
    let mut kept_pins = Vec::new();
    let mut sets = Vec::new();
    let mut values = Vec::new();
    for ((column, old), new) in R::COLUMNS.iter().zip(before.values()).zip(after.values()) {
        if old == new {
            continue;
        }
        if pinned.iter().any(|field| field == column) {
            kept_pins.push(*column);
            continue;
        }
        if let (Value::Text(was), Value::Text(is)) = (&old, &new)
            && !protection::may_store(w, R::ENTITY, column, was, is)?
        {
            kept_pins.push(*column);
            continue;
        }
        let (before, after) = told::<R>(column, old.to_json(), new.to_json());
        changed.push((*column, before, after));
        values.push(new);
        sets.push(format!("{column} = ?{}", values.len()));
    }
    if changed.is_empty() {
        return Ok(Updated { record: before, changed, kept_pins });
    }
    // Computed columns follow from what is stored, not from what a pin held back.
    if !kept_pins.is_empty() {
        store_values::<R>(w, id, &sets, values)?;
        after = w.unscoped(|c| get(c, id))?;
        (sets, values) = (Vec::new(), Vec::new());
    }
    // An index is written anew for each of its columns that is named, whether it differs or not.
    let (stood, derived) = (before.derived(), after.derived());
    for (column, value) in derived.iter().filter(|pair| !stood.contains(*pair)) {
        values.push(value.clone());
        sets.push(format!("{column} = ?{}", values.len()));
    }
    let at = now();
    values.push((&at).into());
    sets.push(format!("updated_at = ?{}", values.len()));
    sets.push("rev = rev + 1".to_owned());
    store_values::<R>(w, id, &sets, values)?;
    after.stamp(before.rev() + 1, &at);
    index(w, id, &after, key_of(&derived), key_of(&stood))?;
    protection::follow(w, R::ENTITY, id, &changed)?;
    if w.actor().pins && links::exists(w, R::ENTITY, id)? {
        for (column, _, _) in &changed {
            pins::pin(w, R::ENTITY, id, column)?;
        }
    }
    let fields = changed.iter().map(|(column, old, new)| ((*column).to_owned(), json!([old, new]))).collect();
    // What a record belongs to is named by columns of ids.
    let moves = changed.iter().any(|(column, _, _)| column.ends_with("_id"));
    let seq = if moves { w.next_change(R::ENTITY)? } else { w.next_change_in_place(R::ENTITY)? };
    write_change(w, seq, (R::ENTITY, id), "update", reason, fields)?;
    Ok(Updated { record: after, changed, kept_pins })
}

/// What history tells of a column's two sides: of a secret only that it changed.
fn told<R: Record>(column: &str, old: Json, new: Json) -> (Json, Json) {
    if R::SECRETS.contains(&column) { told_of_secret(&old, &new) } else { (old, new) }
}

fn store_values<R: Record>(w: &mut Write<'_>, id: i64, sets: &[String], mut values: Vec<Value>) -> Result<()> {
    if sets.is_empty() {
        return Ok(());
    }
    values.push(id.into());
    let sql = format!("UPDATE {} SET {} WHERE id = ?{}", R::TABLE, sets.join(", "), values.len());
    w.run(&sql, &values).map(|_| ())
}

/// Takes a row out of lists, billing and exports; nothing is deleted.
///
/// # Errors
/// `NotFound`.
pub fn retire<R: Record>(w: &mut Write<'_>, id: i64, reason: Option<&str>) -> Result<R> {
    set_retired::<R>(w, id, true, reason)
}

/// Brings a retired row back, with the id it always had.
///
/// # Errors
/// `NotFound`.
pub fn restore<R: Record>(w: &mut Write<'_>, id: i64, reason: Option<&str>) -> Result<R> {
    set_retired::<R>(w, id, false, reason)
}

fn set_retired<R: Record>(w: &mut Write<'_>, id: i64, retire: bool, reason: Option<&str>) -> Result<R> {
    let before: R = get(w, id)?;
    if before.retired_at().is_some() == retire {
        return Ok(before);
    }
    let at = now();
    let sql = format!("UPDATE {} SET retired_at = ?1, updated_at = ?2, rev = rev + 1 WHERE id = ?3", R::TABLE);
    let retired_at = retire.then(|| at.clone());
    w.run(&sql, params![&retired_at, &at, id])?;
    let mut fields = Map::new();
    fields.insert("retired_at".to_owned(), json!([before.retired_at(), retired_at]));
    note::<R>(w, id, if retire { "retire" } else { "restore" }, reason, fields)?;
    // What a person brings back stays, whatever a vendor has lost, until they retire it or unpin this.
    if w.actor().pins && !retire && links::exists(w, R::ENTITY, id)? {
        pins::pin(w, R::ENTITY, id, pins::LIFE)?;
    } else if w.actor().pins && retire {
        pins::unpin(w, R::ENTITY, id, pins::LIFE)?;
    }
    w.unscoped(|c| get(c, id))
}

/// Records a change that is not a column of the row (a link, a pin, an assignment) and moves its `rev`.
pub fn record_link<R: Record>(w: &mut Write<'_>, id: i64, action: &str, fields: Map<String, Json>) -> Result<()> {
    let sql = format!("UPDATE {} SET updated_at = ?1, rev = rev + 1 WHERE id = ?2", R::TABLE);
    w.run(&sql, params![now(), id])?;
    note::<R>(w, id, action, None, fields)
}

fn note<R: Record>(w: &mut Write<'_>, id: i64, action: &str, reason: Option<&str>, fields: Map<String, Json>) -> Result<()> {
    record_change(w, R::ENTITY, id, action, reason, fields)
}

/// Records a change of something that has no [`Record`] (users, plans of syncs).
pub fn record_change(
    w: &mut Write<'_>,
    entity: &'static str,
    id: i64,
    action: &str,
    reason: Option<&str>,
    fields: Map<String, Json>,
) -> Result<()> {
    let seq = w.next_change(entity)?;
    write_change(w, seq, (entity, id), action, reason, fields)
}

fn write_change(
    w: &mut Write<'_>,
    seq: i64,
    (entity, id): (&'static str, i64),
    action: &str,
    reason: Option<&str>,
    fields: Map<String, Json>,
) -> Result<()> {
    let (actor, batch) = (w.actor(), w.batch());
    w.run(
        "INSERT INTO changes (seq, at, actor_kind, actor, source, run_id, entity, entity_id, action, reason, fields, batch_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            seq,
            now(),
            actor.kind.as_str(),
            &actor.name,
            &actor.source,
            actor.run_id,
            entity,
            id,
            action,
            reason,
            Json::Object(fields).to_string(),
            batch
        ],
    )
    .map(|_| ())
}

/// Whether whoever writes here made a row, and nobody else has changed anything of it since; not when part of its history was
/// removed, which could tell of somebody.
pub fn is_only_ours(w: &mut Write<'_>, entity: &str, id: i64) -> Result<bool> {
    let (kind, name) = (w.actor().kind.as_str(), w.actor().name.clone());
    let sql = "SELECT COUNT(CASE WHEN action = 'create' THEN 1 END), COUNT(CASE WHEN actor_kind <> ?3 OR actor <> ?4 THEN 1 END)
               FROM changes WHERE entity = ?1 AND entity_id = ?2";
    let row = w.one(sql, params![entity, id, kind, name])?;
    Ok(row.get::<i64>(0)? > 0 && row.get::<i64>(1)? == 0)
}

/// Whether somebody other than whoever writes here has taken something away from a row: a field had it before a change of theirs,
/// and not after it.
pub fn was_taken_away(w: &mut Write<'_>, entity: &str, id: i64, field: &str, has_it: impl Fn(&Json) -> bool) -> Result<bool> {
    let (kind, name) = (w.actor().kind.as_str(), w.actor().name.clone());
    let sql = "SELECT fields FROM changes WHERE entity = ?1 AND entity_id = ?2 AND (actor_kind <> ?3 OR actor <> ?4)";
    for fields in w.map(sql, params![entity, id, kind, name], |row| row.get::<String>(0))? {
        let fields: Json = serde_json::from_str(&fields).map_err(Error::internal)?;
        let sides = &fields[field];
        if has_it(&sides[0]) && !has_it(&sides[1]) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The search key among the computed columns.
fn key_of<'a>(derived: &'a [(&'static str, Value)]) -> Option<&'a Value> {
    derived.iter().find(|(column, _)| *column == "search_text").map(|(_, key)| key)
}

/// Keeps the private search key and SQLite's trigram index in step; PostgreSQL indexes the columns themselves. A new row had no
/// key.
fn index<R: Record>(w: &mut Write<'_>, id: i64, after: &R, key: Option<&Value>, stood: Option<&Value>) -> Result<()> {
    if key.is_none() {
        return Ok(());
    }
    // The id of a new row is not in the record yet.
    let private = match stood {
        _ if !R::PRIVATE => None,
        Some(_) => after.private(w)?,
        None => w.unscoped(|c| get::<R>(c, id))?.private(w)?,
    };
    let moved = store_private::<R>(w, id, private.as_deref())?;
    if key == stood && !moved { Ok(()) } else { found_anew::<R>(w, id) }
}

fn store_private<R: Record>(w: &mut Write<'_>, id: i64, private: Option<&str>) -> Result<bool> {
    let Some(private) = private else { return Ok(false) };
    let sql = format!("UPDATE {} SET private_text = ?2 WHERE id = ?1 AND private_text <> ?2", R::TABLE);
    Ok(w.run(&sql, params![id, private])? > 0)
}

/// Makes the private search key anew after something beside the row has changed that it is found by.
///
/// # Errors
/// `NotFound`.
pub fn reindex<R: Record>(w: &mut Write<'_>, id: i64) -> Result<()> {
    let private = w.unscoped(|c| get::<R>(c, id))?.private(w)?;
    if store_private::<R>(w, id, private.as_deref())? { found_anew::<R>(w, id) } else { Ok(()) }
}

/// Lets a row be found by its keys as they are now, sooner or later in SQLite's trigram index.
fn found_anew<R: Record>(w: &mut Write<'_>, id: i64) -> Result<()> {
    if pending::note(w, R::TABLE, id)? { Ok(()) } else { refresh::<R>(w, id) }
}

/// Puts a row's keys into SQLite's trigram index, in place of those before.
fn refresh<R: Record>(w: &mut Write<'_>, id: i64) -> Result<()> {
    if w.engine() == Engine::Postgres {
        return Ok(());
    }
    let table = R::TABLE;
    let columns = if R::PRIVATE { "search_text, private_text" } else { "search_text" };
    w.run(&format!("DELETE FROM {table}_fts WHERE rowid = ?1"), params![id])?;
    let sql = format!("INSERT INTO {table}_fts (rowid, {columns}) SELECT id, {columns} FROM {table} WHERE id = ?1");
    w.run(&sql, params![id]).map(|_| ())
}

/// Makes the keys of the next rows after this id anew, for a program that makes them differently; the last
/// of them, if there were any. Nothing that anybody sees changes, so there is no history of it.
pub fn rekey<R: Record>(w: &mut Write<'_>, after: i64, limit: i64) -> Result<Option<i64>> {
    let sql = format!(
        "SELECT {} FROM @{} {} WHERE {}.id > ?1 ORDER BY {}.id LIMIT ?2",
        R::SELECT,
        R::TABLE,
        R::ENTITY,
        R::ENTITY,
        R::ENTITY
    );
    let rows: Vec<R> = w.all(&sql, params![after, limit])?.iter().map(|row| R::from_row(row, 0)).collect::<Result<_>>()?;
    for record in &rows {
        let (mut sets, mut values) = (Vec::new(), Vec::new());
        for (column, value) in record.derived() {
            values.push(value);
            sets.push(format!("{column} = ?{}", values.len()));
        }
        store_values::<R>(w, record.id(), &sets, values)?;
        let private = record.private(w)?;
        store_private::<R>(w, record.id(), private.as_deref())?;
        refresh::<R>(w, record.id())?;
    }
    w.touch(R::ENTITY);
    Ok(rows.last().map(Record::id))
}
