//! What monitors raised on the machines of the demo.

use super::chance::Chance;
use crate::{
    db::Write,
    error::Result,
    monitoring::{
        alert::{Alert, priority},
        alert_store,
    },
    types::now_plus,
    vendors::datto::SYSTEM,
};

const HOUR: i64 = 3600;

/// How urgent, what happened, and the vendor's class of it.
const CASES: &[(&str, &str, &str)] = &[
    ("Critical", "Device went offline", "online_offline_status_ctx"),
    ("High", "Disk C: has less than 5 % free space", "perf_disk_usage_ctx"),
    ("High", "Backup failed three times in a row", "comp_script_ctx"),
    ("Moderate", "CPU above 95 % for 30 minutes", "perf_resource_usage_ctx"),
    ("Moderate", "Antivirus signatures are 5 days old", "antivirus_ctx"),
    ("Low", "A reboot is pending after patching", "patch_ctx"),
];

/// An alert for some of these devices, by their ids; every third of them is over.
pub fn add(w: &mut Write<'_>, chance: &mut Chance, devices: &[(i64, i64, String)]) -> Result<()> {
    for (number, (asset, company, hostname)) in devices.iter().enumerate() {
        let Some((urgency, message, kind)) = CASES.get(chance.below(CASES.len())) else { continue };
        let (word, severity) = priority(urgency);
        let age = chance.between(1, 96);
        let resolved = number % 3 == 2;
        let alert = Alert {
            alert_uid: format!("demo-{asset}"),
            priority: word.to_owned(),
            severity,
            message: (*message).to_owned(),
            kind: (*kind).to_owned(),
            raised_at: Some(now_plus(-age * HOUR)),
            resolved,
            resolved_at: resolved.then(|| now_plus(-age * HOUR / 2)),
            device_name: Some(hostname.clone()),
            ..Alert::default()
        };
        alert_store::keep(w, SYSTEM, &alert, Some(*asset), Some(*company))?;
    }
    Ok(())
}
