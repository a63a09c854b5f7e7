//! The devices of which it is not settled what they are, and the assets that they might be.
//!
//! New devices are compared with the assets of their company. So are devices that have an asset already, when it
//! was made for them without a comparison (their site had no company yet), when a person was asked about them, or
//! when the device that an older asset was is gone: a computer that was installed anew comes under a new id.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    census::{Bearer, Census, Side},
    device_record::DeviceRecord,
    devices::{DeviceList, Missing},
    matching::{Candidate, DeviceIdentifiers, StandIn, Standing, UnlinkedDevice},
    rows_store::{self, Identified},
};
use crate::{
    db::{Conn, Db},
    error::Result,
    reconcile::{absence::Evidence, review::review_store},
    types::Scope,
};

/// Assets read together.
const ROWS: i64 = 5_000;
/// Devices of which nothing but the name is known, remembered of each kind.
const UNIDENTIFIED: usize = 600;

/// Unlinked devices, and the assets they might be.
#[derive(Debug, Default)]
pub struct UnlinkedDevices {
    /// The devices.
    pub devices: Vec<UnlinkedDevice>,
    /// Assets that no living record of the vendor is linked to, by company.
    pub candidates: HashMap<i64, Vec<Candidate>>,
    /// Who else carries the candidates' identifiers.
    pub census: Census,
    /// Devices of which nothing but the name is known.
    pub unidentified: Vec<(String, Bearer)>,
    /// Devices about which a person was asked, and the assets that were named.
    pub open: HashMap<String, Vec<i64>>,
}

/// What is known before any record is read.
#[derive(Default)]
struct Snapshot {
    linked: HashMap<String, i64>,
    /// Live assets that are nobody's yet.
    ownerless: HashSet<i64>,
    /// Devices about which a person was asked.
    open: HashMap<String, Vec<i64>>,
    /// Devices about which a person decided.
    decided: HashSet<String>,
    /// Assets whose every record is proven gone.
    former: HashSet<i64>,
}

/// An asset that stands in for a device.
struct Stored {
    identifiers: DeviceIdentifiers,
    untouched: bool,
    /// Whether an older asset that it may be has lost its device.
    look: bool,
}

impl Snapshot {
    fn read(c: &mut Conn, system: &str, gone: &HashSet<String>) -> Result<Self> {
        let mut known =
            Self { linked: rows_store::linked(c, system)?, ownerless: rows_store::ownerless(c, system)?, ..Self::default() };
        for (external_id, state, candidates) in review_store::devices(c, system)? {
            match state.as_str() {
                "open" => drop(known.open.insert(external_id, candidates)),
                "linked" | "ignored" => drop(known.decided.insert(external_id)),
                _ => {}
            }
        }
        known.former = known.linked.iter().filter(|(id, _)| gone.contains(*id)).map(|(_, asset)| *asset).collect();
        for asset in known.linked.iter().filter(|(id, _)| !gone.contains(*id)).map(|(_, asset)| asset) {
            known.former.remove(asset);
        }
        Ok(known)
    }

    /// Whether there is anything to compare.
    fn is_settled(&self, list: &dyn DeviceList) -> bool {
        self.ownerless.is_empty() && self.open.is_empty() && self.former.is_empty() && !list.has_unknown(&self.linked)
    }
}

/// Collects them, chunk by chunk.
pub async fn collect(db: &Db, system: &'static str, list: &Arc<dyn DeviceList>, missing: &Missing) -> Result<UnlinkedDevices> {
    let gone: HashSet<String> = missing
        .evidence
        .iter()
        .filter(|(_, evidence)| matches!(evidence, Evidence::Gone(_)))
        .map(|(external_id, _)| external_id.clone())
        .collect();
    let known = db.read(&Scope::All, move |c| Snapshot::read(c, system, &gone)).await?;
    if known.is_settled(&**list) {
        return Ok(UnlinkedDevices::default());
    }
    let mut unlinked_devices = UnlinkedDevices { open: known.open.clone(), ..UnlinkedDevices::default() };
    unlinked_devices.candidates = candidates(db, system, list, &known).await?;
    if unlinked_devices.candidates.is_empty() {
        return Ok(unlinked_devices);
    }
    unlinked_devices.census = Census::of(&unlinked_devices.candidates);
    let stored = unlinked_devices.count(db, list, &known).await?;
    unlinked_devices.read(db, list, &known, &stored).await?;
    Ok(unlinked_devices)
}

/// The assets that a new device may be: live ones that no living record is linked to, and tombstones of syncs.
async fn candidates(
    db: &Db,
    system: &'static str,
    list: &Arc<dyn DeviceList>,
    known: &Snapshot,
) -> Result<HashMap<i64, Vec<Candidate>>> {
    let mut found: HashMap<i64, Vec<Candidate>> = HashMap::new();
    let taken: HashSet<i64> = known.linked.values().copied().collect();
    let mut after = 0;
    loop {
        let rows = db.read(&Scope::All, move |c| rows_store::identified(c, after, ROWS)).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in rows {
            let standing = match (taken.contains(&row.id), known.former.contains(&row.id)) {
                (_, true) => Standing::Former,
                (false, false) => Standing::Unlinked,
                (true, false) => continue,
            };
            let Some(company) = row.company else { continue };
            found.entry(company).or_default().push(row.candidate(standing));
        }
    }
    for tombstone in db.read(&Scope::All, rows_store::tombstones).await? {
        let lists = |(name, id): &(String, String)| name == system && list.lists(id);
        let (row, lately) = (tombstone.row, tombstone.lately);
        if let Some(company) = row.company.filter(|_| !tombstone.links.iter().any(lists)) {
            found.entry(company).or_default().push(row.candidate(Standing::Retired(lately)));
        }
    }
    Ok(found)
}

impl UnlinkedDevices {
    /// Counts what the assets carry that the vendor feeds. Returns the identifiers of those that stand in for a device.
    async fn count(&mut self, db: &Db, list: &Arc<dyn DeviceList>, known: &Snapshot) -> Result<HashMap<i64, Stored>> {
        let mut ids: HashMap<i64, Vec<&str>> = HashMap::new();
        for (external_id, asset) in &known.linked {
            ids.entry(*asset).or_default().push(external_id);
        }
        let mut stored = HashMap::new();
        let mut after = 0;
        loop {
            let rows = db.read(&Scope::All, move |c| rows_store::identified(c, after, ROWS)).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            for row in rows {
                let Some(ids) = ids.get(&row.id).filter(|_| !known.former.contains(&row.id)) else {
                    if row.company.is_none() {
                        self.census.note(Side::Here, &Bearer::Asset(row.id), &row.identifiers);
                    }
                    continue;
                };
                let listed: Vec<&str> = ids.iter().copied().filter(|id| list.lists(id)).collect();
                if !listed.is_empty() {
                    self.census.note(Side::There, &Bearer::Asset(row.id), &row.identifiers);
                }
                let undecided = listed.iter().any(|id| !known.decided.contains(*id));
                let look = self.follows(&row);
                if undecided && (look || self.waits(&listed, &row, known)) {
                    stored.insert(row.id, Stored { identifiers: row.identifiers, untouched: row.untouched, look });
                } else {
                    self.census.note(Side::Here, &Bearer::Asset(row.id), &row.identifiers);
                    if let Some(id) =
                        listed.first().filter(|_| !row.identifiers.beside_name() && self.unidentified.len() < UNIDENTIFIED)
                    {
                        self.unidentified.push(((*id).to_owned(), Bearer::Asset(row.id)));
                    }
                }
            }
        }
        Ok(stored)
    }

    /// Whether an asset was made without a comparison, or a person was asked about it.
    fn waits(&self, listed: &[&str], row: &Identified, known: &Snapshot) -> bool {
        known.ownerless.contains(&row.id) || listed.iter().any(|id| self.open.contains_key(*id))
    }

    /// Whether an asset carries an identifier of an older one of its company whose device is gone.
    fn follows(&self, row: &Identified) -> bool {
        let Some(others) = row.company.and_then(|company| self.candidates.get(&company)) else { return false };
        let alike = |other: &Candidate| {
            other.identifiers.hostname.likeness(&row.identifiers.hostname).is_some()
                || other.identifiers.serial.is_some() && other.identifiers.serial == row.identifiers.serial
                || other.identifiers.macs.iter().any(|mac| row.identifiers.macs.contains(mac))
        };
        others.iter().any(|other| other.standing == Standing::Former && other.id < row.id && alike(other))
    }

    /// Reads the vendor's records: what they carry, and which of them are new.
    async fn read(&mut self, db: &Db, list: &Arc<dyn DeviceList>, known: &Snapshot, stored: &HashMap<i64, Stored>) -> Result<()> {
        for chunk in 0..list.chunks() {
            let reader = list.clone();
            let told = db.read(&Scope::All, move |c| reader.read(c, chunk)).await?;
            for told in told.into_iter().filter(|told| told.gone.is_none()) {
                self.meet(told, known, stored);
            }
        }
        Ok(())
    }

    fn meet(&mut self, told: DeviceRecord, known: &Snapshot, stored: &HashMap<i64, Stored>) {
        let asset = known.linked.get(&told.external_id).copied();
        let mut identifiers = told.identifiers();
        let mut stand_in = None;
        if let Some(id) = asset {
            let Some(before) = stored.get(&id) else {
                self.census.note(Side::There, &Bearer::Asset(id), &identifiers);
                return;
            };
            identifiers.serial = identifiers.serial.or_else(|| before.identifiers.serial.clone());
            identifiers.add_macs(before.identifiers.macs.iter().cloned());
            let first = known.ownerless.contains(&id);
            stand_in = Some(StandIn { asset: id, untouched: before.untouched, first, look: first || before.look });
        }
        let bearer = asset.map_or_else(|| Bearer::Device(told.external_id.clone()), Bearer::Asset);
        let compared = told.company().filter(|company| self.candidates.contains_key(company));
        let Some(company) = compared else {
            self.census.note(Side::There, &bearer, &identifiers);
            if !identifiers.beside_name() && self.unidentified.len() < 2 * UNIDENTIFIED {
                self.unidentified.push((told.external_id, bearer));
            }
            return;
        };
        self.devices.push(UnlinkedDevice { external_id: told.external_id, label: told.label, company, identifiers, stand_in });
    }

    /// The devices whose serial number and addresses could tell more than their names do: others of
    /// their company carry such identifiers.
    #[must_use]
    pub fn worth_a_look(&self) -> Vec<usize> {
        let companies: Vec<i64> = self
            .candidates
            .iter()
            .filter(|(_, all)| all.iter().any(|candidate| candidate.identifiers.beside_name()))
            .map(|(company, _)| *company)
            .collect();
        let open = |unlinked_device: &UnlinkedDevice| {
            unlinked_device.identifiers.serial.is_none()
                && unlinked_device.stand_in.is_none_or(|stand_in| stand_in.look)
                && companies.contains(&unlinked_device.company)
        };
        self.devices.iter().enumerate().filter(|(_, unlinked_device)| open(unlinked_device)).map(|(at, _)| at).collect()
    }
}
