//! One asset gives way to another, because both are the same device: the older row goes on, as strictly protected as
//! either was.

use super::{device_identifiers, planner::Rules, rows_store, sources_store};
use crate::{
    assets::{self, Asset},
    db::Write,
    error::Result,
    history::{self, Record as _, links, protection},
    network,
    plan::cells::Cells,
    reconcile::assign,
    resource::dependents,
};

/// The asset that was made for a device gives way to the one that it is: what belongs to it moves, and it is retired unless
/// another vendor knows it too. Each stays as protected as the other was: both hold what is known of one device.
pub fn hand_over(w: &mut Write<'_>, stand_in: i64, to: i64, system: &str, why: &str) -> Result<()> {
    sources_store::forget(w, stand_in, system)?;
    network::adopt_store::hand_over(w, stand_in, to)?;
    dependents::hand_over(w, Asset::ENTITY, stand_in, to)?;
    protection::inherit(w, Asset::ENTITY, stand_in, to)?;
    protection::inherit(w, Asset::ENTITY, to, stand_in)?;
    if !links::exists(w, Asset::ENTITY, stand_in)? {
        history::retire::<Asset>(w, stand_in, Some(&format!("it is asset {to}: {why}")))?;
    }
    Ok(())
}

/// A device that a vendor tells of may have been an asset before: the one with its serial number that no living device is.
/// It is protected as that one was, whatever its place at the vendor says now.
pub fn remember(w: &mut Write<'_>, id: i64) -> Result<()> {
    let asset: Asset = history::get(w, id)?;
    let Some(serial) = asset.serial_number.filter(|serial| device_identifiers::serial(serial).is_some()) else { return Ok(()) };
    for former in rows_store::gone_with_serial(w, &serial)? {
        protection::inherit(w, Asset::ENTITY, former, id)?;
    }
    Ok(())
}

/// Says that a device is this asset. What stood in for it gives way, what its vendor told of it comes along at once, and
/// a tombstone lives again.
pub fn adopt(w: &mut Write<'_>, rules: Rules, to: i64, external_id: &str, why: &str) -> Result<()> {
    let stand_in = links::find(w, rules.system, Asset::ENTITY, external_id)?.filter(|here| *here != to);
    let mut rows = rows_store::by_ids(w, &[&[to], stand_in.as_slice()].concat())?;
    if let Some(row) = rows.get(&to).filter(|row| row.retired) {
        for (system, former) in &row.links {
            if system == rules.system && former != external_id {
                links::unlink(w, Asset::ENTITY, to, system, former)?;
            }
        }
        history::restore::<Asset>(w, to, Some(why))?;
    }
    links::link(w, Asset::ENTITY, to, rules.system, external_id)?;
    if let Some(before) = stand_in.and_then(|id| rows.remove(&id)) {
        if let Some((words, place)) = before.told.get(rules.system) {
            let mut all = rows.get(&to).and_then(|row| row.told.get(rules.system)).map(|(words, _)| words.clone());
            all.get_or_insert_default().extend(words.clone());
            sources_store::put(w, to, rules.system, place.as_deref(), &all.unwrap_or_default())?;
        }
        if let Some(seen) = before.seen.filter(|seen| seen.source.as_deref() == Some(rules.system)) {
            assets::store::observe(w, to, &seen)?;
        }
        hand_over(w, before.id, to, rules.system, why)?;
    }
    let Some(row) = rows_store::by_ids(w, &[to])?.remove(&to) else { return Ok(()) };
    let changes = row.differences(&row.wanted(rules, &Cells::default())).0;
    history::update::<Asset>(w, to, None, Some(why), |asset| assign::assign(asset, &changes))?;
    remember(w, to)
}
