//! The networks of the demo's clients: what the RMM sees of them, wired up.

use super::firms::Firm;
use crate::{
    companies::{Company, store as companies},
    db::Write,
    entity::noun::ids_where,
    error::Result,
    history,
    network::{Connection, Equipment, Interface, Subnet, Vlan, adopt_store},
};

/// The client's networks: number of the VLAN, name, third number of the addresses.
const VLANS: [(i64, &str, i64); 3] = [(10, "Management", 10), (20, "Office", 20), (30, "Guests", 30)];
/// How many ports a switch has for others.
const PORTS: i64 = 24;

/// Adds the network of a client, whose machines are there; `place` makes its addresses its own.
pub fn add(w: &mut Write<'_>, firm: &Firm, company: &Company, place: i64) -> Result<()> {
    if !firm.is_client() {
        return Ok(());
    }
    let site = companies::locations(w, company.id)?.first().map(|location| location.id);
    let network = |third: i64| format!("10.{}.{third}.0/24", 40 + place);
    let host = |third: i64, last: i64| format!("10.{}.{third}.{last}", 40 + place);
    for (number, name, third) in VLANS {
        let purpose = Some(format!("{name} network"));
        let vlan = Vlan { company_id: company.id, number, name: name.to_owned(), purpose: purpose.clone(), ..Vlan::default() };
        history::create(w, &vlan, None)?;
        let subnet = Subnet {
            company_id: company.id,
            cidr: network(third),
            purpose,
            vlan: Some(number),
            gateway: Some(host(third, 1)),
            location_id: site,
            ..Subnet::default()
        };
        history::create(w, &subnet, None)?;
    }
    while adopt_store::adopt(w, 50)? > 0 {}
    let mut gear = Vec::new();
    for id in ids_where::<Equipment>(w, "company_id", company.id)? {
        gear.push(history::get::<Equipment>(w, id)?);
    }
    gear.sort_by_key(|one| ["firewall", "router", "switch", "ap"].iter().position(|kind| *kind == one.kind).unwrap_or(4));
    let switches: Vec<i64> = gear.iter().filter(|one| one.kind == "switch").map(|one| one.id).collect();
    let top = gear.first().map(|one| one.id);
    for (one, number) in gear.iter().zip(1_i64..) {
        let below = if one.kind == "ap" {
            switches.get(usize::try_from(number).unwrap_or_default() % switches.len().max(1))
        } else {
            None
        };
        let uplink = below.copied().or(top).filter(|up| *up != one.id);
        let ip = host(10, number);
        history::update(w, one.id, None, None, |row: &mut Equipment| {
            (row.ip_address, row.location_id, row.uplink_id) = (Some(ip), site, uplink);
            Ok(())
        })?;
        let Some(up) = uplink else { continue };
        let cable = Connection {
            company_id: company.id,
            a_id: up,
            a_port: Some((number % PORTS).to_string()),
            b_id: one.id,
            b_port: Some(if one.kind == "ap" { "eth0" } else { "uplink" }.to_owned()),
            kind: Some(if one.kind == "switch" { "fiber" } else { "copper" }.to_owned()),
            speed_mbps: Some(if one.kind == "switch" { 10_000 } else { 1_000 }),
            ..Connection::default()
        };
        history::create(w, &cable, None)?;
    }
    if let Some(top) = top {
        for (number, name, third) in VLANS {
            let port = Interface {
                company_id: company.id,
                equipment_id: top,
                name: format!("vlan{number}"),
                ip_address: Some(host(third, 1)),
                vlan: Some(number),
                description: Some(format!("Way out of {name}")),
                ..Interface::default()
            };
            history::create(w, &port, None)?;
        }
    }
    Ok(())
}
