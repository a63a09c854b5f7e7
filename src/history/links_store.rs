//! Which row here is which record of another system.

use super::protection_store as protection;
use crate::{
    db::{Conn, Write},
    error::Result,
    params,
    types::now,
};

/// One link of a row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    let sql = "SELECT system, external_id FROM links WHERE entity = ?1 AND entity_id = ?2
               ORDER BY system, is_merged, external_id";
    let rows = c.all(sql, params![entity, id])?;
    rows.iter().map(|row| Ok(Link { system: row.get(0)?, external_id: row.get(1)? })).collect()
}

/// Every link of an entity kind to one system, as (external id, row id); of a row that is several records, the one that
/// speaks for it first.
pub fn all(c: &mut Conn, system: &str, entity: &str) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT external_id, entity_id FROM links WHERE system = ?1 AND entity = ?2
               ORDER BY entity_id, is_merged, external_id";
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
         ON CONFLICT (system, entity, external_id) DO UPDATE SET entity_id = excluded.entity_id, linked_at = excluded.linked_at,
             is_merged = excluded.is_merged",
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
    // What came with a merge speaks for the row once the record that did is gone.
    let next = "UPDATE links SET is_merged = ?4 WHERE system = ?1 AND entity = ?2 AND entity_id = ?3
                AND NOT EXISTS (SELECT 1 FROM links own WHERE own.system = ?1 AND own.entity = ?2 AND own.entity_id = ?3 AND own.is_merged = ?4)
                AND external_id = (SELECT min(other.external_id) FROM links other
                    WHERE other.system = ?1 AND other.entity = ?2 AND other.entity_id = ?3)";
    w.run(next, params![system, entity, id, false])?;
    let mut fields = serde_json::Map::new();
    fields.insert(format!("link:{system}"), serde_json::json!([external_id, null]));
    super::store::record_change(w, entity, id, "unlink", None, fields)?;
    Ok(true)
}

/// The links of a row that came with a merge and do not speak for it.
pub fn silent(c: &mut Conn, entity: &str, id: i64) -> Result<Vec<Link>> {
    let sql = "SELECT system, external_id FROM links WHERE entity = ?1 AND entity_id = ?2 AND is_merged = ?3
               ORDER BY system, external_id";
    let rows = c.all(sql, params![entity, id, true])?;
    rows.iter().map(|row| Ok(Link { system: row.get(0)?, external_id: row.get(1)? })).collect()
}

/// Says which of a row's links do not speak for it; of each of their systems the others do.
pub fn set_silent(w: &mut Write<'_>, entity: &str, id: i64, silent: &[Link]) -> Result<()> {
    let sql = "UPDATE links SET is_merged = ?4 WHERE system = ?1 AND entity = ?2 AND entity_id = ?3";
    for Link { system, .. } in silent {
        w.run(sql, params![system, entity, id, false])?;
    }
    for Link { system, external_id } in silent {
        w.run(&format!("{sql} AND external_id = ?5"), params![system, entity, id, true, external_id])?;
    }
    Ok(())
}

/// Lets the records that one row is be another row, because both are one. Of two records of one vendor, the one that was
/// there goes on to speak for the row.
pub fn hand_over(w: &mut Write<'_>, entity: &'static str, from: i64, to: i64) -> Result<()> {
    let mut known: Vec<String> = of(w, entity, to)?.into_iter().map(|link| link.system).collect();
    for Link { system, external_id } in of(w, entity, from)? {
        unlink(w, entity, from, &system, &external_id)?;
        link(w, entity, to, &system, &external_id)?;
        if known.contains(&system) {
            let sql = "UPDATE links SET is_merged = ?4 WHERE system = ?1 AND entity = ?2 AND external_id = ?3";
            w.run(sql, params![&system, entity, &external_id, true])?;
        }
        known.push(system);
    }
    Ok(())
}
