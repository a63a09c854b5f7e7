//! What the RMM's lists said, kept small: where each device is, and on which staged page its record stands.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{types::fold, vendors::datto::wire};

/// The site in which the vendor keeps what was deleted.
const DELETED: &str = "deleted devices";
/// How many skipped records are described.
const DESCRIBED: usize = 60;

/// One page as it is staged: what it listed, and only the records and members that are needed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sheet {
    /// Every usable id, with the site that the record names.
    pub ids: Vec<(String, Option<String>)>,
    /// How many records the page had.
    pub count: usize,
    /// Records in short.
    pub records: Vec<Value>,
    /// Records that could not be used, in words.
    pub skipped: Vec<String>,
    /// What the vendor said of the whole list.
    pub total: Option<u64>,
    /// Whether the vendor said that another page follows.
    pub next: bool,
}

/// A site, as far as it could be read.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The vendor's id.
    pub uid: String,
    pub name: String,
    /// Whether it is the place of what was deleted.
    pub deleted: bool,
    /// The distinct values of its account number's variable; `None` when they could not be read.
    pub numbers: Option<Vec<String>>,
    /// Whether every page of its devices was read.
    pub whole: bool,
}

/// Where a device is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// Its site, by its place in [`Inventory::sites`].
    pub site: Option<u32>,
    /// Whether a site's own list said so.
    pub certain: bool,
    /// Whether its record says that it is deleted.
    pub deleted: bool,
    /// The chunk with its record.
    pub chunk: Option<u32>,
}

/// Everything that was listed.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The sites, in the order of the list.
    pub sites: Vec<Site>,
    /// Their places by uid.
    pub by_uid: HashMap<String, u32>,
    /// Every device that any list named, also by a record that could not be used.
    pub devices: HashMap<String, Place>,
    /// The staged pages that hold records.
    pub chunks: Vec<(String, i64)>,
    /// Whether the account's own list was read to its end, and did not move meanwhile.
    pub account_whole: bool,
    /// How many records could not be used.
    pub skipped: usize,
    /// The first of them, in words.
    pub skipped_records: Vec<String>,
    /// What could not be read.
    pub problems: Vec<String>,
}

impl Inventory {
    /// Adds a site.
    pub fn add_site(&mut self, uid: String, name: String) {
        if self.by_uid.contains_key(&uid) {
            return;
        }
        let at = u32::try_from(self.sites.len()).unwrap_or(u32::MAX);
        self.by_uid.insert(uid.clone(), at);
        self.sites.push(Site { deleted: fold(&name) == DELETED, uid, name, ..Site::default() });
    }

    /// The site at a place.
    pub fn site(&self, at: u32) -> Option<&Site> {
        self.sites.get(at as usize)
    }

    /// The site of a device.
    pub fn site_of(&self, uid: &str) -> Option<&Site> {
        self.site(self.devices.get(uid)?.site?)
    }

    /// Notes records that could not be used.
    pub fn skip(&mut self, what: &[String]) {
        self.skipped += what.len();
        let room = DESCRIBED.saturating_sub(self.skipped_records.len());
        self.skipped_records.extend(what.iter().take(room).cloned());
    }

    /// Takes a staged page of devices over; `site` is the site whose own list it is.
    pub fn take(&mut self, list: &str, page: i64, sheet: &Sheet, site: Option<u32>) {
        // What the account's own list had told of is not told again.
        if site.is_none() || !self.account_whole {
            self.skip(&sheet.skipped);
        }
        let chunk = (!sheet.records.is_empty()).then(|| {
            self.chunks.push((list.to_owned(), page));
            u32::try_from(self.chunks.len() - 1).unwrap_or(u32::MAX)
        });
        for (uid, named) in &sheet.ids {
            let named = named.as_ref().and_then(|uid| self.by_uid.get(uid)).copied();
            let place = self.devices.entry(uid.clone()).or_default();
            match site {
                // Two sites that both list it: the one that its record names.
                Some(_) if place.certain && place.site == named => {}
                Some(_) => (place.site, place.certain) = (site, true),
                None => place.site = place.site.or(named),
            }
        }
        for record in sheet.records.iter().filter_map(Value::as_object) {
            let Some(uid) = wire::id(record, "uid") else { continue };
            let place = self.devices.entry(uid).or_default();
            if place.chunk.is_none() {
                (place.chunk, place.deleted) = (chunk, wire::flag(record, "deleted") == Some(true));
            }
        }
    }

    /// Whether a device is listed as a live one.
    pub fn is_live(&self, uid: &str) -> bool {
        self.devices.get(uid).is_some_and(|place| !place.deleted) && !self.site_of(uid).is_some_and(|site| site.deleted)
    }

    /// Whether there is no usable record of a device yet.
    pub fn wants(&self, uid: &str) -> bool {
        self.devices.get(uid).is_none_or(|place| place.chunk.is_none())
    }
}
