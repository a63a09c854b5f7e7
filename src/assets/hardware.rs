//! What is inside a device, as it is kept and told with the asset; audits write it.

use serde::Serialize;
use serde_json::Value;

use crate::{
    compliance::{Level, Personal, RedactionPolicy},
    entity::{Members, redact},
};

crate::facet! {
    /// A drive, partition or data store.
    pub struct Disk: "disk", "asset_disks", "asset_id" {
        /// `C:`, or the store's name.
        name: Option<String> = told("Drive"),
        /// The vendor's words ("Local Fixed Disk").
        description: Option<String> = told("Description"),
        /// How much it holds.
        size_bytes: Option<i64> = int("Size in bytes").told(),
        /// How much of that is free.
        free_bytes: Option<i64> = int("Free bytes").told(),
        /// Whether it belongs to the device: no optical drive, no stick, no share.
        counts: bool = flag("Part of the device").told().internal(),
    }
}

crate::facet! {
    /// A network adapter.
    pub struct Nic: "nic", "asset_nics", "asset_id" {
        /// What it calls itself.
        name: Option<String> = told("Adapter"),
        /// Its hardware address.
        mac_address: Option<String> = told("MAC address").personal(Personal::Device),
        /// Its address.
        ipv4: Option<String> = told("IPv4").personal(Personal::Device),
        /// Its longer address.
        ipv6: Option<String> = told("IPv6").personal(Personal::Device),
        /// The vendor's word for its kind.
        kind: Option<String> = told("Kind").named("type"),
    }
}

crate::facet! {
    /// Processor, memory and firmware.
    pub struct Hardware: "audit", "asset_audits", "asset_id" {
        /// The processor, in words.
        cpu: Option<String> = told("Processor"),
        /// How many cores.
        cpu_cores: Option<i64> = int("Cores").told(),
        /// Memory.
        ram_bytes: Option<i64> = int("Memory in bytes").told(),
        /// The device's own drives together.
        disk_bytes: Option<i64> = int("Disks in bytes").told(),
        /// What is free on them.
        disk_free_bytes: Option<i64> = int("Free on disks in bytes").told(),
        /// The firmware's version.
        bios_version: Option<String> = told("Firmware"),
        /// The firmware's date, as the vendor wrote it.
        bios_date: Option<String> = told("Firmware date"),
        /// Boards, memory modules, displays, as the vendor told it: a JSON object as text.
        details: Option<String> = json("Details", Layout::AsSent).told().personal(Personal::Private),
    }
}

crate::shaped! { Disk: Members::first(&[]).part(|disk: &Disk| disk) }
crate::shaped! { Nic: Members::first(&[]).part(|nic: &Nic| nic) }
crate::shaped! { Hardware: Members::first(&[]).part(|hardware: &Hardware| hardware) }

impl Disk {
    /// How much of it is used, in percent with one decimal.
    #[must_use]
    pub fn used_percent(&self) -> Option<f64> {
        used_percent(self.size_bytes?, self.free_bytes?)
    }
}

impl Hardware {
    /// What the vendor told beside the other fields.
    #[must_use]
    pub fn details(&self) -> Value {
        self.details.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// How much is used, in percent with one decimal; none when the sizes are no sizes.
#[must_use]
pub fn used_percent(size: i64, free: i64) -> Option<f64> {
    if size <= 0 || !(0..=size).contains(&free) {
        return None;
    }
    let per_mille = i128::from(size - free) * 1000 / i128::from(size);
    i32::try_from(per_mille).ok().map(|per_mille| f64::from(per_mille) / 10.0)
}

/// What is known of a device's inside; nothing when it was never audited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = AssetInside)]
pub struct Inside {
    /// When the audit was made; what follows is as old as that.
    pub collected_at: Option<String>,
    /// Hardware.
    pub hardware: Option<Hardware>,
    /// Drives.
    pub disks: Vec<Disk>,
    /// Network adapters.
    pub network_adapters: Vec<Nic>,
    /// How many programs are installed.
    pub software_count: Option<i64>,
}

impl Inside {
    /// The same as this caller may see it: the vendor's own record may name people, and adapters have addresses.
    #[must_use]
    pub(super) fn redacted(mut self, level: Level, policy: &RedactionPolicy) -> Self {
        let show = |field, text: &str| policy.shows(level, field).then(|| text.to_owned());
        self.hardware.iter_mut().for_each(|hardware| redact(hardware, show));
        self.network_adapters.iter_mut().for_each(|nic| redact(nic, show));
        self
    }
}
