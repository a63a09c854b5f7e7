//! Fields that a person has set and no sync may overwrite until a person says otherwise.

use super::store::record_change;
use crate::{
    db::{Conn, Write},
    error::Result,
    params,
    types::now,
};

/// The pin of a row that a person brought back: no sync retires it.
pub const LIFE: &str = "retired_at";

/// The names of a row's pinned fields, sorted.
pub fn fields(c: &mut Conn, entity: &str, id: i64) -> Result<Vec<String>> {
    let rows = c.all("SELECT field FROM pins WHERE entity = ?1 AND entity_id = ?2 ORDER BY field", params![entity, id])?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Every pin of an entity kind as (row id, field): what a plan needs at once.
pub fn all(c: &mut Conn, entity: &str) -> Result<Vec<(i64, String)>> {
    let rows = c.all("SELECT entity_id, field FROM pins WHERE entity = ?1", params![entity])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Pins a field; pinning it again changes nothing.
pub fn pin(w: &mut Write<'_>, entity: &'static str, id: i64, field: &str) -> Result<()> {
    let by = w.actor().name.clone();
    let added = w.run(
        "INSERT INTO pins (entity, entity_id, field, pinned_by, pinned_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (entity, entity_id, field) DO NOTHING",
        params![entity, id, field, by, now()],
    )?;
    if added > 0 { record(w, entity, id, "pin", field) } else { Ok(()) }
}

/// Lets syncs write a field again; `false` when it was not pinned.
pub fn unpin(w: &mut Write<'_>, entity: &'static str, id: i64, field: &str) -> Result<bool> {
    let gone = w.run("DELETE FROM pins WHERE entity = ?1 AND entity_id = ?2 AND field = ?3", params![entity, id, field])?;
    if gone > 0 {
        record(w, entity, id, "unpin", field)?;
    }
    Ok(gone > 0)
}

fn record(w: &mut Write<'_>, entity: &'static str, id: i64, action: &str, field: &str) -> Result<()> {
    let pinned = action == "pin";
    let mut fields = serde_json::Map::new();
    fields.insert(field.to_owned(), serde_json::json!({ "pinned": pinned }));
    record_change(w, entity, id, action, None, fields)
}
