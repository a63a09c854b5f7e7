//! Our assets as a plan needs them, a chunk at a time: fifty thousand of them never are in memory at once.

use std::collections::{HashMap, HashSet};

use super::{
    marks,
    matching::{Candidate, Marks},
    planner::Local,
    sources_store,
};
use crate::{
    assets::{Asset, Observation},
    db::{Conn, Row},
    error::Result,
    history::{Record, links},
    params,
    sync::cells::Cells,
};

/// Every asset that a vendor's record is linked to, by the vendor's id.
pub fn linked(c: &mut Conn, system: &str) -> Result<HashMap<String, i64>> {
    Ok(links::all(c, system, Asset::ENTITY)?.into_iter().collect())
}

/// How many live assets a vendor feeds.
pub fn live(c: &mut Conn, system: &str) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM @assets asset WHERE asset.retired_at IS NULL AND asset.id IN
               (SELECT entity_id FROM links WHERE system = ?1 AND entity = 'asset')";
    Ok(u64::try_from(c.one(sql, params![system])?.get::<i64>(0)?).unwrap_or(0))
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
    let sql = "SELECT entity_id, system, external_id FROM links WHERE entity = 'asset' AND entity_id IN ids(?1)
               ORDER BY entity_id, system, external_id";
    for row in c.all(sql, params![ids.to_vec()])? {
        if let Some(local) = found.get_mut(&row.get(0)?) {
            local.links.push((row.get(1)?, row.get(2)?));
        }
    }
    for (id, sources) in sources_store::of(c, ids.to_vec())? {
        if let Some(local) = found.get_mut(&id) {
            local.told = sources.into_iter().map(|source| (source.system, (source.words, source.place))).collect();
        }
    }
    let retired: Vec<i64> = found.values().filter(|local| local.retired).map(|local| local.id).collect();
    for id in retired_by_hand(c, retired)? {
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

/// Those among these tombstones whose last retirement was not a sync's.
fn retired_by_hand(c: &mut Conn, ids: Vec<i64>) -> Result<HashSet<i64>> {
    let mut by_hand = HashSet::new();
    if ids.is_empty() {
        return Ok(by_hand);
    }
    let sql = "SELECT entity_id, actor_kind FROM changes WHERE entity = 'asset' AND action = 'retire' AND entity_id IN ids(?1)
               ORDER BY seq";
    for row in c.all(sql, params![ids])? {
        let id: i64 = row.get(0)?;
        if row.get::<String>(1)? == "sync" {
            by_hand.remove(&id);
        } else {
            by_hand.insert(id);
        }
    }
    Ok(by_hand)
}

/// The live assets of companies that no record of this vendor is linked to, by company.
pub fn candidates(c: &mut Conn, system: &str) -> Result<HashMap<i64, Vec<Candidate>>> {
    let sql = "SELECT asset.id, asset.company_id, asset.hostname, asset.serial_number, asset.mac_address FROM @assets asset
               WHERE asset.retired_at IS NULL AND asset.company_id IS NOT NULL AND NOT EXISTS
               (SELECT 1 FROM links link WHERE link.entity = 'asset' AND link.entity_id = asset.id AND link.system = ?1)
               ORDER BY asset.id";
    let mut found: HashMap<i64, Vec<Candidate>> = HashMap::new();
    for row in c.all(sql, params![system])? {
        let (name, serial): (String, Option<String>) = (row.get(2)?, row.get(3)?);
        let macs: Vec<String> = row.get::<Option<String>>(4)?.into_iter().collect();
        let marks = Marks::of(&name, serial.as_deref(), &macs);
        found.entry(row.get(1)?).or_default().push(Candidate { id: row.get(0)?, name, marks });
    }
    if found.is_empty() {
        return Ok(found);
    }
    let mut adapters: HashMap<i64, Vec<String>> = HashMap::new();
    for row in c.all("SELECT asset_id, name, mac_address FROM @asset_nics nic WHERE mac_address IS NOT NULL", &[])? {
        let name: Option<String> = row.get(1)?;
        if !name.is_some_and(|name| marks::wanders(&name)) {
            adapters.entry(row.get(0)?).or_default().extend(marks::mac(&row.get::<String>(2)?));
        }
    }
    for candidate in found.values_mut().flatten() {
        candidate.marks.macs.extend(adapters.remove(&candidate.id).unwrap_or_default());
        candidate.marks.macs.sort();
        candidate.marks.macs.dedup();
    }
    Ok(found)
}
