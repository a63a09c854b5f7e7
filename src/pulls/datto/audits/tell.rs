//! What an audit tells of the asset itself: one vendor's words among others, believed by the same rules.

use std::collections::HashSet;

use serde_json::Value;

use super::mapping;
use crate::{
    assets::Asset,
    assets::{audit::Audit, audit_store},
    db::Write,
    entity::Entity as _,
    error::Result,
    history,
    reconcile::assets::{
        device_identifiers,
        fields::{self, SourceValues},
        sources_store, takeover,
    },
    vendors::datto::SYSTEM,
};

/// The addresses among a device's adapters that other live devices have as well: a dock that nobody has listed yet.
fn on_others(w: &mut Write<'_>, asset_id: i64, audit: &Audit) -> Result<HashSet<String>> {
    let mut shared = HashSet::new();
    for mac in audit.nics.iter().filter_map(|nic| nic.mac_address.as_deref()) {
        if let Some((hex, _)) = device_identifiers::address(mac)
            && audit_store::has_other(w, asset_id, mac)?
        {
            shared.insert(hex);
        }
    }
    Ok(shared)
}

/// Lays what an audit says over what the vendor told before, and changes the row where that is believed.
/// Says whether it did. What the audit is silent about stays.
pub fn put(w: &mut Write<'_>, prefer: &str, asset_id: i64, audit: &Audit) -> Result<bool> {
    let sources = sources_store::of(w, vec![asset_id])?.remove(&asset_id).unwrap_or_default();
    let ours = sources.iter().find(|source| source.system == SYSTEM);
    let before: SourceValues = ours.map(|source| source.words.clone()).unwrap_or_default();
    let shared = on_others(w, asset_id, audit)?;
    let mac = mapping::lasting(&audit.nics, before.get("mac_address").and_then(Value::as_str), &shared);
    let told = [
        ("serial_number", &audit.serial_number),
        ("manufacturer", &audit.manufacturer),
        ("model", &audit.model),
        ("mac_address", &mac),
    ];
    let mut words = before.clone();
    for (column, value) in told {
        if let Some(value) = value {
            words.insert(column.to_owned(), Value::String(value.clone()));
        }
    }
    if words != before || ours.is_none() {
        sources_store::put(w, asset_id, SYSTEM, ours.and_then(|source| source.place.as_deref()), &words)?;
    }
    let mut all: Vec<(&str, &SourceValues)> = vec![(SYSTEM, &words)];
    all.extend(sources.iter().filter(|source| source.system != SYSTEM).map(|source| (source.system.as_str(), &source.words)));
    let wanted: Vec<(&str, Value)> =
        told.iter().filter_map(|(column, _)| Some((*column, fields::preferred(column, prefer, &all)?.1.clone()))).collect();
    let reason = Some("as the device's audit says");
    let updated = history::update::<Asset>(w, asset_id, None, reason, |asset| {
        wanted.iter().try_for_each(|(column, value)| asset.assign(column, value))
    })?;
    if updated.changed.iter().any(|(column, ..)| *column == "serial_number") {
        takeover::remember(w, asset_id)?;
    }
    Ok(!updated.changed.is_empty())
}
