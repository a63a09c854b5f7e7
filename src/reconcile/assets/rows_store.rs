//! Our assets as a plan needs them, a chunk at a time: fifty thousand of them never are in memory at once.

use std::collections::{HashMap, HashSet};

use super::{
    device_identifiers,
    matching::{Candidate, DeviceIdentifiers, Standing},
    planner::Local,
    sources_store,
};
use crate::{
    assets::{Asset, Observation},
    db::{Conn, Row},
    error::Result,
    history::{Record, links},
    params,
    plan::cells::Cells,
    reconcile::rows_store::retired_by_hand,
    types::{fold, now_plus},
};

/// For how many seconds a tombstone is one of lately: a month.
const LATELY: i64 = 30 * 86_400;

/// Every asset that a vendor's record is linked to, by the vendor's id.
pub fn linked(c: &mut Conn, system: &str) -> Result<HashMap<String, i64>> {
    Ok(links::all(c, system, Asset::ENTITY)?.into_iter().collect())
}

/// The companies that are retired: what leaves one of them loses nothing by that.
pub fn retired_companies(c: &mut Conn) -> Result<HashSet<i64>> {
    let sql = "SELECT company.id FROM @companies company WHERE company.retired_at IS NOT NULL";
    c.all(sql, &[])?.iter().map(|row| row.get(0)).collect()
}

/// Name of each of these contacts, and whether it is retired.
pub fn people(c: &mut Conn, ids: &[i64]) -> Result<HashMap<i64, (String, bool)>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT contact.id, contact.name, contact.retired_at FROM @contacts contact WHERE contact.id IN ids(?1)";
    let read = |row: &Row| Ok((row.get(0)?, (row.get(1)?, row.get::<Option<String>>(2)?.is_some())));
    c.all(sql, params![ids.to_vec()])?.iter().map(read).collect()
}

/// A live asset that a vendor feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    /// The vendor's id.
    pub external_id: String,
    /// The asset.
    pub asset: i64,
    /// Whose it is.
    pub company: Option<i64>,
    /// Its place at the vendor.
    pub place: Option<String>,
}

/// Live assets that a vendor feeds, a few at a time, in the order of the vendor's ids.
pub fn fed(c: &mut Conn, system: &str, after: &str, limit: i64) -> Result<Vec<Fed>> {
    let sql = "SELECT link.external_id, asset.id, asset.company_id, source.place FROM links link
               JOIN @assets asset ON asset.id = link.entity_id
               LEFT JOIN @asset_sources source ON source.asset_id = asset.id AND source.system = link.system
               WHERE link.system = ?1 AND link.entity = 'asset' AND link.external_id > ?2 AND asset.retired_at IS NULL
               ORDER BY link.external_id LIMIT ?3";
    let read = |row: &Row| Ok(Fed { external_id: row.get(0)?, asset: row.get(1)?, company: row.get(2)?, place: row.get(3)? });
    c.all(sql, params![system, after, limit])?.iter().map(read).collect()
}

/// The assets with this serial number that are no living device: retired, or no vendor's.
pub fn gone_with_serial(c: &mut Conn, serial: &str) -> Result<Vec<i64>> {
    let sql = "SELECT asset.id FROM @assets asset WHERE asset.serial_folded = ?1 AND (asset.retired_at IS NOT NULL
               OR NOT EXISTS (SELECT 1 FROM links link WHERE link.entity = 'asset' AND link.entity_id = asset.id)) ORDER BY asset.id";
    c.all(sql, params![fold(serial)])?.iter().map(|row| row.get(0)).collect()
}

/// These assets, tombstones included.
pub fn by_ids(c: &mut Conn, ids: &[i64]) -> Result<HashMap<i64, Local>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT {}, seen.asset_id, seen.online, seen.last_seen, seen.last_reboot, seen.last_audit_date,
                seen.last_logged_in_user, seen.ext_ip_address, seen.int_ip_address, seen.patch_status, seen.source, seen.observed_at
         FROM @assets asset LEFT JOIN @asset_observations seen ON seen.asset_id = asset.id WHERE asset.id IN ids(?1)",
        Asset::SELECT
    );
    let mut found = HashMap::with_capacity(ids.len());
    for row in c.all(&sql, params![ids.to_vec()])? {
        let local = local(&row)?;
        found.insert(local.id, local);
    }
    for row in
        c.all("SELECT entity_id, field FROM pins WHERE entity = 'asset' AND entity_id IN ids(?1)", params![ids.to_vec()])?
    {
        if let Some(local) = found.get_mut(&row.get(0)?) {
            local.pins.insert(row.get(1)?);
        }
    }
    let sql = "SELECT entity_id, system, external_id, is_merged FROM links WHERE entity = 'asset' AND entity_id IN ids(?1)
               ORDER BY entity_id, system, is_merged, external_id";
    for row in c.all(sql, params![ids.to_vec()])? {
        if let Some(local) = found.get_mut(&row.get(0)?) {
            let link: (String, String) = (row.get(1)?, row.get(2)?);
            if row.get(3)? {
                local.merged.insert(link.clone());
            }
            local.links.push(link);
        }
    }
    for (id, sources) in sources_store::of(c, ids.to_vec())? {
        if let Some(local) = found.get_mut(&id) {
            local.told = sources.into_iter().map(|source| (source.system, (source.words, source.place))).collect();
        }
    }
    let retired: Vec<i64> = found.values().filter(|local| local.retired).map(|local| local.id).collect();
    for id in retired_by_hand(c, Asset::ENTITY, Some(&retired))? {
        if let Some(local) = found.get_mut(&id) {
            local.retired_by_hand = true;
        }
    }
    Ok(found)
}

fn local(row: &Row) -> Result<Local> {
    let asset = Asset::from_row(row, 0)?;
    let at = Asset::width();
    let seen = match row.get::<Option<i64>>(at)? {
        None => None,
        Some(_) => Some(Observation {
            online: row.get(at + 1)?,
            last_seen: row.get(at + 2)?,
            last_reboot: row.get(at + 3)?,
            last_audit_date: row.get(at + 4)?,
            last_logged_in_user: row.get(at + 5)?,
            ext_ip_address: row.get(at + 6)?,
            int_ip_address: row.get(at + 7)?,
            patch_status: row.get(at + 8)?,
            source: row.get(at + 9)?,
            observed_at: row.get(at + 10)?,
        }),
    };
    let values: Cells = Asset::COLUMNS.iter().copied().zip(asset.values()).collect();
    Ok(Local { id: asset.id, rev: asset.rev, retired: asset.retired_at.is_some(), values, seen, ..Local::default() })
}

/// An asset with what tells it from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    pub id: i64,
    /// Whose it is.
    pub company: Option<i64>,
    /// Its name, for people.
    pub name: String,
    /// What tells it from others.
    pub identifiers: DeviceIdentifiers,
    /// Whether it is one vendor's record and nothing else: no pin, nobody assigned, no other link.
    pub untouched: bool,
}

impl Identified {
    /// As an asset that a new device may be.
    #[must_use]
    pub fn candidate(self, standing: Standing) -> Candidate {
        Candidate { id: self.id, name: self.name, identifiers: self.identifiers, standing }
    }
}

/// A tombstone that a sync made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The asset.
    pub row: Identified,
    /// Whether it was retired within the last month.
    pub lately: bool,
    /// Its records: system and id there.
    pub links: Vec<(String, String)>,
}

const IDENTIFIED: &str = "asset.id, asset.company_id, asset.hostname, asset.serial_number, asset.mac_address,
    CASE WHEN EXISTS (SELECT 1 FROM pins pin WHERE pin.entity = 'asset' AND pin.entity_id = asset.id)
           OR EXISTS (SELECT 1 FROM @asset_contacts assigned WHERE assigned.asset_id = asset.id)
           OR (SELECT COUNT(*) FROM links link WHERE link.entity = 'asset' AND link.entity_id = asset.id) > 1
         THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END";

fn identified_row(row: &Row) -> Result<Identified> {
    let (name, serial): (String, Option<String>) = (row.get(2)?, row.get(3)?);
    let macs: Vec<String> = row.get::<Option<String>>(4)?.into_iter().collect();
    let identifiers = DeviceIdentifiers::of(&name, serial.as_deref(), &macs);
    Ok(Identified { id: row.get(0)?, company: row.get(1)?, name, identifiers, untouched: row.get::<i64>(5)? == 1 })
}

/// Live assets with their identifiers, a few at a time, by id.
pub fn identified(c: &mut Conn, after: i64, limit: i64) -> Result<Vec<Identified>> {
    let sql = format!(
        "SELECT {IDENTIFIED} FROM @assets asset WHERE asset.retired_at IS NULL AND asset.id > ?1 ORDER BY asset.id LIMIT ?2"
    );
    let mut rows: Vec<Identified> = c.all(&sql, params![after, limit])?.iter().map(identified_row).collect::<Result<_>>()?;
    let Some(last) = rows.last().map(|row| row.id) else { return Ok(rows) };
    let sql = "SELECT nic.asset_id, nic.name, nic.mac_address FROM @asset_nics nic
               WHERE nic.asset_id > ?1 AND nic.asset_id <= ?2 AND nic.mac_address IS NOT NULL";
    let nics = c.all(sql, params![after, last])?;
    add_adapters(rows.iter_mut(), &nics)?;
    Ok(rows)
}

fn adapters_of(c: &mut Conn, ids: Vec<i64>) -> Result<Vec<Row>> {
    let sql = "SELECT nic.asset_id, nic.name, nic.mac_address FROM @asset_nics nic
               WHERE nic.asset_id IN ids(?1) AND nic.mac_address IS NOT NULL";
    c.all(sql, params![ids])
}

/// The network addresses of what stays in the devices.
fn add_adapters<'m>(identified: impl Iterator<Item = &'m mut Identified>, nics: &[Row]) -> Result<()> {
    let mut adapters: HashMap<i64, Vec<String>> = HashMap::new();
    for nic in nics {
        let name: Option<String> = nic.get(1)?;
        if !name.is_some_and(|name| device_identifiers::is_shared_adapter(&name)) {
            adapters.entry(nic.get(0)?).or_default().extend(device_identifiers::mac(&nic.get::<String>(2)?));
        }
    }
    for row in identified {
        row.identifiers.add_macs(adapters.remove(&row.id).unwrap_or_default());
    }
    Ok(())
}

/// Tombstones of companies that a sync made and that still know which records they were.
pub fn tombstones(c: &mut Conn) -> Result<Vec<Tombstone>> {
    let sql = format!(
        "SELECT {IDENTIFIED}, asset.retired_at, known.system, known.external_id FROM @assets asset
         JOIN links known ON known.entity = 'asset' AND known.entity_id = asset.id
         WHERE asset.retired_at IS NOT NULL AND asset.company_id IS NOT NULL ORDER BY asset.id"
    );
    let since = now_plus(-LATELY);
    let mut found: Vec<Tombstone> = Vec::new();
    for row in c.all(&sql, &[])? {
        let link: (String, String) = (row.get(7)?, row.get(8)?);
        let id: i64 = row.get(0)?;
        match found.last_mut().filter(|last| last.row.id == id) {
            Some(last) => last.links.push(link),
            None => {
                let lately = row.get::<String>(6)? >= since;
                found.push(Tombstone { row: identified_row(&row)?, lately, links: vec![link] });
            }
        }
    }
    if found.is_empty() {
        return Ok(found);
    }
    let ids: Vec<i64> = found.iter().map(|tombstone| tombstone.row.id).collect();
    let by_hand = retired_by_hand(c, Asset::ENTITY, Some(&ids))?;
    found.retain(|tombstone| !by_hand.contains(&tombstone.row.id));
    let nics = adapters_of(c, ids)?;
    add_adapters(found.iter_mut().map(|tombstone| &mut tombstone.row), &nics)?;
    Ok(found)
}

/// The live assets that a vendor feeds and that are nobody's.
pub fn ownerless(c: &mut Conn, system: &str) -> Result<HashSet<i64>> {
    let sql = "SELECT asset.id FROM @assets asset WHERE asset.retired_at IS NULL AND asset.company_id IS NULL AND asset.id IN
               (SELECT entity_id FROM links WHERE system = ?1 AND entity = 'asset')";
    c.all(sql, params![system])?.iter().map(|row| row.get(0)).collect()
}

/// Whether it has become clear what a device is about which a person was asked: it is the asset that it turned out
/// to be, it is gone, or none of the assets that were named can be it any more.
pub fn is_clear(c: &mut Conn, system: &str, external_id: &str, adopted: Option<i64>, named: Vec<i64>) -> Result<bool> {
    let here = links::find(c, system, Asset::ENTITY, external_id)?;
    if let Some(adopted) = adopted {
        return Ok(here == Some(adopted));
    }
    let retired = "SELECT 1 FROM @assets asset WHERE asset.id = ?1 AND asset.retired_at IS NOT NULL";
    if c.first(retired, params![here])?.is_some() {
        return Ok(true);
    }
    let free = "SELECT 1 FROM @assets asset WHERE asset.id IN ids(?1) AND (asset.retired_at IS NOT NULL OR NOT EXISTS
                (SELECT 1 FROM links link WHERE link.entity = 'asset' AND link.entity_id = asset.id AND link.system = ?2))";
    Ok(c.first(free, params![named, system])?.is_none())
}
