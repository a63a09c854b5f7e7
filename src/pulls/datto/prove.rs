//! Finding out about devices that no list had: whether every list that could have them was read whole,
//! then their own address, else a second walk over everything.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{fetch::Reader, inventory::Inventory};
use crate::{
    error::Result,
    reconcile::{
        absence::{self, Again, Answer, Evidence, Search, Witness},
        assets::{Missing, devices, rows_store::Fed},
        sites::store::StoredSite,
    },
    types::now,
    vendors::datto::{NAME, SYSTEM, wire},
};

/// Devices asked for one by one in one run; the rest waits for the next.
const LOOKUPS: usize = 1000;

/// What was found out.
#[derive(Default)]
pub struct Findings {
    /// For the planner.
    pub missing: Missing,
    /// Why the lists as a whole prove nothing, when they do not.
    pub unproven: Option<String>,
}

/// Which sites were read whole.
pub struct Coverage<'s> {
    /// Every site that we know, by uid.
    pub known: &'s HashMap<String, StoredSite>,
    /// Whose each listed site is, by its place in the inventory.
    pub companies: &'s [Option<i64>],
}

impl Reader {
    /// Looks into every fed asset that no list had. Those that turn out to be alive are added to the inventory.
    pub async fn prove(&self, inventory: &mut Inventory, coverage: &Coverage<'_>) -> Result<Findings> {
        let lost = devices::unlisted(&self.job.db, SYSTEM, |uid| inventory.is_live(uid)).await?;
        let mut findings = Findings::default();
        if lost.is_empty() {
            return Ok(findings);
        }
        self.job.progress.begin("checking devices that were not listed", Some(lost.len() as u64));
        let unread = self.unread(inventory, coverage).await?;
        let mut open = Vec::new();
        for lost in &lost {
            findings.missing.rows.push((lost.external_id.clone(), lost.asset));
            let evidence = if let Some(why) = blind(lost, inventory, coverage, &unread) {
                Evidence::Unclear(why)
            } else if inventory.devices.get(&lost.external_id).is_some_and(|place| place.deleted) {
                Evidence::Gone(format!("its record says that it is deleted, read at {}", now()))
            } else if inventory.site_of(&lost.external_id).is_some_and(|site| site.deleted) {
                Evidence::Gone(format!("it is in the site \"Deleted Devices\" now, read at {}", now()))
            } else {
                open.push(lost.external_id.clone());
                continue;
            };
            findings.missing.evidence.insert(lost.external_id.clone(), evidence);
        }
        let mut asking = Asking { reader: self, inventory, alive: Vec::new() };
        let search = Search { lookups: LOOKUPS, rest_waits: true, walks: "every list", lists: "lists" };
        let found = absence::investigate(&mut asking, search, &open, &self.job.progress).await?;
        let alive = asking.alive;
        if found.count.list_lies() {
            let count = found.count.alive;
            findings.unproven =
                Some(format!("{NAME}: the lists lack at least {count} devices that still exist; nothing was retired"));
        }
        findings.missing.evidence.extend(found.evidence);
        if !alive.is_empty() {
            self.keep_found(inventory, &alive).await?;
            findings.missing.rows.retain(|(external_id, _)| !inventory.is_live(external_id));
        }
        Ok(findings)
    }

    /// The sites of which not every page was read. A site that the list of sites lacks counts as read
    /// when its own address says that there is none.
    async fn unread(&self, inventory: &Inventory, coverage: &Coverage<'_>) -> Result<HashSet<String>> {
        let mut unread: HashSet<String> =
            inventory.sites.iter().filter(|site| !site.whole).map(|site| site.uid.clone()).collect();
        for known in coverage.known.values().filter(|known| !inventory.by_uid.contains_key(&known.uid)) {
            if !matches!(self.client.site(&known.uid).await, Ok(None)) {
                unread.insert(known.uid.clone());
            }
        }
        Ok(unread)
    }
}

/// Asking about single devices.
struct Asking<'r> {
    reader: &'r Reader,
    inventory: &'r Inventory,
    /// The records of those that turned out to be alive.
    alive: Vec<Value>,
}

impl Witness for Asking<'_> {
    async fn can_ask(&mut self) -> bool {
        let inventory = self.inventory;
        let known = inventory.devices.iter().find(|(uid, place)| place.chunk.is_some() && inventory.is_live(uid));
        match known {
            Some((uid, _)) => matches!(self.reader.client.device(uid).await, Ok(Some(_))),
            None => false,
        }
    }

    async fn ask(&mut self, uid: &str) -> Answer {
        let record = match self.reader.client.device(uid).await {
            Ok(Some(record)) => record,
            Ok(None) => return Answer::Gone(format!("its own address /device/{uid} answered 404 at {}", now())),
            Err(fault) => return Answer::Fault(fault.to_string()),
        };
        let site = wire::id(&record, "siteUid").and_then(|uid| self.inventory.by_uid.get(&uid).copied());
        if wire::flag(&record, "deleted") == Some(true) {
            return Answer::Gone(format!("its own address says that it is deleted, read at {}", now()));
        }
        if site.and_then(|at| self.inventory.site(at)).is_some_and(|site| site.deleted) {
            let how = format!("its own address says that it is in the site \"Deleted Devices\", read at {}", now());
            return Answer::Gone(how);
        }
        self.alive.push(Value::Object(record));
        Answer::Alive
    }

    async fn walk_again(&mut self) -> Result<Again> {
        let inventory = self.inventory;
        let first = inventory.account_whole && inventory.sites.iter().all(|site| site.whole);
        let again = if first { self.reader.read_again(inventory).await? } else { None };
        Ok(again.map_or(Again::Unclear("the lists could not be read whole a second time"), Again::Listed))
    }
}

/// Why nothing can be said of an asset: a site that could have it was not read whole.
fn blind(lost: &Fed, inventory: &Inventory, coverage: &Coverage<'_>, unread: &HashSet<String>) -> Option<String> {
    if unread.is_empty() {
        return None;
    }
    let listed = inventory.sites.iter().zip(coverage.companies);
    let now = listed.filter(|(_, company)| company.is_some() && **company == lost.company).map(|(site, _)| site.uid.as_str());
    let before = coverage.known.values().filter(|known| known.company_id.is_some() && known.company_id == lost.company);
    let mut sites = now.chain(before.map(|known| known.uid.as_str())).chain(lost.place.as_deref());
    let nowhere = lost.company.is_none() && lost.place.is_none();
    (nowhere || sites.any(|uid| unread.contains(uid))).then(|| "not every site of its company was read whole".to_owned())
}
