//! Audits in the database: kept until another one says something else.

use std::collections::{BTreeSet, HashMap};

use super::{
    Asset,
    audit::{Audit, Software},
    hardware::{Disk, Hardware, Inside, Nic},
};
use crate::{
    db::{Conn, Value, Write},
    entity::Facet as _,
    error::Result,
    history, params,
    types::{fold, now},
};

/// Which audit was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The asset.
    pub asset_id: i64,
    /// The vendor.
    pub source: String,
    /// The vendor's id of it.
    pub external_id: String,
    /// The vendor's class of it, which decides what can be asked.
    pub device_class: Option<String>,
    /// When the vendor says that the audit was made.
    pub audited_at: String,
}

/// Remembers what was asked and what came of it.
fn answered(w: &mut Write<'_>, asked: &Asked, outcome: &str) -> Result<()> {
    w.run(
        "INSERT INTO asset_audits (asset_id, source, external_id, device_class, asked_for, asked_at, outcome)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (asset_id) DO UPDATE SET source = excluded.source, external_id = excluded.external_id,
             device_class = excluded.device_class, asked_for = excluded.asked_for, asked_at = excluded.asked_at,
             outcome = excluded.outcome",
        params![asked.asset_id, &asked.source, &asked.external_id, &asked.device_class, &asked.audited_at, now(), outcome],
    )?;
    Ok(())
}

/// Remembers that the vendor has no audit of this device; what an earlier one said stays.
///
/// # Errors
/// `NotFound` for an asset that is not there.
pub fn keep_none(w: &mut Write<'_>, asked: &Asked) -> Result<()> {
    history::get::<Asset>(w, asked.asset_id)?;
    answered(w, asked, "none")
}

/// Keeps an audit and the programs in place of those before; `None` leaves the programs as they are.
///
/// # Errors
/// `NotFound` for an asset that is not there.
pub fn keep(w: &mut Write<'_>, asked: &Asked, audit: &Audit, software: Option<&[Software]>) -> Result<()> {
    let id = asked.asset_id;
    history::get::<Asset>(w, id)?;
    answered(w, asked, "read")?;
    let sql = "UPDATE asset_audits SET collected_at = ?2, fetched_at = ?3 WHERE asset_id = ?1";
    w.run(sql, params![id, &asked.audited_at, now()])?;
    audit.hardware().update(w, id)?;
    Disk::replace(w, id, &audit.disks, Some("place"))?;
    Nic::replace(w, id, &audit.nics, Some("place"))?;
    if let Some(software) = software {
        keep_software(w, id, software)?;
    }
    history::reindex::<Asset>(w, id)?;
    w.observe("asset");
    Ok(())
}

/// Only what is new is written and only what is gone is taken away: most programs stay from audit to audit.
fn keep_software(w: &mut Write<'_>, id: i64, software: &[Software]) -> Result<()> {
    let wanted: BTreeSet<(&str, &str)> =
        software.iter().map(|one| (one.name.as_str(), one.version.as_deref().unwrap_or_default())).collect();
    let rows = w.all("SELECT kept.name, kept.version FROM @asset_software kept WHERE kept.asset_id = ?1", params![id])?;
    let kept: BTreeSet<(String, String)> = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_>>()?;
    for (name, version) in kept.iter().filter(|(name, version)| !wanted.contains(&(name.as_str(), version.as_str()))) {
        let sql = "DELETE FROM asset_software WHERE asset_id = ?1 AND name = ?2 AND version = ?3";
        w.run(sql, params![id, name, version])?;
    }
    let new: Vec<(&str, &str)> =
        wanted.into_iter().filter(|(name, version)| !kept.contains(&((*name).to_owned(), (*version).to_owned()))).collect();
    for chunk in new.chunks(50) {
        let mut values: Vec<Value> = vec![id.into()];
        let mut rows = Vec::new();
        for (name, version) in chunk {
            let at = values.len();
            values.extend([Value::from(*name), Value::from(*version), Value::from(fold(name))]);
            rows.push(format!("(?1, ?{}, ?{}, ?{})", at + 1, at + 2, at + 3));
        }
        let sql = format!("INSERT INTO asset_software (asset_id, name, version, name_folded) VALUES {}", rows.join(", "));
        w.run(&sql, &values)?;
    }
    Ok(())
}

/// What is known of a device's inside.
pub fn inside(c: &mut Conn, asset_id: i64) -> Result<Inside> {
    let sql = format!(
        "SELECT audit.collected_at, {} FROM @asset_audits audit WHERE audit.asset_id = ?1 AND audit.collected_at IS NOT NULL",
        Hardware::select()
    );
    let Some(row) = c.first(&sql, params![asset_id])? else { return Ok(Inside::default()) };
    let sql = "SELECT count(*) FROM @asset_software installed WHERE installed.asset_id = ?1";
    Ok(Inside {
        collected_at: row.get(0)?,
        hardware: Some(Hardware::from_row(&row, 1)?),
        disks: Disk::all_beside(c, asset_id, "disk.place")?,
        network_adapters: Nic::all_beside(c, asset_id, "nic.place")?,
        software_count: Some(c.one(sql, params![asset_id])?.get(0)?),
    })
}

/// Whether another live device has an adapter with this address, spelled as audits store it.
pub fn has_other(c: &mut Conn, asset_id: i64, mac: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM @asset_nics nic JOIN @assets asset ON asset.id = nic.asset_id
               WHERE nic.mac_address = ?1 AND nic.asset_id <> ?2 AND asset.retired_at IS NULL LIMIT 1";
    Ok(c.first(sql, params![mac, asset_id])?.is_some())
}

/// The programs on a device whose names contain a text, by name.
pub fn software(c: &mut Conn, asset_id: i64, containing: &str) -> Result<Vec<Software>> {
    let sql = "SELECT installed.name, installed.version, installed.name_folded FROM @asset_software installed
               WHERE installed.asset_id = ?1 ORDER BY installed.name_folded, installed.name, installed.version";
    let wanted = fold(containing);
    let words: Vec<&str> = wanted.split(' ').collect();
    let mut found = Vec::new();
    for row in c.all(sql, params![asset_id])? {
        let name: String = row.get(2)?;
        if words.iter().all(|word| name.contains(word)) {
            found.push(Software { name: row.get(0)?, version: Some(row.get::<String>(1)?).filter(|text| !text.is_empty()) });
        }
    }
    Ok(found)
}

/// Makes the keys of the programs on the next devices after this one anew; the last device, if there was any.
pub fn rekey_software(w: &mut Write<'_>, after: i64, limit: i64) -> Result<Option<i64>> {
    let sql = "SELECT DISTINCT installed.asset_id FROM @asset_software installed WHERE installed.asset_id > ?1
               ORDER BY installed.asset_id LIMIT ?2";
    let devices: Vec<i64> = w.all(sql, params![after, limit])?.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    let last = devices.last().copied();
    let sql = "SELECT installed.asset_id, installed.name, installed.name_folded FROM @asset_software installed
               WHERE installed.asset_id IN ids(?1)";
    for row in w.all(sql, params![devices])? {
        let name: String = row.get(1)?;
        let folded = fold(&name);
        if folded != row.get::<String>(2)? {
            let sql = "UPDATE asset_software SET name_folded = ?3 WHERE asset_id = ?1 AND name = ?2";
            w.run(sql, params![row.get::<i64>(0)?, name, folded])?;
        }
    }
    Ok(last)
}

/// When the audits of these devices were made.
pub fn collected(c: &mut Conn, asset_ids: Vec<i64>) -> Result<HashMap<i64, String>> {
    let sql = "SELECT audit.asset_id, audit.collected_at FROM @asset_audits audit
               WHERE audit.asset_id IN ids(?1) AND audit.collected_at IS NOT NULL";
    c.all(sql, params![asset_ids])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
