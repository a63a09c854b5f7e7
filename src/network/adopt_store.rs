//! Network gear that the RMM sees becomes equipment by itself, linked to its asset.

use super::model::{Connection, Equipment, Interface};
use crate::{
    db::{Conn, Write},
    entity::noun::ids_where,
    error::Result,
    history, params,
    types::fold,
};

/// What names and models of a kind contain, the most telling kinds first: words of at most four letters whole, longer ones
/// as beginnings.
const TELLING: &[(&str, &[&str])] = &[
    ("firewall", &["firewall", "fortigate", "sonicwall", "pfsense", "watchguard", "firebox", "udm", "usg", "asa"]),
    ("ap", &["ap", "uap", "u6", "u7", "aironet", "wireless", "accesspoint"]),
    ("switch", &["switch", "usw", "catalyst", "procurve", "c1200", "nexus", "sw"]),
    ("router", &["router", "edgerouter", "mikrotik", "gateway", "isr", "rtr"]),
];
/// The longest words that must be whole.
const WHOLE: usize = 4;

/// What somebody calls a device, as one of the kinds of equipment.
#[must_use]
pub fn kind_of<'a>(words: impl IntoIterator<Item = &'a str>) -> &'static str {
    let text = words.into_iter().map(fold).collect::<Vec<_>>().join(" ").replace("access point", "accesspoint");
    let words: Vec<&str> = text.split(|letter: char| !letter.is_alphanumeric()).collect();
    let is_told =
        |known: &&str| words.iter().any(|word| if known.len() <= WHOLE { word == known } else { word.starts_with(known) });
    let telling = TELLING.iter().find(|(_, known)| known.iter().any(is_told));
    telling.map_or("other", |(kind, _)| kind)
}

/// An asset that is network gear.
struct Gear {
    asset_id: i64,
    equipment: Equipment,
}

/// At most so many assets of network gear that have never been equipment. Their addresses are not copied: they follow the
/// protection of the asset, and equipment has none.
fn unlinked_devices(c: &mut Conn, most: i64) -> Result<Vec<Gear>> {
    let sql = "SELECT asset.id, asset.company_id, asset.hostname, asset.manufacturer, asset.model, asset.serial_number, asset.device_type
         FROM @assets asset WHERE asset.kind = 'network_device' AND asset.company_id IS NOT NULL AND asset.retired_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM @network_equipment known WHERE known.asset_id = asset.id OR known.adopted_from = asset.id)
         ORDER BY asset.id LIMIT ?1";
    c.map(sql, params![most], |row| {
        let (asset_id, name): (i64, String) = (row.get(0)?, row.get(2)?);
        let (manufacturer, model, device_type): (Option<String>, Option<String>, Option<String>) =
            (row.get(3)?, row.get(4)?, row.get(6)?);
        let words = [Some(name.as_str()), model.as_deref(), manufacturer.as_deref(), device_type.as_deref()];
        let kind = kind_of(words.into_iter().flatten()).to_owned();
        let (company_id, serial_number) = (row.get(1)?, row.get(5)?);
        let asset = Some(asset_id);
        let equipment =
            Equipment { company_id, kind, manufacturer, model, serial_number, asset_id: asset, name, ..Equipment::default() };
        Ok(Gear { asset_id, equipment })
    })
}

/// The one equipment of the company that somebody has entered by hand with this serial number.
fn entered(c: &mut Conn, equipment: &Equipment) -> Result<Option<i64>> {
    let sql = "SELECT known.id FROM @network_equipment known WHERE known.company_id = ?1 AND known.serial_number = ?2
        AND known.asset_id IS NULL AND known.adopted_from IS NULL AND known.retired_at IS NULL LIMIT 2";
    let Some(serial) = &equipment.serial_number else { return Ok(None) };
    let found: Vec<i64> = c.map(sql, params![equipment.company_id, serial], |row| row.get(0))?;
    Ok(if let [only] = found.as_slice() { Some(*only) } else { None })
}

/// Makes at most so many of them equipment, or links the one that somebody has entered; how many there were. What was once
/// adopted is not adopted again, whatever a person does with it.
pub fn adopt(w: &mut Write<'_>, most: i64) -> Result<usize> {
    let found = unlinked_devices(w, most)?;
    for gear in &found {
        let reason = format!("asset {} is network gear", gear.asset_id);
        let id = match entered(w, &gear.equipment)? {
            Some(id) => {
                history::update(w, id, None, Some(&reason), |row: &mut Equipment| {
                    row.asset_id = Some(gear.asset_id);
                    Ok(())
                })?;
                id
            }
            None => history::create(w, &gear.equipment, Some(&reason))?.id,
        };
        w.run("UPDATE network_equipment SET adopted_from = ?1 WHERE id = ?2", params![gear.asset_id, id])?;
    }
    Ok(found.len())
}

/// One asset gives way to another that is the same device: its equipment goes on with that one, unless that has some already.
pub fn hand_over(w: &mut Write<'_>, from: i64, to: i64) -> Result<()> {
    let has = "SELECT 1 FROM @network_equipment known WHERE known.asset_id = ?1 OR known.adopted_from = ?1";
    if w.first(has, params![to])?.is_some() {
        return Ok(());
    }
    for id in ids_where::<Equipment>(w, "asset_id", from)? {
        history::update(w, id, None, Some("its asset gave way to another"), |row: &mut Equipment| {
            row.asset_id = Some(to);
            Ok(())
        })?;
        w.run("UPDATE network_equipment SET adopted_from = ?1 WHERE id = ?2", params![to, id])?;
    }
    Ok(())
}

/// Whose some equipment is or is about to be: its asset's company, or its own when the RMM does not see it.
fn goes_to(c: &mut Conn, id: i64) -> Result<Option<i64>> {
    let sql = "SELECT COALESCE(asset.company_id, equipment.company_id) FROM @network_equipment equipment
        LEFT JOIN @assets asset ON asset.id = equipment.asset_id AND asset.retired_at IS NULL WHERE equipment.id = ?1";
    Ok(c.first(sql, params![id])?.map(|row| row.get(0)).transpose()?.flatten())
}

/// Lets at most so much equipment after an id follow its asset to another company: it takes its interfaces along, stays joined
/// to what goes there too, and leaves the rest behind. How many did, and the last id that was looked at; none at the end.
pub fn follow(w: &mut Write<'_>, after: i64, most: i64) -> Result<(usize, Option<i64>)> {
    let sql = "SELECT equipment.id, asset.company_id FROM @network_equipment equipment JOIN @assets asset ON asset.id = equipment.asset_id
        WHERE asset.company_id <> equipment.company_id AND asset.retired_at IS NULL AND equipment.id > ?1
        ORDER BY equipment.id LIMIT ?2";
    let found: Vec<(i64, i64)> = w.map(sql, params![after, most], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let reason = Some("its asset is another company's now");
    let mut moved = 0;
    for (id, company) in &found {
        let uplink = history::get::<Equipment>(w, *id)?.uplink_id;
        let uplink = match uplink {
            Some(up) if goes_to(w, up)? == Some(*company) => Some(up),
            _ => None,
        };
        let went = history::update(w, *id, None, reason, |row: &mut Equipment| {
            (row.company_id, row.location_id, row.uplink_id) = (*company, None, uplink);
            Ok(())
        })?;
        // A person may have pinned where it is.
        if went.record.company_id != *company {
            continue;
        }
        moved += 1;
        for below in ids_where::<Equipment>(w, "uplink_id", *id)? {
            if goes_to(w, below)? == Some(*company) {
                continue;
            }
            history::update(w, below, None, reason, |row: &mut Equipment| {
                row.uplink_id = None;
                Ok(())
            })?;
        }
        for column in ["a_id", "b_id"] {
            for connection in ids_where::<Connection>(w, column, *id)? {
                let joins: Connection = history::get(w, connection)?;
                let other = if joins.a_id == *id { joins.b_id } else { joins.a_id };
                if goes_to(w, other)? != Some(*company) {
                    history::retire::<Connection>(w, connection, reason)?;
                    continue;
                }
                history::update(w, connection, None, reason, |row: &mut Connection| {
                    row.company_id = *company;
                    Ok(())
                })?;
            }
        }
        for interface in ids_where::<Interface>(w, "equipment_id", *id)? {
            history::update(w, interface, None, reason, |row: &mut Interface| {
                row.company_id = *company;
                Ok(())
            })?;
        }
    }
    Ok((moved, found.last().map(|(id, _)| *id)))
}

#[cfg(test)]
mod tests {
    use super::kind_of;

    #[test]
    fn gear_is_known_by_what_it_is_called() {
        let told = [
            (["FortiGate 60F", "Fortinet"], "firewall"),
            (["HQ-SW-01 USW-Pro-24", "Ubiquiti"], "switch"),
            (["U6-Pro", "Ubiquiti"], "ap"),
            (["EdgeRouter 4", ""], "router"),
            (["HQ-AP-3", ""], "ap"),
            (["Access Point", "Zyxel"], "ap"),
            (["Smart-UPS 1500", "APC"], "other"),
            (["israel-pdu-01", "cpu6"], "other"),
            (["NET-1", "Ümlaut"], "other"),
        ];
        for (words, kind) in told {
            assert_eq!(kind_of(words), kind, "{words:?}");
        }
    }
}
