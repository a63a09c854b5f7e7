//! From the RMM's record of a device to our columns.

use serde_json::{Map, Value};

use super::inventory::Site;
use crate::{
    assets::{
        Observation,
        model::type_of_category,
        secrets::{self, Names},
    },
    config::FieldNames,
    db::Value as Cell,
    reconcile::assets::DeviceRecord,
    vendors::datto::{SYSTEM, wire},
};

/// Bytes in a terabyte, as the contract counts them.
const TERABYTE: f64 = 1_099_511_627_776.0;

/// Text members and their columns.
const TEXTS: &[(&str, &str)] = &[
    ("operatingSystem", "operating_system"),
    ("domain", "domain"),
    ("description", "description"),
    ("portalUrl", "portal_url"),
    ("webRemoteUrl", "web_remote_url"),
];

/// A device in our words; `None` without a usable uid. One without a hostname goes by its uid. `site` is where its own site's list
/// put it, `company` whose that site is.
pub fn device(
    record: &Map<String, Value>,
    site: Option<&Site>,
    company: Option<i64>,
    names: &FieldNames,
) -> Option<DeviceRecord> {
    let external_id = wire::id(record, "uid")?;
    let hostname = record.get("hostname").filter(|name| name.is_string() || name.is_number()).and_then(wire::text_of);
    let hostname = hostname.and_then(|name| wire::clean(&name, 150));
    let mut told =
        DeviceRecord { label: hostname.clone().unwrap_or_else(|| format!("Device {external_id}")), ..DeviceRecord::default() };
    told.external_id = external_id;
    match (hostname, record.get("hostname")) {
        (Some(name), said) => {
            if said.is_some_and(Value::is_number) {
                told.ignored.push("hostname came as a number".to_owned());
            }
            told.values.set("hostname", name);
        }
        (None, _) => told.ignored.push("it has no usable hostname".to_owned()),
    }
    for (member, column) in TEXTS {
        text(&mut told, record, member, column);
    }
    if let Some(Cell::Text(system)) = told.values.get("operating_system").cloned() {
        told.values.set("os_version", build(&system).map(str::to_owned));
    }
    kind(&mut told, record);
    inner(&mut told, record, "antivirus", "antivirusProduct", "antivirus_product");
    match record.get("warrantyDate") {
        None => {}
        Some(Value::Null) => told.values.set("warranty_expires", Cell::Null),
        Some(value) => match wire::day_of(value) {
            Some(date) => told.values.set("warranty_expires", date),
            None if is_blank(value) => told.values.set("warranty_expires", Cell::Null),
            None => told.ignored.push("warrantyDate is no date".to_owned()),
        },
    }
    udf(&mut told, record, names);
    if let Some(site) = site {
        told.values.set("rmm_site_name", wire::clean(&site.name, 150));
        told.values.set("company_id", company);
        told.place = Some(site.uid.clone());
    }
    let class = record.get("deviceClass").and_then(Value::as_str).and_then(|class| wire::clean(class, 50));
    told.extras.set("device_class", class);
    told.seen = Some(seen(&mut told, record));
    told.gone = match wire::flag(record, "deleted") {
        Some(true) => Some("its record says that it is deleted".to_owned()),
        _ if site.is_some_and(|site| site.deleted) => Some("it is in the site \"Deleted Devices\" now".to_owned()),
        _ => None,
    };
    Some(told)
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty() || text.trim().eq_ignore_ascii_case("never"))
}

fn text(told: &mut DeviceRecord, record: &Map<String, Value>, member: &str, column: &'static str) {
    match record.get(member) {
        None => {}
        Some(Value::Null) => told.values.set(column, Cell::Null),
        Some(Value::String(text)) => told.values.set(column, wire::clean(text, wire::LONGEST_TEXT)),
        Some(value @ Value::Number(_)) => {
            told.ignored.push(format!("{member} came as a number"));
            told.values.set(column, wire::text_of(value));
        }
        Some(_) => told.ignored.push(format!("{member} is no text")),
    }
}

fn inner(told: &mut DeviceRecord, record: &Map<String, Value>, object: &str, member: &str, column: &'static str) {
    match record.get(object) {
        None => {}
        Some(Value::Null) => told.values.set(column, Cell::Null),
        Some(Value::Object(inner)) => text(told, inner, member, column),
        Some(_) => told.ignored.push(format!("{object} is no object")),
    }
}

/// The build at the end of a system's name: `10.0.22631` of "Microsoft Windows 11 Pro 10.0.22631".
fn build(system: &str) -> Option<&str> {
    let last = system.split_whitespace().next_back()?;
    let dotted = last.contains('.') && last.chars().all(|c| c.is_ascii_digit() || c == '.') && !last.starts_with('.');
    (dotted && system.trim() != last).then_some(last)
}

fn kind(told: &mut DeviceRecord, record: &Map<String, Value>) {
    inner(told, record, "deviceType", "category", "hardware_type");
    let by_category = type_of_category(told.values.text("hardware_type"));
    let by_class = match record.get("deviceClass").and_then(Value::as_str).unwrap_or_default() {
        "printer" => "printer",
        "esxihost" => "server",
        "rmmnetworkdevice" => "network_device",
        _ => "other",
    };
    told.values.set("kind", if by_category == "other" { by_class } else { by_category });
}

/// All user-defined fields as JSON, those that mean something to us in their own columns too; secrets, which
/// were sealed before, in their own columns alone.
fn udf(told: &mut DeviceRecord, record: &Map<String, Value>, names: &FieldNames) {
    let none = Map::new();
    let fields = match record.get("udf") {
        None => return,
        Some(Value::Null) => &none,
        Some(Value::Object(fields)) => fields,
        Some(_) => {
            told.ignored.push("udf is no object".to_owned());
            return;
        }
    };
    let mut kept: Vec<(&String, String)> =
        fields.iter().filter_map(|(name, value)| Some((name, wire::text_of(value)?))).collect();
    kept.sort_by_key(|(name, _)| (name.len(), (*name).clone()));
    let of = |ours: &str| {
        let name = names.vendor_name(ours);
        kept.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    };
    told.values.set("device_type", of("device_type"));
    told.values.set("enabled_administrators", of("enabled_administrators"));
    let bytes = of("backup_bytes").and_then(|text| bytes(&text));
    told.values.set("backup_usage_tb", bytes.map(terabytes));
    told.values.set("backup_data_bytes", bytes.unwrap_or(0));
    let secrets = Names::of(names);
    for kind in secrets.kinds() {
        let told_now = kept.iter().find(|(name, _)| secrets.kind(name) == Some(kind)).map(|(_, value)| value.as_str());
        match secrets::SecretField::of(told_now) {
            secrets::SecretField::None => told.values.set(kind.column, Cell::Null),
            secrets::SecretField::Sealed(sealed) => told.values.set(kind.column, sealed),
            secrets::SecretField::Unknown => {}
        }
    }
    kept.retain(|(name, _)| secrets.kind(name).is_none());
    let map: Map<String, Value> = kept.into_iter().map(|(name, value)| (name.clone(), value.into())).collect();
    told.values.set("udf", (!map.is_empty()).then(|| Value::Object(map).to_string()));
}

/// A number of bytes as somebody wrote it.
fn bytes(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>() {
        return (whole >= 0).then_some(whole);
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && (0.0..9e18).contains(number))?;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked; fractions of a byte are cut off")]
    Some(number as i64)
}

#[expect(clippy::cast_precision_loss, reason = "two decimals of a terabyte need no more")]
fn terabytes(bytes: i64) -> String {
    format!("{:.2}", bytes as f64 / TERABYTE)
}

fn seen(told: &mut DeviceRecord, record: &Map<String, Value>) -> Observation {
    let online = wire::flag(record, "online");
    if online.is_none() && record.get("online").is_some_and(|value| !value.is_null()) {
        told.ignored.push("online is neither yes nor no".to_owned());
    }
    let words = |member: &str, longest: usize| {
        let text = record.get(member).filter(|value| value.is_string()).and_then(wire::text_of)?;
        wire::clean(&text, longest)
    };
    let patches = record.get("patchManagement").and_then(Value::as_object).and_then(|patches| patches.get("patchStatus"));
    Observation {
        online,
        last_seen: wire::time(record, "lastSeen"),
        last_reboot: wire::time(record, "lastReboot"),
        last_audit_date: wire::time(record, "lastAuditDate"),
        last_logged_in_user: words("lastLoggedInUser", 150),
        ext_ip_address: words("extIpAddress", 50),
        int_ip_address: words("intIpAddress", 50),
        patch_status: patches.and_then(Value::as_str).and_then(|status| wire::clean(status, 50)),
        source: Some(SYSTEM.to_owned()),
        observed_at: None,
    }
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
