//! What one audit of a device says.

use serde::Serialize;

use super::hardware::{Disk, Hardware, Nic};

/// An installed program.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
pub struct Software {
    /// What it calls itself.
    pub name: String,
    /// As the vendor wrote it.
    pub version: Option<String>,
}

/// What one audit said, beside programs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audit {
    /// Processor, memory and firmware; what its drives are together follows from them.
    pub hardware: Hardware,
    /// Drives.
    pub disks: Vec<Disk>,
    /// Network adapters.
    pub nics: Vec<Nic>,
    /// The maker's serial number, for the asset itself.
    pub serial_number: Option<String>,
    /// The maker, for the asset itself.
    pub manufacturer: Option<String>,
    /// The maker's name for it, for the asset itself.
    pub model: Option<String>,
    /// The first real network address, for the asset itself.
    pub mac_address: Option<String>,
}

impl Audit {
    /// The hardware with what the device's own drives hold together.
    #[must_use]
    pub fn hardware(&self) -> Hardware {
        let sum = |of: fn(&Disk) -> Option<i64>| {
            let sizes = self.disks.iter().filter(|disk| disk.counts).filter_map(of);
            sizes.reduce(i64::saturating_add)
        };
        Hardware {
            disk_bytes: sum(|disk| disk.size_bytes),
            disk_free_bytes: sum(|disk| disk.free_bytes),
            ..self.hardware.clone()
        }
    }
}
