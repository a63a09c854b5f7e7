//! What is told beside a network's rows, and the rules that several of them keep together.

use super::model::{Connection, Subnet, Vlan};
use crate::{
    db::Conn,
    entity::address,
    error::{Error, Result},
    params,
};

/// Whether the RMM sees the linked asset now.
pub const ONLINE: &str = "(SELECT seen.online FROM @asset_observations seen WHERE seen.asset_id = equipment.asset_id)";
/// When it saw it last.
pub const LAST_SEEN: &str = "(SELECT seen.last_seen FROM @asset_observations seen WHERE seen.asset_id = equipment.asset_id)";
/// The narrowest documented network that a row's address is in.
macro_rules! subnet_of {
    ($row:literal) => {
        concat!(
            "(SELECT net.cidr FROM @subnets net WHERE net.company_id = ",
            $row,
            ".company_id AND net.retired_at IS NULL AND ",
            $row,
            ".ip_key >= net.first_key AND ",
            $row,
            ".ip_key <= net.last_key ORDER BY net.first_key DESC, net.last_key, net.id LIMIT 1)"
        )
    };
}

/// What the documented VLAN of a row's number is called.
macro_rules! vlan_of {
    ($row:literal) => {
        concat!(
            "(SELECT known.name FROM @vlans known WHERE known.company_id = ",
            $row,
            ".company_id AND known.number = ",
            $row,
            ".vlan AND known.retired_at IS NULL ORDER BY known.id LIMIT 1)"
        )
    };
}

/// The network of some equipment's address.
pub const SUBNET_OF_EQUIPMENT: &str = subnet_of!("equipment");
/// The network of an interface's address.
pub const SUBNET_OF_INTERFACE: &str = subnet_of!("interface");
/// The name of an interface's VLAN.
pub const VLAN_OF_INTERFACE: &str = vlan_of!("interface");
/// The name of a subnet's VLAN.
pub const VLAN_OF_SUBNET: &str = vlan_of!("subnet");
/// A port with its equipment.
pub const INTERFACE_NAME: &str = "((SELECT owner.name FROM @network_equipment owner WHERE owner.id = interface.equipment_id)
    || ' ' || interface.name)";
/// Both ends.
pub const CONNECTION_NAME: &str = "((SELECT one.name FROM @network_equipment one WHERE one.id = connection.a_id) || ' – '
    || (SELECT other.name FROM @network_equipment other WHERE other.id = connection.b_id))";

/// How many uplinks there may be between some equipment and the outermost.
const DEEPEST: usize = 64;
/// How many of what stands in the way a warning names.
const NAMED: i64 = 5;

/// Nothing reaches the world by way of itself.
///
/// # Errors
/// `Invalid`.
pub fn no_circle(c: &mut Conn, id: i64, uplink: Option<i64>) -> Result<()> {
    let sql = "SELECT above.uplink_id FROM @network_equipment above WHERE above.id = ?1";
    let mut next = uplink;
    for _ in 0..DEEPEST {
        let Some(at) = next else { return Ok(()) };
        if at == id && id != 0 {
            return Err(Error::field("uplink_id", "would be its own uplink, by way of others"));
        }
        next = match c.first(sql, params![at])? {
            Some(row) => row.get(0)?,
            None => None,
        };
    }
    Err(Error::field("uplink_id", format!("has more than {DEEPEST} uplinks above it")))
}

/// A cable does not end where it begins.
///
/// # Errors
/// `Invalid`.
pub fn two_ends(sent: &[&'static str], a: (i64, Option<&str>), b: (i64, Option<&str>)) -> Result<()> {
    let ends = ["a_id", "a_port", "b_id", "b_port"];
    let same = a.0 == b.0 && (a.1.is_none() || b.1.is_none() || a.1 == b.1);
    if same && ends.iter().any(|column| sent.contains(column)) {
        return Err(Error::field("b_id", "must be other equipment, or another port of the same"));
    }
    Ok(())
}

/// The way out of a network is inside it.
///
/// # Errors
/// `Invalid`.
pub fn gateway_inside(sent: &[&'static str], cidr: &str, gateway: Option<&str>) -> Result<()> {
    let (Some(key), Some((first, last))) = (gateway.and_then(address::key), address::keys(cidr)) else { return Ok(()) };
    if (key < first || key > last) && (sent.contains(&"gateway") || sent.contains(&"cidr")) {
        return Err(Error::field("gateway", format!("must be in {cidr}")));
    }
    Ok(())
}

/// A company has each VLAN once.
///
/// # Errors
/// `Conflict`.
pub fn number_free(c: &mut Conn, vlan: &Vlan) -> Result<()> {
    let sql = "SELECT same.name FROM @vlans same
        WHERE same.company_id = ?1 AND same.number = ?2 AND same.id <> ?3 AND same.retired_at IS NULL";
    match c.first(sql, params![vlan.company_id, vlan.number, vlan.id])? {
        Some(row) => {
            Err(Error::conflict(format!("number: this company has VLAN {} already: {}", vlan.number, row.get::<String>(0)?)))
        }
        None => Ok(()),
    }
}

/// Other networks of the company that share addresses with this one: those inside of it, and those around it.
pub fn overlaps(c: &mut Conn, subnet: &Subnet) -> Result<Vec<String>> {
    let Some((first, last)) = address::keys(&subnet.cidr) else { return Ok(Vec::new()) };
    let sql = "SELECT net.cidr, net.purpose FROM @subnets net
        WHERE net.company_id = ?1 AND net.id <> ?2 AND net.retired_at IS NULL AND net.first_key <= ?4 AND net.last_key >= ?3
        ORDER BY net.first_key, net.last_key, net.id LIMIT ?5";
    c.map(sql, params![subnet.company_id, subnet.id, first, last, NAMED], |row| {
        let (cidr, purpose): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        let purpose = purpose.map(|purpose| format!(" ({purpose})")).unwrap_or_default();
        Ok(format!("{} shares addresses with {cidr}{purpose} of the same company.", subnet.cidr))
    })
}

/// What else of the company has an address; `own` is the equipment and the interface that ask.
pub fn address_taken(c: &mut Conn, company: i64, ip: Option<&str>, own: (Option<i64>, Option<i64>)) -> Result<Vec<String>> {
    let Some(key) = ip.and_then(address::key) else { return Ok(Vec::new()) };
    let sql = "SELECT other.name FROM @network_equipment other
            WHERE other.company_id = ?1 AND other.ip_key = ?2 AND other.retired_at IS NULL AND other.id <> ?3
        UNION ALL
        SELECT owner.name || ' ' || port.name FROM @network_interfaces port
            JOIN @network_equipment owner ON owner.id = port.equipment_id
            WHERE port.company_id = ?1 AND port.ip_key = ?2 AND port.retired_at IS NULL AND port.id <> ?4 AND owner.id <> ?3
        LIMIT ?5";
    let (equipment, interface) = (own.0.unwrap_or_default(), own.1.unwrap_or_default());
    let says = |name: String| format!("{} has the address {} too.", name, ip.unwrap_or_default());
    c.map(sql, params![company, key, equipment, interface, NAMED], |row| row.get(0).map(says))
}

/// What is odd about an address among the company's documented networks of its version: that none of them has it, or
/// that it is the network's own or its broadcast address.
pub fn address_fits(c: &mut Conn, company: i64, ip: Option<&str>) -> Result<Vec<String>> {
    let (Some(ip), Some(key)) = (ip, ip.and_then(address::key)) else { return Ok(Vec::new()) };
    let around = "SELECT net.cidr, net.first_key, net.last_key FROM @subnets net
        WHERE net.company_id = ?1 AND net.retired_at IS NULL AND net.first_key <= ?2 AND net.last_key >= ?2
        ORDER BY net.first_key DESC, net.last_key, net.id LIMIT 1";
    if let Some(row) = c.first(around, params![company, key.as_str()])? {
        let (cidr, first, last): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // IPv6 has no broadcast address, and a link of two addresses (RFC 3021) gives both to devices.
        let has_edges = key.starts_with('4') && !cidr.ends_with("/31") && !cidr.ends_with("/32");
        let edge = match () {
            () if !has_edges => None,
            () if key == first => Some("network's own"),
            () if key == last => Some("broadcast"),
            () => None,
        };
        return Ok(edge
            .map(|edge| format!("{ip} is the {edge} address in {cidr}: no device can have it."))
            .into_iter()
            .collect());
    }
    let documented = "SELECT net.id FROM @subnets net
        WHERE net.company_id = ?1 AND net.retired_at IS NULL AND substr(net.first_key, 1, 1) = ?2 LIMIT 1";
    let is_any = c.first(documented, params![company, &key[..1]])?.is_some();
    Ok(is_any.then(|| format!("{ip} is in none of the company's documented networks.")).into_iter().collect())
}

/// What else is plugged into the ports of a connection.
pub fn ports_taken(c: &mut Conn, connection: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT owner.name FROM @network_connections other JOIN @network_equipment owner ON owner.id = ?1
        WHERE other.id <> ?3 AND other.retired_at IS NULL
          AND ((other.a_id = ?1 AND other.a_port = ?2) OR (other.b_id = ?1 AND other.b_port = ?2)) LIMIT 1";
    let mut found = Vec::new();
    for (end, port) in [(connection.a_id, &connection.a_port), (connection.b_id, &connection.b_port)] {
        let Some(port) = port else { continue };
        if let Some(row) = c.first(sql, params![end, port, connection.id])? {
            found.push(format!("Port {port} of {} has another connection.", row.get::<String>(0)?));
        }
    }
    Ok(found)
}
