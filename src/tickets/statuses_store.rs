//! What the vendor calls its statuses, in the database.

use std::collections::BTreeMap;

use super::Statuses;
use crate::db::{Conn, Write};
use crate::error::Result;
use crate::params;
use crate::types::now;

/// The names that a vendor has told, by code.
pub fn learned(c: &mut Conn, source: &str) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT code, label FROM ticket_statuses WHERE external_source = ?1 ORDER BY code";
    c.all(sql, params![source])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// What the codes of a vendor mean; `configured` is what the operator says of them.
pub fn load(c: &mut Conn, source: &str, configured: &BTreeMap<i64, String>) -> Result<Statuses> {
    Ok(Statuses::new(&learned(c, source)?, configured))
}

/// Keeps what a vendor calls its codes; says whether anything is new. Tickets that are stored under
/// another word follow with [`super::store::reword`].
pub fn learn(w: &mut Write<'_>, source: &str, told: &[(i64, String)]) -> Result<bool> {
    let known: BTreeMap<i64, String> = learned(w, source)?.into_iter().collect();
    let mut moved = false;
    for (code, label) in told.iter().map(|(code, label)| (*code, label.trim())).filter(|(_, label)| !label.is_empty()) {
        if known.get(&code).is_some_and(|before| before == label) {
            continue;
        }
        w.run(
            "INSERT INTO ticket_statuses (external_source, code, label, learned_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (external_source, code) DO UPDATE SET label = excluded.label, learned_at = excluded.learned_at",
            params![source, code, label, now()],
        )?;
        moved = true;
    }
    if moved {
        w.observe("ticket");
    }
    Ok(moved)
}
