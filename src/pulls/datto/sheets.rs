//! One page of each of the RMM's lists, read without trust and kept in short.

use serde_json::{Map, Value, json};

use super::inventory::Sheet;
use crate::{
    assets::secrets::Sealer,
    vendors::datto::{same_name, wire},
};

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
/// Secrets are sealed here, before anything is stored.
fn short(record: &Map<String, Value>, sealer: &Sealer) -> Value {
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
            let mut set: Map<String, Value> = set.collect();
            sealer.hide(&mut set, wire::text_of);
            Value::Object(set)
        });
        // Whatever else it is may hold a secret, too; what is not null tells that it is no object.
        let other = if value.is_null() { Value::Null } else { Value::Bool(true) };
        kept.insert("udf".to_owned(), full.unwrap_or(other));
    }
    Value::Object(kept)
}

/// One page of devices, read without trust. `wanted` says which records are to be kept.
pub fn devices(list: &str, number: u32, records: &[Value], sealer: &Sealer, wanted: impl Fn(&str) -> bool) -> Sheet {
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
        if wanted(&uid) {
            sheet.records.push(short(object, sealer));
        }
    }
    sheet
}

/// One page of sites.
pub fn sites_sheet(number: u32, records: &[Value]) -> Sheet {
    let mut sheet = Sheet { count: records.len(), ..Sheet::default() };
    for (index, record) in records.iter().enumerate() {
        let uid = record.get("uid").and_then(wire::id_of);
        let name = record.get("name").filter(|name| name.is_string() || name.is_number()).and_then(wire::text_of);
        let name = name.and_then(|name| wire::clean(&name, 150));
        match uid {
            Some(uid) => {
                sheet.ids.push((uid.clone(), None));
                let name = name.unwrap_or_else(|| format!("Site {uid}"));
                sheet.records.push(json!({ "uid": uid, "name": name }));
            }
            None => {
                let name = name.as_deref().unwrap_or("a site");
                sheet.skipped.push(format!("{name:?} on page {number} of sites, record {}: no usable uid", index + 1));
            }
        }
    }
    sheet
}

/// The distinct account numbers that a site's variables say, in order.
pub fn numbers(sheets: &[Sheet]) -> Vec<String> {
    let mut numbers: Vec<String> = Vec::new();
    for value in sheets.iter().flat_map(|sheet| &sheet.records).filter_map(|record| record["value"].as_str()) {
        let value = value.trim();
        if !value.is_empty() && !numbers.iter().any(|known| known == value) {
            numbers.push(value.to_owned());
        }
    }
    numbers.sort();
    numbers
}

/// Of a site's variables only the account number (the variable called `wanted`) is kept: others may be secrets.
pub fn variables(wanted: &str, records: &[Value]) -> Sheet {
    let mut sheet = Sheet { count: records.len(), ..Sheet::default() };
    for record in records.iter().filter_map(Value::as_object) {
        let name = record.get("name").and_then(wire::text_of).unwrap_or_default();
        let name = name.as_str();
        if let Some(id) = wire::id(record, "id").or_else(|| wire::clean(name, 100)) {
            sheet.ids.push((id, None));
        }
        if same_name(name, wanted) {
            let value = record.get("value").filter(|value| value.is_string() || value.is_number()).and_then(wire::text_of);
            sheet.records.push(json!({ "value": value.and_then(|value| wire::clean(&value, 100)) }));
        }
    }
    sheet
}
