//! The machines of the demo: one for each person, and those that serve all.

use super::{Worker, chance::Chance, day, firms::Firm};
use crate::{
    assets::{Asset, model::Observation},
    types::now_plus,
};

/// A machine, how it was last seen, who uses it.
pub struct Machine {
    /// The row, without its company.
    pub asset: Asset,
    /// What the RMM saw.
    pub seen: Observation,
    /// A contact's id.
    pub user: Option<i64>,
}

/// What all machines of a type have in common.
struct Model {
    kind: &'static str,
    short: &'static str,
    category: &'static str,
    /// Maker, product, and the systems that run on it.
    products: &'static [(&'static str, &'static str, &'static [&'static str])],
}

const WINDOWS: &[&str] =
    &["Microsoft Windows 11 Pro", "Microsoft Windows 11 Pro", "Microsoft Windows 11 Pro", "Microsoft Windows 10 Pro"];
const SERVERS: &[&str] =
    &["Microsoft Windows Server 2022 Standard", "Microsoft Windows Server 2019 Standard", "Debian 12", "VMware ESXi 8.0"];

const WORKSTATION: Model = Model {
    kind: "workstation",
    short: "WS",
    category: "Desktop",
    products: &[("Dell", "OptiPlex 7010", WINDOWS), ("HP", "EliteDesk 800 G9", WINDOWS), ("Lenovo", "ThinkCentre M70q", WINDOWS)],
};
const LAPTOP: Model = Model {
    kind: "laptop",
    short: "LT",
    category: "Laptop",
    products: &[
        ("Lenovo", "ThinkPad T14 Gen 4", WINDOWS),
        ("Dell", "Latitude 5440", WINDOWS),
        ("Apple", "MacBook Air M3", &["macOS 15.1"]),
        ("HP", "EliteBook 840 G10", WINDOWS),
    ],
};
const SERVER: Model = Model {
    kind: "server",
    short: "SRV",
    category: "Server",
    products: &[("Dell", "PowerEdge R660", SERVERS), ("HPE", "ProLiant DL360 Gen11", SERVERS)],
};
const VIRTUAL: Model = Model {
    kind: "virtual_machine",
    short: "VM",
    category: "Virtual Machine",
    products: &[("VMware", "Virtual Platform", &["Microsoft Windows Server 2022 Standard", "Ubuntu 24.04 LTS"])],
};
const NETWORK: Model = Model {
    kind: "network_device",
    short: "NET",
    category: "Network Device",
    products: &[
        ("Fortinet", "FortiGate 60F", &["FortiOS 7.4"]),
        ("Ubiquiti", "USW-Pro-24", &["UniFi 7.0"]),
        ("Ubiquiti", "U6-Pro", &["UniFi 6.6"]),
        ("Cisco", "C1200-24P", &["IOS 4.1"]),
    ],
};
const PRINTER: Model = Model {
    kind: "printer",
    short: "PRN",
    category: "Printer",
    products: &[("Brother", "MFC-L8900CDW", &[]), ("HP", "LaserJet M507", &[])],
};
const MOBILE: Model = Model {
    kind: "mobile",
    short: "MOB",
    category: "Mobile Device",
    products: &[("Apple", "iPhone 15", &["iOS 18"]), ("Samsung", "Galaxy XCover 7", &["Android 15"])],
};
const OTHER: Model = Model {
    kind: "other",
    short: "UPS",
    category: "UPS",
    products: &[("APC", "Smart-UPS 1500", &[]), ("Eaton", "5P 1550", &[])],
};

/// The machines of a client; nobody else's are ours to know.
pub fn of(chance: &mut Chance, firm: &Firm, staff: &[Worker]) -> Vec<Machine> {
    if !firm.is_client() {
        return Vec::new();
    }
    let mut list = Vec::new();
    for worker in staff {
        let model = if chance.percent(55) { &WORKSTATION } else { &LAPTOP };
        list.push((model, Some(worker)));
        if chance.percent(8) {
            list.push((&MOBILE, Some(worker)));
        }
    }
    list.extend((0..firm.servers).map(|_| (&SERVER, None)));
    list.extend((0..firm.servers * 2).map(|_| (&VIRTUAL, None)));
    list.extend((0..3 + firm.people / 10).map(|_| (&NETWORK, None)));
    list.extend((0..=firm.people / 12).map(|_| (&PRINTER, None)));
    list.extend((0..=firm.servers / 2).map(|_| (&OTHER, None)));
    list.into_iter().enumerate().map(|(index, (model, user))| machine(chance, firm, model, index, user)).collect()
}

/// Three years, in days.
const WARRANTY: i64 = 3 * 365;

fn machine(chance: &mut Chance, firm: &Firm, model: &Model, index: usize, user: Option<&Worker>) -> Machine {
    let hostname = format!("{}-{}-{:03}", firm.prefix, model.short, index + 1);
    let (maker, name, systems) = model.products.get(chance.below(model.products.len())).copied().unwrap_or_default();
    let system = chance.one(systems);
    let computer = matches!(model.kind, "workstation" | "laptop" | "server" | "virtual_machine");
    let backup = matches!(model.kind, "server" | "virtual_machine").then(|| chance.between(40, 2400));
    let text = |text: &str| Some(text.to_owned());
    let covered_for = (model.kind != "virtual_machine").then(|| chance.between(-500, 1100));
    let asset = Asset {
        kind: model.kind.to_owned(),
        status: if chance.percent(4) { "spare" } else { "active" }.to_owned(),
        serial_number: (model.kind != "virtual_machine").then(|| chance.serial(if maker == "Dell" { 7 } else { 10 })),
        asset_tag: Some(format!("{}{:04}", firm.prefix, index + 1)),
        manufacturer: text(maker),
        model: text(name),
        purchase_date: covered_for.map(|days| day(days - WARRANTY)),
        warranty_expires: covered_for.map(day),
        hardware_type: text(model.category),
        device_type: text(model.category),
        operating_system: Some(system).filter(|system| !system.is_empty()).map(str::to_owned),
        web_remote_url: computer.then(|| format!("https://rmm.example/connect/{hostname}")),
        domain: computer.then(|| format!("ad.{}", firm.domain)),
        mac_address: Some(format!(
            "02:{:02x}:{:02x}:{:02x}:{:02x}:{index:02x}",
            chance.below(256),
            chance.below(256),
            firm.people,
            index / 256
        )),
        antivirus_product: computer.then(|| chance.one(&["Microsoft Defender", "SentinelOne"]).to_owned()),
        backup_usage_tb: backup.map(|gigabytes| format!("{}.{:02}", gigabytes / 1000, gigabytes % 1000 / 10)),
        backup_data_bytes: backup.unwrap_or(0) * 1_000_000_000,
        rmm_site_name: computer.then(|| firm.name.to_owned()),
        hostname,
        ..Asset::default()
    };
    let seen = seen(chance, firm, index, computer, user);
    Machine { asset, seen, user: user.map(|worker| worker.id) }
}

fn seen(chance: &mut Chance, firm: &Firm, index: usize, computer: bool, user: Option<&Worker>) -> Observation {
    let online = chance.percent(84);
    let away = if online { chance.between(1, 20) * 60 } else { chance.between(2, 60 * 24) * 3600 };
    Observation {
        online: Some(online),
        last_seen: Some(now_plus(-away)),
        last_reboot: computer.then(|| now_plus(-away - chance.between(1, 45) * 86_400)),
        last_audit_date: computer.then(|| now_plus(-away - 3600)),
        last_logged_in_user: user.filter(|_| computer).map(|worker| format!("{}\\{}", firm.prefix, worker.login)),
        ext_ip_address: Some(format!("203.0.113.{}", firm.people + firm.servers * 7)),
        int_ip_address: Some(format!("10.{}.{}.{}", firm.people, index / 200, 10 + index % 200)),
        patch_status: computer
            .then(|| chance.one(&["Fully Patched", "Fully Patched", "Approved Pending", "Reboot Required"]).to_owned()),
        ..Observation::default()
    }
}
