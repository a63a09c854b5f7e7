//! The review list in the database.

use super::{Entry, Raised};
use crate::{
    db::{Conn, Row, Write},
    error::{Error, Result},
    params,
    types::now,
};

const COLUMNS: &str = "id, system, kind, external_id, label, reason, candidates, state, decision, decided_by, decided_at,
    created_at, updated_at, (SELECT link.entity_id FROM links link
    WHERE link.entity = 'asset' AND link.system = item.system AND link.external_id = item.external_id)";

fn entry(row: &Row) -> Result<Entry> {
    let candidates: String = row.get(6)?;
    Ok(Entry {
        id: row.get(0)?,
        system: row.get(1)?,
        kind: row.get(2)?,
        external_id: row.get(3)?,
        label: row.get(4)?,
        reason: row.get(5)?,
        candidates: serde_json::from_str(&candidates).map_err(Error::internal)?,
        state: row.get(7)?,
        decision: row.get(8)?,
        decided_by: row.get(9)?,
        decided_at: row.get(10)?,
        created_at: row.get(11)?,
        updated_at: row.get(12)?,
        asset: row.get(13)?,
    })
}

/// Puts something into the list, or brings what is there up to date. Writes nothing when nothing
/// differs, and leaves alone what a person has decided. Says whether it wrote.
pub fn raise(w: &mut Write<'_>, raised: &Raised) -> Result<bool> {
    let sql = format!("SELECT {COLUMNS} FROM @review_items item WHERE system = ?1 AND kind = ?2 AND external_id = ?3");
    let known = w.first(&sql, params![raised.system, raised.kind, &raised.external_id])?.as_ref().map(entry).transpose()?;
    let candidates = serde_json::to_string(&raised.candidates).map_err(Error::internal)?;
    match known {
        None => {
            let sql =
                "INSERT INTO review_items (system, kind, external_id, label, reason, candidates, state, created_at, updated_at)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', ?7, ?7)";
            let (system, kind) = (raised.system, raised.kind);
            w.run(sql, params![system, kind, &raised.external_id, &raised.label, &raised.reason, candidates, now()])?;
        }
        Some(entry) if matches!(entry.state.as_str(), "linked" | "ignored") => return Ok(false),
        Some(entry) => {
            let same = entry.label == raised.label && entry.reason == raised.reason && entry.candidates == raised.candidates;
            if same && entry.state == "open" {
                return Ok(false);
            }
            let sql =
                "UPDATE review_items SET label = ?1, reason = ?2, candidates = ?3, state = 'open', updated_at = ?4 WHERE id = ?5";
            w.run(sql, params![&raised.label, &raised.reason, candidates, now(), entry.id])?;
        }
    }
    w.touch("review");
    Ok(true)
}

/// Opens a decided entry again: what it was decided about has changed.
pub fn reopen(w: &mut Write<'_>, system: &str, kind: &str, external_id: &str) -> Result<()> {
    let sql = "UPDATE review_items SET state = 'open', updated_at = ?1
               WHERE system = ?2 AND kind = ?3 AND external_id = ?4 AND state <> 'open'";
    if w.run(sql, params![now(), system, kind, external_id])? > 0 {
        w.touch("review");
    }
    Ok(())
}

/// Says that an open entry has become clear by itself.
pub fn close(w: &mut Write<'_>, system: &str, kind: &str, external_id: &str) -> Result<()> {
    let sql = "UPDATE review_items SET state = 'settled', updated_at = ?1
               WHERE system = ?2 AND kind = ?3 AND external_id = ?4 AND state = 'open'";
    if w.run(sql, params![now(), system, kind, external_id])? > 0 {
        w.touch("review");
    }
    Ok(())
}

/// The entries in this state, or all of them; the newest first.
pub fn list(c: &mut Conn, state: Option<&str>, limit: i64) -> Result<Vec<Entry>> {
    let rows = match state {
        Some(state) => {
            let sql = format!("SELECT {COLUMNS} FROM @review_items item WHERE state = ?1 ORDER BY id DESC LIMIT ?2");
            c.all(&sql, params![state, limit])?
        }
        None => c.all(&format!("SELECT {COLUMNS} FROM @review_items item ORDER BY id DESC LIMIT ?1"), params![limit])?,
    };
    rows.iter().map(entry).collect()
}

/// The devices that were ever on the list: the vendor's id, the state and the assets that were named.
pub fn devices(c: &mut Conn, system: &str) -> Result<Vec<(String, String, Vec<i64>)>> {
    let sql = format!("SELECT {COLUMNS} FROM @review_items item WHERE system = ?1 AND kind = 'device' ORDER BY id");
    let rows = c.all(&sql, params![system])?;
    let named = |entry: Entry| {
        let ids = entry.candidates.iter().map(|candidate| candidate.id).collect();
        (entry.external_id, entry.state, ids)
    };
    rows.iter().map(|row| Ok(named(self::entry(row)?))).collect()
}

/// How many entries wait.
pub fn open(c: &mut Conn) -> Result<i64> {
    c.one("SELECT COUNT(*) FROM @review_items item WHERE state = 'open'", params![])?.get(0)
}

/// How many sites wait.
pub fn open_sites(c: &mut Conn) -> Result<i64> {
    c.one("SELECT COUNT(*) FROM @review_items item WHERE state = 'open' AND kind = 'site'", params![])?.get(0)
}

/// One entry.
pub fn get(c: &mut Conn, id: i64) -> Result<Entry> {
    let row = c.first(&format!("SELECT {COLUMNS} FROM @review_items item WHERE id = ?1"), params![id])?;
    row.as_ref().map(entry).transpose()?.ok_or(Error::NotFound { what: "Review item" })
}

/// Records a person's decision.
pub fn decide(w: &mut Write<'_>, id: i64, state: &str, decision: &str, by: &str) -> Result<()> {
    let sql =
        "UPDATE review_items SET state = ?1, decision = ?2, decided_by = ?3, decided_at = ?4, updated_at = ?4 WHERE id = ?5";
    w.run(sql, params![state, decision, by, now(), id])?;
    w.touch("review");
    Ok(())
}
