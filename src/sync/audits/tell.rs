//! What an audit tells of the asset itself: one vendor's words among others, believed by the same rules.

use serde_json::Value;

use crate::{
    assets::{Asset, audit::Audit},
    db::Write,
    error::Result,
    history,
    sync::{
        assets::{
            fields::{self, Words},
            sources_store,
        },
        columns::Assign as _,
        datto::SYSTEM,
    },
};

/// Lays what an audit says over what the vendor told before, and changes the row where that is believed.
/// Says whether it did. What the audit is silent about stays.
pub fn put(w: &mut Write<'_>, prefer: &str, asset_id: i64, audit: &Audit) -> Result<bool> {
    let told = [
        ("serial_number", &audit.serial_number),
        ("manufacturer", &audit.manufacturer),
        ("model", &audit.model),
        ("mac_address", &audit.mac_address),
    ];
    let sources = sources_store::of(w, vec![asset_id])?.remove(&asset_id).unwrap_or_default();
    let ours = sources.iter().find(|source| source.system == SYSTEM);
    let before: Words = ours.map(|source| source.words.clone()).unwrap_or_default();
    let mut words = before.clone();
    for (column, value) in told {
        if let Some(value) = value {
            words.insert(column.to_owned(), Value::String(value.clone()));
        }
    }
    if words != before || ours.is_none() {
        sources_store::put(w, asset_id, SYSTEM, ours.and_then(|source| source.place.as_deref()), &words)?;
    }
    let mut all: Vec<(&str, &Words)> = vec![(SYSTEM, &words)];
    all.extend(sources.iter().filter(|source| source.system != SYSTEM).map(|source| (source.system.as_str(), &source.words)));
    let wanted: Vec<(&str, Value)> =
        told.iter().filter_map(|(column, _)| Some((*column, fields::believed(column, prefer, &all)?.1.clone()))).collect();
    let reason = Some("as the device's audit says");
    let updated = history::update::<Asset>(w, asset_id, None, reason, |asset| {
        wanted.iter().try_for_each(|(column, value)| asset.assign(column, value))
    })?;
    Ok(!updated.changed.is_empty())
}
