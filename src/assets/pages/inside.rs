//! What an audit found inside a device, as its page shows it.

use askama::Template;
use serde_json::Value as Json;

use crate::{
    assets::{
        audit::Software,
        hardware::{Disk, Hardware, Inside, Nic},
    },
    error::Result,
    resource::{
        panel::{Content, Panel, Tab},
        values::gigabytes,
    },
    ui::{Item, Line, Markup, Table, Value, filters},
};

/// How many programs are shown before somebody searches.
const SHOWN: usize = 20;

/// A drive with its bar.
pub struct Drive {
    /// `C:`.
    pub name: String,
    /// The part of the bar that is filled, 0 to 100.
    pub share: i64,
    /// In words: `61.5 % of 476.9 GB`.
    pub words: String,
    /// The vendor's words for it.
    pub description: String,
}

/// The hardware of a device that was audited.
#[derive(Template)]
#[template(path = "assets/hardware.html")]
struct HardwareCard {
    /// When the audit was made.
    collected_at: String,
    /// Processor, memory, firmware, boards.
    hardware: Vec<Item>,
    drives: Vec<Drive>,
}

/// Its programs.
#[derive(Template)]
#[template(path = "assets/software.html")]
struct SoftwareCard<'a> {
    base: &'a str,
    /// The search.
    asked: &'a str,
    /// Those that match it.
    software: Table,
}

/// What the page of a device that was audited shows of it; `software` has been searched already.
///
/// # Errors
/// `Internal` when a template fails.
pub fn panels(inside: &Inside, software: &[Software], asked: &str, base: &str) -> Result<Vec<Panel>> {
    let Some(collected_at) = inside.collected_at.clone() else { return Ok(Vec::new()) };
    let hardware = inside.hardware.as_ref().map(items).unwrap_or_default();
    let hardware = HardwareCard { collected_at, hardware, drives: inside.disks.iter().map(drive).collect() };
    let programs = SoftwareCard { base, asked, software: programs(software, asked, base) };
    let hardware = Panel::new(Tab::Hardware, "hardware", "Hardware", Content::Drawn(Markup::of(&hardware)?));
    let adapters = Panel::new(Tab::Network, "network", "Network adapters", Content::Rows(nics(&inside.network_adapters)));
    let software = Panel::new(Tab::Software, "software", "Installed software", Content::Drawn(Markup::of(&programs)?));
    Ok(vec![hardware, adapters, Panel { count: inside.software_count, ..software }])
}

fn items(hardware: &Hardware) -> Vec<Item> {
    let size = |bytes: Option<i64>| Value::text(bytes.map(|bytes| format!("{} GB", gigabytes(bytes))).as_deref());
    let cores = hardware.cpu_cores.map(|cores| cores.to_string());
    let free = hardware.disk_bytes.zip(hardware.disk_free_bytes);
    let free = free.map(|(size, free)| format!("{} GB of {} GB", gigabytes(free), gigabytes(size)));
    let details = hardware.details();
    let board = details.get("baseBoard").map(|board| together(board, &["manufacturer", "product", "version"]));
    let mut items = vec![
        Item::new("Processor", Value::text(hardware.cpu.as_deref())),
        Item::new("Cores", Value::text(cores.as_deref())),
        Item::new("Memory", size(hardware.ram_bytes)),
        Item::new("Free on disks", Value::text(free.as_deref())),
        Item::new("Firmware", Value::text(hardware.bios_version.as_deref())),
        Item::new("Firmware date", Value::date(hardware.bios_date.as_deref())),
        Item::new("Board", Value::text(board.as_deref())),
    ];
    for (label, list, parts) in [
        ("Memory modules", "physicalMemory", ["module", "size", "type", "speed"].as_slice()),
        ("Displays", "displays", &["instance", "manufacturer", "model", "screenWidth"]),
        ("Video", "videoBoards", &["displayAdapter", "name", "model"]),
        ("Guests", "guests", &["guestName", "name"]),
        ("Supplies", "printerMarkerSupplies", &["description", "suppliesLevel"]),
    ] {
        let lines = details.get(list).and_then(Json::as_array).into_iter().flatten();
        let lines: Vec<String> = lines.map(|one| together(one, parts)).filter(|line| !line.is_empty()).collect();
        if !lines.is_empty() {
            items.push(Item::new(label, Value::Lines(lines.join("\n"))));
        }
    }
    items.retain(|item| !matches!(item.value, Value::None));
    items
}

/// Some members of an object, side by side.
fn together(object: &Json, members: &[&str]) -> String {
    let texts = members.iter().filter_map(|name| match object.get(*name)? {
        Json::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Json::Number(number) if *name == "size" => number.as_i64().map(|bytes| format!("{} GB", gigabytes(bytes))),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join(" ")
}

fn drive(disk: &Disk) -> Drive {
    let used = disk.used_percent();
    let size = disk.size_bytes.filter(|bytes| *bytes > 0).map(gigabytes);
    #[expect(clippy::cast_possible_truncation, reason = "a share from 0 to 100")]
    let share = used.unwrap_or_default().round() as i64;
    let words = match (used, size) {
        (Some(used), Some(size)) => format!("{used} % of {size} GB used"),
        (None, Some(size)) => format!("{size} GB"),
        _ => "size not known".to_owned(),
    };
    Drive {
        name: disk.name.clone().unwrap_or_else(|| "Disk".to_owned()),
        share,
        words,
        description: disk.description.clone().unwrap_or_default(),
    }
}

fn nics(all: &[Nic]) -> Table {
    let lines = all.iter().map(|nic| Line {
        cells: vec![
            Value::text(nic.name.as_deref()),
            Value::code(nic.mac_address.as_deref()),
            Value::code(nic.ipv4.as_deref()),
            Value::code(nic.ipv6.as_deref()),
            Value::text(nic.kind.as_deref()),
        ],
        post: None,
    });
    Table {
        label: "Network adapters",
        heads: vec![
            ("Adapter", "cell--main"),
            ("MAC address", ""),
            ("IPv4", "cell--sub"),
            ("IPv6", "cell--cut"),
            ("Kind", "cell--sub"),
        ],
        lines: lines.collect(),
        empty: "The audit names no network adapter.",
        more: None,
    }
}

fn programs(software: &[Software], asked: &str, here: &str) -> Table {
    let shown = if asked.is_empty() { SHOWN } else { usize::MAX };
    let lines = software
        .iter()
        .take(shown)
        .map(|one| Line { cells: vec![Value::words(one.name.clone()), Value::text(one.version.as_deref())], post: None });
    Table {
        label: "Installed software",
        heads: vec![("Program", "cell--main"), ("Version", "cell--end")],
        lines: lines.collect(),
        empty: if asked.is_empty() { "The audit names no program." } else { "No program has this in its name." },
        more: (software.len() > shown)
            .then(|| (format!("{here}?software=*#software"), format!("All {} programs", software.len()))),
    }
}
