//! From the vendor's audit to ours, without trust: any field may be missing, null or of another type.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use crate::{
    assets::audit::{Audit, Software},
    assets::hardware::{Disk, Hardware, Nic},
    reconcile::assets::device_identifiers::{self, Standing},
    vendors::datto::wire::{self, integer, list, object, text},
};

/// Members that are told apart; everything else is kept as it came.
/// User-defined fields, which may be secrets, are the device's own record's to tell.
const KNOWN: [&str; 9] =
    ["systemInfo", "bios", "nics", "logicalDisks", "datastores", "processors", "portalUrl", "webRemoteUrl", "udf"];
/// The most text of details that is kept for a device, in bytes.
const DETAILS: usize = 200_000;
/// The longest name or version of a program.
const NAME: usize = 300;
/// Words in a drive's description that say it is not part of the device.
const FOREIGN: [&str; 8] = ["removable", "cd-rom", "cd rom", "dvd", "optical", "network", "floppy", "ram disk"];

/// What an audit says, of whatever class the device is.
#[must_use]
pub fn audit(record: &Map<String, Value>) -> Audit {
    let empty = Map::new();
    let system = object(record, "systemInfo").unwrap_or(&empty);
    let bios = object(record, "bios").unwrap_or(&empty);
    let snmp = object(record, "snmpInfo").unwrap_or(&empty);
    let nics: Vec<Nic> = records(record, "nics").filter_map(nic).collect();
    let serial = [text(bios, "serialNumber"), text(system, "serialNumber"), text(system, "serviceTag"), text(snmp, "snmpSerial")];
    Audit {
        hardware: Hardware {
            cpu: cpu(record),
            cpu_cores: integer(system, "totalCpuCores").filter(|cores| *cores > 0).or_else(|| cores(record)),
            ram_bytes: integer(system, "totalPhysicalMemory").filter(|bytes| *bytes > 0).or_else(|| modules(record)),
            bios_version: text(bios, "smBiosVersion"),
            bios_date: text(bios, "releaseDate").map(|date| bios.get("releaseDate").and_then(wire::day_of).unwrap_or(date)),
            details: details(record),
            ..Hardware::default()
        },
        disks: records(record, "logicalDisks").map(drive).chain(records(record, "datastores").map(store)).collect(),
        mac_address: lasting(&nics, None, &HashSet::new()),
        nics,
        serial_number: serial
            .into_iter()
            .flatten()
            .find(|serial| device_identifiers::serial(serial).is_some())
            .map(|text| cut(&text, 150)),
        manufacturer: named(text(system, "manufacturer")),
        model: named(text(system, "model")),
    }
}

/// Installed programs, each once.
#[must_use]
pub fn software(pages: &[Value]) -> Vec<Software> {
    let programs: BTreeSet<Software> = pages
        .iter()
        .filter_map(Value::as_object)
        .filter_map(|record| {
            let name = cut(&text(record, "name")?, NAME);
            Some(Software { name, version: text(record, "version").map(|version| cut(&version, NAME)) })
        })
        .collect();
    programs.into_iter().collect()
}

fn records<'j>(record: &'j Map<String, Value>, key: &str) -> impl Iterator<Item = &'j Map<String, Value>> {
    list(record, key).iter().filter_map(Value::as_object)
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

/// A maker's or model's name, if it is one.
fn named(text: Option<String>) -> Option<String> {
    let text = text.map(|text| cut(&text, 150))?;
    device_identifiers::serial(&text).or_else(|| (text.chars().count() < 4).then(|| text.clone())).map(|_| text)
}

/// The processors in words: `2 × Xeon Gold 6430` when they are the same.
fn cpu(record: &Map<String, Value>) -> Option<String> {
    let mut names: Vec<(String, usize)> = Vec::new();
    for name in records(record, "processors").filter_map(|processor| text(processor, "name")) {
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => names.push((name, 1)),
        }
    }
    let words = names.into_iter().map(|(name, count)| if count > 1 { format!("{count} × {name}") } else { name });
    Some(words.collect::<Vec<_>>().join(", ")).filter(|words| !words.is_empty())
}

fn cores(record: &Map<String, Value>) -> Option<i64> {
    let cores = records(record, "processors").filter_map(|processor| integer(processor, "numberOfCores"));
    Some(cores.filter(|cores| (1..10_000).contains(cores)).sum()).filter(|sum| *sum > 0)
}

fn modules(record: &Map<String, Value>) -> Option<i64> {
    let sizes = records(record, "physicalMemory").filter_map(|module| integer(module, "size"));
    Some(sizes.filter(|bytes| *bytes > 0).fold(0_i64, i64::saturating_add)).filter(|sum| *sum > 0)
}

fn drive(record: &Map<String, Value>) -> Disk {
    let description = text(record, "description");
    let foreign = description.as_deref().map(str::to_lowercase).is_some_and(|words| FOREIGN.iter().any(|w| words.contains(w)));
    let size_bytes = size(record, &["size"]);
    Disk {
        name: text(record, "diskIdentifier"),
        counts: !foreign && size_bytes.is_some_and(|size| size > 0),
        size_bytes,
        free_bytes: size(record, &["freespace", "freeSpace"]),
        description,
    }
}

/// A data store of a host.
fn store(record: &Map<String, Value>) -> Disk {
    let size_bytes = size(record, &["size"]);
    Disk {
        name: text(record, "datastoreName").or_else(|| text(record, "name")),
        description: text(record, "fileSystem"),
        counts: size_bytes.is_some_and(|size| size > 0),
        size_bytes,
        free_bytes: size(record, &["freeSpace", "freespace"]),
    }
}

fn size(record: &Map<String, Value>, keys: &[&str]) -> Option<i64> {
    keys.iter().find_map(|key| integer(record, key)).filter(|bytes| *bytes >= 0)
}

fn nic(record: &Map<String, Value>) -> Option<Nic> {
    let nic = Nic {
        name: text(record, "instance").or_else(|| text(record, "name")),
        mac_address: text(record, "macAddress").map(|mac| device_identifiers::spelled(&mac)),
        ipv4: text(record, "ipv4"),
        ipv6: text(record, "ipv6"),
        kind: text(record, "type"),
    };
    (nic != Nic::default()).then_some(nic)
}

/// The address that stays with the device: one given by a maker before one made up, that of the wired card before that
/// of a radio, never a dock's or a tunnel's, and none of those in `shared`, which are on other devices too. Which card
/// is in use does not count: that changes from audit to audit. `before` stays for as long as nothing better is known.
#[must_use]
pub fn lasting(nics: &[Nic], before: Option<&str>, shared: &HashSet<String>) -> Option<String> {
    let radio = |nic: &Nic| [&nic.name, &nic.kind].into_iter().flatten().any(|text| device_identifiers::is_radio(text));
    let own = nics.iter().filter(|nic| !nic.name.as_deref().is_some_and(device_identifiers::is_shared_adapter));
    let ranked: Vec<(Standing, bool, String)> = own
        .filter_map(|nic| {
            let (hex, standing) = device_identifiers::address(nic.mac_address.as_deref()?)?;
            (!shared.contains(&hex)).then(|| (standing, radio(nic), hex))
        })
        .collect();
    let best = ranked.iter().min_by_key(|(standing, radio, _)| (*standing, *radio));
    let before = before.and_then(device_identifiers::address).filter(|(hex, _)| !shared.contains(hex));
    let chosen = match (best, before) {
        (Some((best, ..)), Some((hex, standing)))
            if standing < *best || ranked.iter().any(|(of, _, one)| of == best && *one == hex) =>
        {
            hex
        }
        (Some((_, _, hex)), _) => hex.clone(),
        (None, Some((hex, _))) => hex,
        (None, None) => return None,
    };
    Some(device_identifiers::spelled(&chosen))
}

/// Boards, modules, displays and whatever else the vendor tells, as a JSON object.
fn details(record: &Map<String, Value>) -> Option<String> {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    let rest: Map<String, Value> = record
        .iter()
        .filter(|(name, value)| !KNOWN.contains(&name.as_str()) && !empty(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let text = Value::Object(rest).to_string().replace("\\u0000", "");
    (text.len() > 2 && text.len() <= DETAILS).then_some(text)
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
