//! Which audits are to be read: those of linked, live devices whose audit is newer than what we hold.

use serde_json::{Map, Value};

use crate::{
    assets::audit_store::Asked,
    db::{Conn, Write},
    error::Result,
    params,
    types::now,
    vendors::datto::SYSTEM,
};

/// A device whose audit is to be read.
#[derive(Clone, Debug)]
pub struct Due {
    /// What is asked for.
    pub asked: Asked,
    pub hostname: String,
    /// The vendor's category of it, from which its class can be guessed.
    pub category: Option<String>,
}

/// Everything that is due: what was never asked for first, then what was asked for longest ago.
pub fn due(c: &mut Conn, all: bool) -> Result<Vec<Due>> {
    let moved = "(audit.asset_id IS NULL OR audit.asked_for <> seen.last_audit_date OR audit.external_id <> link.external_id)";
    let sql = format!(
        "SELECT asset.id, link.external_id, seen.last_audit_date, asset.hostname, asset.hardware_type, source.told
         FROM @assets asset
         JOIN links link ON link.entity = 'asset' AND link.entity_id = asset.id AND link.system = ?1
         JOIN @asset_observations seen ON seen.asset_id = asset.id
         LEFT JOIN @asset_audits audit ON audit.asset_id = asset.id
         LEFT JOIN @asset_sources source ON source.asset_id = asset.id AND source.system = ?1
         WHERE asset.retired_at IS NULL AND seen.last_audit_date IS NOT NULL AND {}
           AND link.external_id = (SELECT min(first.external_id) FROM links first
               WHERE first.entity = 'asset' AND first.entity_id = asset.id AND first.system = ?1)
         ORDER BY COALESCE(audit.asked_at, ''), asset.id",
        if all { "1 = 1" } else { moved }
    );
    let rows = c.all(&sql, params![SYSTEM])?;
    rows.iter()
        .map(|row| {
            let told: Option<String> = row.get(5)?;
            let asked = Asked {
                asset_id: row.get(0)?,
                source: SYSTEM.to_owned(),
                external_id: row.get(1)?,
                device_class: told.and_then(|told| class(&told)),
                audited_at: row.get(2)?,
            };
            Ok(Due { asked, hostname: row.get(3)?, category: row.get(4)? })
        })
        .collect()
}

/// The vendor's class of a device, from what it told of it.
fn class(told: &str) -> Option<String> {
    let words: Map<String, Value> = serde_json::from_str(told).ok()?;
    words.get("device_class")?.as_str().map(str::to_owned)
}

/// Remembers that a device could not be read now, so that the others come first next time. What is due
/// stays due, and what an earlier audit said stays.
pub fn put_off(w: &mut Write<'_>, asked: &Asked) -> Result<()> {
    w.run(
        "INSERT INTO asset_audits (asset_id, source, external_id, device_class, asked_for, asked_at, outcome)
         VALUES (?1, ?2, ?3, ?4, '', ?5, 'failed')
         ON CONFLICT (asset_id) DO UPDATE SET asked_at = excluded.asked_at, outcome = excluded.outcome",
        params![asked.asset_id, &asked.source, &asked.external_id, &asked.device_class, now()],
    )?;
    Ok(())
}
