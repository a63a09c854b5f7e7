//! Network gear that the RMM sees becomes equipment by itself, linked to its asset.

use super::model::{Connection, Equipment, Interface};
use crate::{
    db::{Conn, Write},
    entity::{Kind, address::written, noun::ids_where},
    error::Result,
    history::{self, ranks},
    params,
    types::fold,
};

/// What names and models of a kind contain, the most telling kinds first.
const TELLING: &[(&str, &[&str])] = &[
    ("firewall", &["firewall", "fortigate", "sonicwall", "pfsense", "watchguard", "firebox", "palo alto", "udm", "usg", "asa "]),
    ("ap", &["access point", "wireless", "uap", "u6", "u7", "aironet", " ap"]),
    ("switch", &["switch", "usw", "catalyst", "procurve", "c1200", "nexus"]),
    ("router", &["router", "edgerouter", "mikrotik", "gateway", "isr"]),
];

/// What somebody calls a device, as one of the kinds of equipment.
#[must_use]
pub fn kind_of<'a>(words: impl IntoIterator<Item = &'a str>) -> &'static str {
    let text = words.into_iter().map(fold).collect::<Vec<_>>().join(" ");
    let telling = TELLING.iter().find(|(_, known)| known.iter().any(|word| text.contains(word)));
    telling.map_or("other", |(kind, _)| kind)
}

/// An asset that is network gear.
struct Gear {
    asset_id: i64,
    equipment: Equipment,
}

/// At most so many assets of network gear that have never been equipment. Where the asset is protected, its addresses are
/// not repeated: here everybody reads them.
fn newcomers(c: &mut Conn, most: i64) -> Result<Vec<Gear>> {
    let sql = format!(
        "SELECT asset.id, asset.company_id, asset.hostname, asset.manufacturer, asset.model, asset.serial_number, asset.device_type,
                CASE WHEN {} THEN (SELECT seen.int_ip_address FROM @asset_observations seen WHERE seen.asset_id = asset.id) END,
                CASE WHEN {} THEN asset.mac_address END
         FROM @assets asset WHERE asset.kind = 'network_device' AND asset.company_id IS NOT NULL AND asset.retired_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM @network_equipment known WHERE known.asset_id = asset.id)
         ORDER BY asset.id LIMIT ?1",
        ranks::ASSET_IS_OPEN,
        ranks::ASSET_IS_OPEN
    );
    c.map(&sql, params![most], |row| {
        let (asset_id, name): (i64, String) = (row.get(0)?, row.get(2)?);
        let (manufacturer, model, device_type): (Option<String>, Option<String>, Option<String>) =
            (row.get(3)?, row.get(4)?, row.get(6)?);
        let (ip, mac): (Option<String>, Option<String>) = (row.get(7)?, row.get(8)?);
        let words = [Some(name.as_str()), model.as_deref(), manufacturer.as_deref(), device_type.as_deref()];
        let kind = kind_of(words.into_iter().flatten()).to_owned();
        let equipment = Equipment {
            company_id: row.get(1)?,
            kind,
            manufacturer,
            model,
            serial_number: row.get(5)?,
            ip_address: ip.and_then(|ip| written(Kind::Ip, &ip).ok()),
            mac_address: mac.and_then(|mac| written(Kind::Mac, &mac).ok()),
            asset_id: Some(asset_id),
            name,
            ..Equipment::default()
        };
        Ok(Gear { asset_id, equipment })
    })
}

/// Makes at most so many of them equipment; how many there were.
///
/// # Errors
/// Those of the engine.
pub fn adopt(w: &mut Write<'_>, most: i64) -> Result<usize> {
    let found = newcomers(w, most)?;
    for gear in &found {
        let reason = format!("asset {} is network gear", gear.asset_id);
        history::create(w, &gear.equipment, Some(&reason))?;
    }
    Ok(found.len())
}

/// Lets at most so much equipment follow its asset to another company: it takes its interfaces along and leaves behind what
/// belongs to the place. How many did.
///
/// # Errors
/// Those of the engine.
pub fn follow(w: &mut Write<'_>, most: i64) -> Result<usize> {
    let sql = "SELECT equipment.id, asset.company_id FROM @network_equipment equipment JOIN @assets asset ON asset.id = equipment.asset_id
        WHERE asset.company_id <> equipment.company_id AND asset.retired_at IS NULL ORDER BY equipment.id LIMIT ?1";
    let moved: Vec<(i64, i64)> = w.map(sql, params![most], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let reason = Some("its asset is another company's now");
    for (id, company) in &moved {
        for below in ids_where::<Equipment>(w, "uplink_id", *id)? {
            history::update(w, below, None, reason, |row: &mut Equipment| {
                row.uplink_id = None;
                Ok(())
            })?;
        }
        for column in ["a_id", "b_id"] {
            for connection in ids_where::<Connection>(w, column, *id)? {
                history::retire::<Connection>(w, connection, reason)?;
            }
        }
        for interface in ids_where::<Interface>(w, "equipment_id", *id)? {
            history::update(w, interface, None, reason, |row: &mut Interface| {
                row.company_id = *company;
                Ok(())
            })?;
        }
        history::update(w, *id, None, reason, |row: &mut Equipment| {
            (row.company_id, row.location_id, row.uplink_id) = (*company, None, None);
            Ok(())
        })?;
    }
    Ok(moved.len())
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
            (["NET-1", "Ümlaut"], "other"),
        ];
        for (words, kind) in told {
            assert_eq!(kind_of(words), kind, "{words:?}");
        }
    }
}
