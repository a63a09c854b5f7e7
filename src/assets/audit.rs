//! What an audit finds inside a device, as it is kept and as it is told.

use serde::Serialize;
use serde_json::Value;

use crate::compliance::{Level, Personal, RedactionPolicy};

/// A drive, partition or data store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Disk {
    /// `C:`, or the store's name.
    pub name: Option<String>,
    /// The vendor's words ("Local Fixed Disk").
    pub description: Option<String>,
    /// How much it holds.
    pub size_bytes: Option<i64>,
    /// How much of that is free.
    pub free_bytes: Option<i64>,
    /// Whether it belongs to the device: no optical drive, no stick, no share.
    #[serde(skip)]
    pub counts: bool,
}

impl Disk {
    /// How much of it is used, in percent with one decimal.
    #[must_use]
    pub fn used_percent(&self) -> Option<f64> {
        used_percent(self.size_bytes?, self.free_bytes?)
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

/// Bytes as gibibytes with two decimals.
#[must_use]
pub fn gigabytes(bytes: i64) -> f64 {
    let hundredths = i128::from(bytes) * 100 / (1 << 30);
    #[expect(clippy::cast_precision_loss, reason = "a size in hundredths of a gibibyte is far below 2^53")]
    let hundredths = hundredths as f64;
    hundredths / 100.0
}

/// A network adapter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = NetworkAdapter)]
pub struct Nic {
    /// What it calls itself.
    pub name: Option<String>,
    /// Its hardware address.
    pub mac_address: Option<String>,
    /// Its address.
    pub ipv4: Option<String>,
    /// Its longer address.
    pub ipv6: Option<String>,
    /// The vendor's word for its kind.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// An installed program.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
pub struct Software {
    /// What it calls itself.
    pub name: String,
    /// As the vendor wrote it.
    pub version: Option<String>,
}

/// What one audit said, beside programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// The processor, in words.
    pub cpu: Option<String>,
    /// How many cores.
    pub cpu_cores: Option<i64>,
    /// Memory.
    pub ram_bytes: Option<i64>,
    /// The firmware's version.
    pub bios_version: Option<String>,
    /// The firmware's date, as the vendor wrote it.
    pub bios_date: Option<String>,
    /// Drives.
    pub disks: Vec<Disk>,
    /// Network adapters.
    pub nics: Vec<Nic>,
    /// Everything else: a JSON object as text.
    pub details: Option<String>,
    /// The maker's serial number, for the asset itself.
    pub serial_number: Option<String>,
    /// The maker, for the asset itself.
    pub manufacturer: Option<String>,
    /// The maker's name for it, for the asset itself.
    pub model: Option<String>,
    /// The first real network address, for the asset itself.
    pub mac_address: Option<String>,
}

/// Hardware as the API tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Hardware {
    /// The processor, in words.
    pub cpu: Option<String>,
    /// How many cores.
    pub cpu_cores: Option<i64>,
    /// Memory.
    pub ram_bytes: Option<i64>,
    /// The device's own drives together.
    pub disk_bytes: Option<i64>,
    /// What is free on them.
    pub disk_free_bytes: Option<i64>,
    /// The firmware's version.
    pub bios_version: Option<String>,
    /// The firmware's date.
    pub bios_date: Option<String>,
    /// Boards, memory modules, displays: as the vendor told it.
    pub details: Value,
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
        if let Some(hardware) = &mut self.hardware
            && !policy.shows(level, Personal::Private)
        {
            hardware.details = Value::Null;
        }
        if !policy.shows(level, Personal::Device) {
            for nic in &mut self.network_adapters {
                (nic.mac_address, nic.ipv4, nic.ipv6) = (None, None, None);
            }
        }
        self
    }
}
