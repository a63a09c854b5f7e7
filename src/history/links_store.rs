//! Which row here is which record of another system.

use super::protection_store as protection;
use crate::{
    db::{Conn, Write},
    error::Result,
    params,
    types::now,
};

/// One link of a row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Link {
    /// The other system (`freshservice`, `datto`).
    pub system: String,
    /// The record's id there, as text: some exceed 2^53.
    pub external_id: String,
}

/// The row that a vendor's record is, if it is one.
pub fn find(c: &mut Conn, system: &str, entity: &str, external_id: &str) -> Result<Option<i64>> {
    let sql = "SELECT entity_id FROM links WHERE system = ?1 AND entity = ?2 AND external_id = ?3";
    c.first(sql, params![system, entity, external_id])?.map(|row| row.get(0)).transpose()
}

/// All links of one row.
pub fn of(c: &mut Conn, entity: &str, id: i64) -> Result<Vec<Link>> {
    let sql = "SELECT system, external_id FROM links WHERE entity = ?1 AND entity_id = ?2 ORDER BY system, external_id";
    let rows = c.all(sql, params![entity, id])?;
    rows.iter().map(|row| Ok(Link { system: row.get(0)?, external_id: row.get(1)? })).collect()
}

/// Every link of an entity kind to one system, as (external id, row id).
pub fn all(c: &mut Conn, system: &str, entity: &str) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT external_id, entity_id FROM links WHERE system = ?1 AND entity = ?2";
    let rows = c.all(sql, params![system, entity])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Whether any system feeds this row.
pub fn exists(c: &mut Conn, entity: &str, id: i64) -> Result<bool> {
    Ok(c.first("SELECT 1 FROM links WHERE entity = ?1 AND entity_id = ?2", params![entity, id])?.is_some())
}

/// Says that a row is a vendor's record; an existing link of that record moves here, and what protected the row that
/// was that record protects this one too.
pub fn link(w: &mut Write<'_>, entity: &'static str, id: i64, system: &str, external_id: &str) -> Result<()> {
    if let Some(former) = find(w, system, entity, external_id)? {
        protection::inherit(w, entity, former, id)?;
    }
    w.run(
        "INSERT INTO links (entity, entity_id, system, external_id, linked_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (system, entity, external_id) DO UPDATE SET entity_id = excluded.entity_id, linked_at = excluded.linked_at",
        params![entity, id, system, external_id, now()],
    )?;
    if entity == "contact" {
        protection::tells_of(w, &[id])?;
    }
    let mut fields = serde_json::Map::new();
    fields.insert(format!("link:{system}"), serde_json::json!([null, external_id]));
    super::store::record_change(w, entity, id, "link", None, fields)
}

/// Says that a row is no longer that record of the vendor; `false` when it was not.
pub fn unlink(w: &mut Write<'_>, entity: &'static str, id: i64, system: &str, external_id: &str) -> Result<bool> {
    let sql = "DELETE FROM links WHERE system = ?1 AND entity = ?2 AND external_id = ?3 AND entity_id = ?4";
    if w.run(sql, params![system, entity, external_id, id])? == 0 {
        return Ok(false);
    }
    let mut fields = serde_json::Map::new();
    fields.insert(format!("link:{system}"), serde_json::json!([external_id, null]));
    super::store::record_change(w, entity, id, "unlink", None, fields)?;
    Ok(true)
}
