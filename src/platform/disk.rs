//! How full the disk with our data is.

use std::path::Path;

use serde::Serialize;

/// Above this share (percent) the disk is worth a look.
const DEGRADED: f64 = 85.0;
/// Above this share (percent) writes are about to fail.
const UNHEALTHY: f64 = 95.0;
/// Bytes in a gigabyte, as the reference counts.
const GIGABYTE: f64 = 1024.0 * 1024.0 * 1024.0;

/// The state of the disk, in the reference's words.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Disk {
    /// `healthy`, `degraded`, `unhealthy` or `unknown`.
    pub status: &'static str,
    /// Share in use, in percent.
    pub usage_percent: Option<f64>,
    /// Free for us, in GB.
    pub free_gb: Option<f64>,
    /// Size, in GB.
    pub total_gb: Option<f64>,
}

/// Looks at the file system under a folder.
#[must_use]
pub fn look(folder: &Path) -> Disk {
    let unknown = Disk { status: "unknown", usage_percent: None, free_gb: None, total_gb: None };
    let Ok(found) = rustix::fs::statvfs(folder) else { return unknown };
    let (size, free) = (bytes(found.f_blocks, found.f_frsize), bytes(found.f_bavail, found.f_frsize));
    // What is kept back for root is neither used nor ours to use; `df` counts the same way.
    let reserved = bytes(found.f_bfree.saturating_sub(found.f_bavail), found.f_frsize);
    if size - reserved <= 0.0 { unknown } else { judge(size, reserved, free) }
}

#[expect(clippy::cast_precision_loss, reason = "a percentage of a disk needs no more than 52 bits")]
fn bytes(blocks: u64, size: u64) -> f64 {
    blocks.saturating_mul(size) as f64
}

fn judge(size: f64, reserved: f64, free: f64) -> Disk {
    let used = 100.0 * (1.0 - free / (size - reserved));
    let status = match used {
        used if used >= UNHEALTHY => "unhealthy",
        used if used >= DEGRADED => "degraded",
        _ => "healthy",
    };
    let rounded = |value: f64| Some((value * 10.0).round() / 10.0);
    Disk { status, usage_percent: rounded(used), free_gb: rounded(free / GIGABYTE), total_gb: rounded(size / GIGABYTE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_by_the_share_in_use() {
        let status = |free: f64| judge(100.0, 0.0, free).status;
        assert_eq!((status(50.0), status(15.0), status(5.0)), ("healthy", "degraded", "unhealthy"));
        assert_eq!(judge(200.0 * GIGABYTE, 0.0, 50.0 * GIGABYTE).usage_percent, Some(75.0));
        assert_eq!(judge(250.0 * GIGABYTE, 150.0 * GIGABYTE, 50.0 * GIGABYTE).usage_percent, Some(50.0));
    }

    #[test]
    fn a_folder_that_is_not_there_is_unknown() {
        assert_eq!(look(Path::new("/nowhere/at/all")).status, "unknown");
    }
}
