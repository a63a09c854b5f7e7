//! Reads what is inside a device.

use super::hardware::{Disk, Hardware, Inside, Nic};
use crate::{db::Conn, entity::Facet as _, error::Result, params};

/// What is known of a device's inside.
pub fn inside(c: &mut Conn, asset_id: i64) -> Result<Inside> {
    let sql = format!(
        "SELECT audit.collected_at, {} FROM @asset_audits audit WHERE audit.asset_id = ?1 AND audit.collected_at IS NOT NULL",
        Hardware::select()
    );
    let Some(row) = c.first(&sql, params![asset_id])? else { return Ok(Inside::default()) };
    let sql = "SELECT count(*) FROM @asset_software installed WHERE installed.asset_id = ?1";
    Ok(Inside {
        collected_at: row.get(0)?,
        hardware: Some(Hardware::from_row(&row, 1)?),
        disks: Disk::all_beside(c, asset_id, "disk.place")?,
        network_adapters: Nic::all_beside(c, asset_id, "nic.place")?,
        software_count: Some(c.one(sql, params![asset_id])?.get(0)?),
    })
}
