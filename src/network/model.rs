//! Equipment with its interfaces, connections, subnets and VLANs.

use super::check_store::{
    self as check, CONNECTION_NAME, INTERFACE_NAME, LAST_SEEN, ONLINE, SUBNET_OF_EQUIPMENT, SUBNET_OF_INTERFACE,
    VLAN_OF_INTERFACE, VLAN_OF_SUBNET,
};
use crate::{
    assets::model::TARGET as ASSET,
    db::{Conn, Value, list::Kind},
    entity::{
        Noun, Target, address,
        noun::{Beside, Door, search_text},
    },
    error::Result,
    history::ranks::SEEN_ADDRESS_OF_EQUIPMENT,
};

/// What equipment can be.
pub const KINDS: &[&str] = &["router", "switch", "firewall", "ap", "other"];
/// What a connection can be made of.
pub const MEDIA: &[&str] = &["copper", "fiber", "wireless", "virtual", "other"];

static LOCATION: Target =
    Target { entity: "location", what: "location", table: "locations", title: "name", page: None, are_people: false };
static EQUIPMENT: Target = Target {
    entity: "equipment",
    what: "network equipment",
    table: "network_equipment",
    title: "name",
    page: Some("/network/equipment/"),
    are_people: false,
};

crate::entity! {
    /// A router, switch, firewall or access point.
    pub struct Equipment: "equipment", "Network equipment", "network_equipment" {
        /// Whose it is.
        company_id: i64 = int("Company").id_of("company").told().internal(),
        /// What people call it.
        name: String = text("Name", 150).section("Equipment").required().searched().usual(),
        /// One of [`KINDS`].
        kind: String = choice("Type", KINDS).named("type").section("Equipment").required().usual(),
        /// Who made it.
        manufacturer: Option<String> = text("Manufacturer", 150).section("Equipment").searched().listed(),
        /// Its model.
        model: Option<String> = text("Model", 150).section("Equipment").searched().usual(),
        /// Its serial number.
        serial_number: Option<String> = text("Serial number", 150).section("Equipment").code().searched().listed(),
        /// The version of its firmware.
        firmware_version: Option<String> = text("Firmware", 150).section("Equipment").listed(),
        /// The address at which it is managed.
        ip_address: Option<String> = ip("IP address").section("Network").searched().usual().ordered_by("equipment.ip_key"),
        /// Its own hardware address.
        mac_address: Option<String> = mac("MAC address").section("Network").searched().listed(),
        /// Where it stands.
        location_id: Option<i64> = reference("Location", &LOCATION).section("Network").listed(),
        /// What it reaches the rest of the world by.
        uplink_id: Option<i64> = reference("Uplink", &EQUIPMENT).section("Network").usual(),
        /// The device that the RMM sees.
        asset_id: Option<i64> = reference("Asset", &ASSET).section("Network").listed(),
        notes: Option<String> = long("Notes", 10_000).section("Network").searched(),
    }
}

impl Equipment {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        let key = self.ip_address.as_deref().and_then(address::key);
        vec![("ip_key", key.into()), ("search_text", search_text(self).into())]
    }
}

impl Noun for Equipment {
    const DOOR: Door = Door {
        api: "network_equipment",
        page: "/network/equipment",
        one: "network equipment",
        many: "network equipment",
        title: "name",
        sort: "name",
    };
    const BESIDE: &'static [Beside] = &[
        Beside::new("online", "Online", ONLINE, Kind::Bool).usual().presence(),
        Beside::new("subnet", "Subnet", SUBNET_OF_EQUIPMENT, Kind::Text).usual(),
        Beside::new("last_seen", "Seen", LAST_SEEN, Kind::Time),
        Beside::new("seen_ip_address", "Seen at", SEEN_ADDRESS_OF_EQUIPMENT, Kind::Text),
    ];
    const OVERVIEW: Option<(&'static str, &'static str)> = Some(("Diagram", "topology"));
    const READS: &'static [&'static str] = &["subnet"];

    fn company_id(&self) -> i64 {
        self.company_id
    }

    fn check(&mut self, c: &mut Conn, sent: &[&'static str]) -> Result<()> {
        if sent.contains(&"uplink_id") { check::no_circle(c, self.id, self.uplink_id) } else { Ok(()) }
    }

    fn warnings(&self, c: &mut Conn) -> Result<Vec<String>> {
        let ip = self.ip_address.as_deref();
        let mut odd = check::address_fits(c, self.company_id, ip)?;
        odd.extend(check::address_taken(c, self.company_id, ip, (Some(self.id), None))?);
        Ok(odd)
    }
}

crate::entity! {
    /// A port of some equipment, by which others reach it.
    pub struct Interface: "interface", "Interface", "network_interfaces" {
        /// Whose it is.
        company_id: i64 = int("Company").id_of("company").told().internal(),
        /// The equipment.
        equipment_id: i64 = reference("Equipment", &EQUIPMENT).section("Interface").required().usual(),
        /// What is printed beside it.
        name: String = text("Port", 100).section("Interface").required().searched().listed(),
        /// Its address.
        ip_address: Option<String> = ip("IP address").section("Interface").searched().usual().ordered_by("interface.ip_key"),
        /// Its hardware address.
        mac_address: Option<String> = mac("MAC address").section("Interface").searched().usual(),
        /// The VLAN of what comes without a tag.
        vlan: Option<i64> = int("VLAN").range(1, 4094, "must be a VLAN, from 1 to 4094").section("Interface").usual(),
        /// How fast it is.
        speed_mbps: Option<i64> = int("Speed in Mbit/s").range(1, 10_000_000, "must be from 1 to 10,000,000 Mbit/s").section("Interface").usual(),
        /// What it is for.
        description: Option<String> = text("Description", 255).section("Interface").searched().listed(),
    }
}

impl Interface {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        let key = self.ip_address.as_deref().and_then(address::key);
        vec![("ip_key", key.into()), ("search_text", search_text(self).into())]
    }
}

impl Noun for Interface {
    const DOOR: Door = Door {
        api: "network_interfaces",
        page: "/network/interfaces",
        one: "interface",
        many: "interfaces",
        title: "full_name",
        sort: "equipment_name,name",
    };
    const BESIDE: &'static [Beside] = &[
        Beside::new("full_name", "Interface", INTERFACE_NAME, Kind::Text),
        Beside::new("subnet", "Subnet", SUBNET_OF_INTERFACE, Kind::Text).usual(),
        Beside::new("vlan_name", "VLAN name", VLAN_OF_INTERFACE, Kind::Text),
    ];
    const READS: &'static [&'static str] = &["subnet", "vlan"];

    fn company_id(&self) -> i64 {
        self.company_id
    }

    fn warnings(&self, c: &mut Conn) -> Result<Vec<String>> {
        let ip = self.ip_address.as_deref();
        let mut odd = check::address_fits(c, self.company_id, ip)?;
        odd.extend(check::address_taken(c, self.company_id, ip, (Some(self.equipment_id), Some(self.id)))?);
        Ok(odd)
    }
}

crate::entity! {
    /// What joins two pieces of equipment.
    pub struct Connection: "connection", "Connection", "network_connections" {
        /// Whose it is.
        company_id: i64 = int("Company").id_of("company").told().internal(),
        /// One end.
        a_id: i64 = reference("End A", &EQUIPMENT).section("Connection").required().usual(),
        /// The port there.
        a_port: Option<String> = text("Port at A", 100).section("Connection").searched().usual(),
        /// The other end.
        b_id: i64 = reference("End B", &EQUIPMENT).section("Connection").required().usual(),
        /// The port there.
        b_port: Option<String> = text("Port at B", 100).section("Connection").searched().usual(),
        /// One of [`MEDIA`].
        kind: Option<String> = choice("Medium", MEDIA).named("type").section("Connection").usual(),
        /// How fast it is.
        speed_mbps: Option<i64> = int("Speed in Mbit/s").range(1, 10_000_000, "must be from 1 to 10,000,000 Mbit/s").section("Connection").usual(),
        notes: Option<String> = long("Notes", 10_000).section("Connection").searched(),
    }
}

impl Connection {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        vec![("search_text", search_text(self).into())]
    }
}

impl Noun for Connection {
    const DOOR: Door = Door {
        api: "network_connections",
        page: "/network/connections",
        one: "connection",
        many: "connections",
        title: "name",
        sort: "a_name,a_port",
    };
    const BESIDE: &'static [Beside] = &[Beside::new("name", "Connection", CONNECTION_NAME, Kind::Text)];

    fn company_id(&self) -> i64 {
        self.company_id
    }

    fn check(&mut self, _c: &mut Conn, sent: &[&'static str]) -> Result<()> {
        check::two_ends(sent, (self.a_id, self.a_port.as_deref()), (self.b_id, self.b_port.as_deref()))
    }

    fn warnings(&self, c: &mut Conn) -> Result<Vec<String>> {
        check::ports_taken(c, self)
    }
}

crate::entity! {
    /// A range of addresses.
    pub struct Subnet: "subnet", "Subnet", "subnets" {
        /// Whose it is.
        company_id: i64 = int("Company").id_of("company").told().internal(),
        /// The range.
        cidr: String = cidr("Network").section("Subnet").required().searched().usual().ordered_by("subnet.first_key"),
        /// What it is for.
        purpose: Option<String> = text("Purpose", 255).section("Subnet").searched().usual(),
        /// The VLAN in which it is.
        vlan: Option<i64> = int("VLAN").range(1, 4094, "must be a VLAN, from 1 to 4094").section("Subnet").usual(),
        /// The way out of it.
        gateway: Option<String> = ip("Gateway").section("Subnet").searched().usual(),
        /// Where it is used.
        location_id: Option<i64> = reference("Location", &LOCATION).section("Subnet").usual(),
        notes: Option<String> = long("Notes", 10_000).section("Subnet").searched(),
    }
}

impl Subnet {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        let (first, last) = address::keys(&self.cidr).unwrap_or_default();
        vec![("first_key", first.into()), ("last_key", last.into()), ("search_text", search_text(self).into())]
    }
}

impl Noun for Subnet {
    const DOOR: Door = Door {
        api: "subnets",
        page: "/network/subnets",
        one: "subnet",
        many: "subnets",
        title: "cidr",
        sort: "company_name,cidr",
    };
    const BESIDE: &'static [Beside] = &[Beside::new("vlan_name", "VLAN name", VLAN_OF_SUBNET, Kind::Text)];
    const READS: &'static [&'static str] = &["vlan"];

    fn company_id(&self) -> i64 {
        self.company_id
    }

    fn check(&mut self, _c: &mut Conn, sent: &[&'static str]) -> Result<()> {
        check::gateway_inside(sent, &self.cidr, self.gateway.as_deref())
    }

    fn warnings(&self, c: &mut Conn) -> Result<Vec<String>> {
        check::overlaps(c, self)
    }
}

crate::entity! {
    /// A VLAN and what it is for.
    pub struct Vlan: "vlan", "VLAN", "vlans" {
        /// Whose it is.
        company_id: i64 = int("Company").id_of("company").told().internal(),
        /// Its number.
        number: i64 = int("Number").range(1, 4094, "must be a VLAN, from 1 to 4094").section("VLAN").required().searched().usual(),
        /// What people call it.
        name: String = text("Name", 100).section("VLAN").required().searched().usual(),
        /// What it is for.
        purpose: Option<String> = text("Purpose", 255).section("VLAN").searched().usual(),
    }
}

impl Vlan {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        vec![("search_text", search_text(self).into())]
    }
}

impl Noun for Vlan {
    const DOOR: Door =
        Door { api: "vlans", page: "/network/vlans", one: "VLAN", many: "VLANs", title: "name", sort: "company_name,number" };

    fn company_id(&self) -> i64 {
        self.company_id
    }

    fn check(&mut self, c: &mut Conn, sent: &[&'static str]) -> Result<()> {
        if sent.contains(&"number") { check::number_free(c, self) } else { Ok(()) }
    }
}
