//! Audits in the database: kept until another one says something else.

use super::audit::{Audit, Disk, Hardware, Inside, Nic, Software};
use super::model::Asset;
use crate::db::{Conn, Value, Write};
use crate::error::Result;
use crate::history;
use crate::params;
use crate::types::{fold, now};
use std::collections::{BTreeSet, HashMap};

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
    let counted = |of: fn(&Disk) -> Option<i64>| {
        let sizes: Vec<i64> = audit.disks.iter().filter(|disk| disk.counts).filter_map(of).collect();
        (!sizes.is_empty()).then(|| sizes.iter().fold(0_i64, |sum, size| sum.saturating_add(*size)))
    };
    w.run(
        "UPDATE asset_audits SET collected_at = ?2, fetched_at = ?3, cpu = ?4, cpu_cores = ?5, ram_bytes = ?6, disk_bytes = ?7,
             disk_free_bytes = ?8, bios_version = ?9, bios_date = ?10, details = ?11 WHERE asset_id = ?1",
        params![
            id,
            &asked.audited_at,
            now(),
            &audit.cpu,
            audit.cpu_cores,
            audit.ram_bytes,
            counted(|disk| disk.size_bytes),
            counted(|disk| disk.free_bytes),
            &audit.bios_version,
            &audit.bios_date,
            &audit.details
        ],
    )?;
    keep_disks(w, id, &audit.disks)?;
    keep_nics(w, id, &audit.nics)?;
    if let Some(software) = software {
        keep_software(w, id, software)?;
    }
    history::reindex::<Asset>(w, id)?;
    w.observe("asset");
    Ok(())
}

fn keep_disks(w: &mut Write<'_>, id: i64, disks: &[Disk]) -> Result<()> {
    w.run("DELETE FROM asset_disks WHERE asset_id = ?1", params![id])?;
    for (place, disk) in (0_i64..).zip(disks) {
        w.run(
            "INSERT INTO asset_disks (asset_id, place, name, description, size_bytes, free_bytes, counts)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![id, place, &disk.name, &disk.description, disk.size_bytes, disk.free_bytes, disk.counts],
        )?;
    }
    Ok(())
}

fn keep_nics(w: &mut Write<'_>, id: i64, nics: &[Nic]) -> Result<()> {
    w.run("DELETE FROM asset_nics WHERE asset_id = ?1", params![id])?;
    for (place, nic) in (0_i64..).zip(nics) {
        w.run(
            "INSERT INTO asset_nics (asset_id, place, name, mac_address, ipv4, ipv6, kind) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![id, place, &nic.name, &nic.mac_address, &nic.ipv4, &nic.ipv6, &nic.kind],
        )?;
    }
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
    let sql = "SELECT audit.collected_at, audit.cpu, audit.cpu_cores, audit.ram_bytes, audit.disk_bytes, audit.disk_free_bytes,
                   audit.bios_version, audit.bios_date, audit.details
               FROM @asset_audits audit WHERE audit.asset_id = ?1 AND audit.collected_at IS NOT NULL";
    let Some(row) = c.first(sql, params![asset_id])? else { return Ok(Inside::default()) };
    let details: Option<String> = row.get(8)?;
    let sql = "SELECT count(*) FROM @asset_software installed WHERE installed.asset_id = ?1";
    Ok(Inside {
        collected_at: row.get(0)?,
        hardware: Some(Hardware {
            cpu: row.get(1)?,
            cpu_cores: row.get(2)?,
            ram_bytes: row.get(3)?,
            disk_bytes: row.get(4)?,
            disk_free_bytes: row.get(5)?,
            bios_version: row.get(6)?,
            bios_date: row.get(7)?,
            details: details.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        }),
        disks: disks(c, asset_id)?,
        network_adapters: nics(c, asset_id)?,
        software_count: Some(c.one(sql, params![asset_id])?.get(0)?),
    })
}

/// The drives of a device.
pub fn disks(c: &mut Conn, asset_id: i64) -> Result<Vec<Disk>> {
    let sql = "SELECT disk.name, disk.description, disk.size_bytes, disk.free_bytes, disk.counts FROM @asset_disks disk
               WHERE disk.asset_id = ?1 ORDER BY disk.place";
    let rows = c.all(sql, params![asset_id])?;
    rows.iter()
        .map(|row| {
            Ok(Disk {
                name: row.get(0)?,
                description: row.get(1)?,
                size_bytes: row.get(2)?,
                free_bytes: row.get(3)?,
                counts: row.get(4)?,
            })
        })
        .collect()
}

/// The network adapters of a device.
pub fn nics(c: &mut Conn, asset_id: i64) -> Result<Vec<Nic>> {
    let sql = "SELECT nic.name, nic.mac_address, nic.ipv4, nic.ipv6, nic.kind FROM @asset_nics nic
               WHERE nic.asset_id = ?1 ORDER BY nic.place";
    let rows = c.all(sql, params![asset_id])?;
    rows.iter()
        .map(|row| {
            Ok(Nic { name: row.get(0)?, mac_address: row.get(1)?, ipv4: row.get(2)?, ipv6: row.get(3)?, kind: row.get(4)? })
        })
        .collect()
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
