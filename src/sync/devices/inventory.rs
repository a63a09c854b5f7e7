//! What the RMM's lists said, kept small: where each device is, and on which staged page its record stands.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{sync::datto::wire, types::fold};

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
    /// Its name.
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
        self.skip(&sheet.skipped);
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

/// The members of a device's record that we use.
const MEMBERS: &[&str] = &[
    "uid",
    "siteUid",
    "siteName",
    "deviceClass",
    "hostname",
    "intIpAddress",
    "extIpAddress",
    "operatingSystem",
    "lastLoggedInUser",
    "domain",
    "description",
    "rebootRequired",
    "online",
    "suspended",
    "deleted",
    "lastSeen",
    "lastReboot",
    "lastAuditDate",
    "portalUrl",
    "webRemoteUrl",
    "warrantyDate",
];

/// A device's record in short: what we do not use and what is null within lists of fields is left out.
fn short(record: &Map<String, Value>) -> Value {
    let mut kept = Map::new();
    for name in MEMBERS {
        if let Some(value) = record.get(*name) {
            kept.insert((*name).to_owned(), value.clone());
        }
    }
    for (name, members) in
        [("deviceType", &["category", "type"][..]), ("antivirus", &["antivirusProduct"]), ("patchManagement", &["patchStatus"])]
    {
        let Some(value) = record.get(name) else { continue };
        let inner = value.as_object().map(|all| {
            Value::Object(members.iter().filter_map(|key| Some(((*key).to_owned(), all.get(*key)?.clone()))).collect())
        });
        kept.insert(name.to_owned(), inner.unwrap_or_else(|| value.clone()));
    }
    if let Some(value) = record.get("udf") {
        let full = value.as_object().map(|all| {
            let set = all.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone()));
            Value::Object(set.collect())
        });
        kept.insert("udf".to_owned(), full.unwrap_or_else(|| value.clone()));
    }
    Value::Object(kept)
}

/// One page of devices, read without trust. `wanted` says which records are to be kept.
pub fn sheet(list: &str, number: u32, records: &[Value], wanted: impl Fn(&str) -> bool) -> Sheet {
    let mut sheet = Sheet { count: records.len(), ..Sheet::default() };
    for (index, record) in records.iter().enumerate() {
        let at = || format!("page {number} of {list}, record {}", index + 1);
        let Some(object) = record.as_object() else {
            sheet.skipped.push(format!("{}: no object", at()));
            continue;
        };
        let name = object.get("hostname").and_then(Value::as_str).map(|name| wire::clean(name, 80).unwrap_or_default());
        let name = name.filter(|name| !name.is_empty());
        let Some(uid) = object.get("uid").and_then(wire::id_of) else {
            sheet.skipped.push(format!("{:?} on {}: no usable uid", name.as_deref().unwrap_or("a device"), at()));
            continue;
        };
        sheet.ids.push((uid.clone(), object.get("siteUid").and_then(wire::id_of)));
        if name.is_none() {
            sheet.skipped.push(format!("{uid} on {}: no usable hostname", at()));
        } else if wanted(&uid) {
            sheet.records.push(short(object));
        }
    }
    sheet
}
