//! From the vendor's alert to ours, without trust.

use serde_json::{Map, Value};

use super::words;
use crate::{
    monitoring::alert::Alert,
    vendors::datto::wire::{self, flag, id, integer, object, text, time},
};

/// The most text that is kept of one part of an alert, in bytes.
const LONGEST: usize = 60_000;

/// An alert in our words; `None` without a usable id. `resolved` is which list it stood in, where the record
/// itself does not say.
#[must_use]
pub fn alert(record: &Map<String, Value>, resolved: bool) -> Option<Alert> {
    let empty = Map::new();
    let source = object(record, "alertSourceInfo").unwrap_or(&empty);
    let context = object(record, "alertContext").unwrap_or(&empty);
    let kind: String = text(context, "@class").unwrap_or_default().chars().take(100).collect();
    let resolved = resolved || flag(record, "resolved") == Some(true);
    Some(Alert {
        alert_uid: id(record, "alertUid")?,
        device_uid: id(source, "deviceUid"),
        device_name: short(source, "deviceName"),
        site_uid: id(source, "siteUid"),
        site_name: short(source, "siteName"),
        priority: text(record, "priority").unwrap_or_default(),
        message: words::message(&kind, context),
        kind,
        raised_at: time(record, "timestamp"),
        muted: flag(record, "muted").unwrap_or(false),
        resolved,
        resolved_at: time(record, "resolvedOn").filter(|_| resolved),
        resolved_by: short(record, "resolvedBy").filter(|_| resolved),
        ticket_number: short(record, "ticketNumber"),
        diagnostics: text(record, "diagnostics"),
        context: kept(record.get("alertContext")),
        monitor: kept(record.get("alertMonitorInfo")),
        actions: kept(record.get("responseActions")),
        autoresolve_mins: integer(record, "autoresolveMins"),
        ..Alert::default()
    })
}

fn short(record: &Map<String, Value>, key: &str) -> Option<String> {
    text(record, key).and_then(|text| wire::clean(&text, 200))
}

/// A part as it came, unless it is empty or beyond reason.
fn kept(value: Option<&Value>) -> Option<String> {
    let value = value.filter(|value| match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    })?;
    Some(value.to_string().replace("\\u0000", "")).filter(|text| text.len() <= LONGEST)
}
