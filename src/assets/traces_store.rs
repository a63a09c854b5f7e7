//! What a device leaves behind where it is: the addresses and the people that it is found by.

use crate::{db::Conn, error::Result, params, types::SearchText};

/// The search key of what vendors saw of a device and of its network adapters.
pub fn key(c: &mut Conn, asset_id: i64) -> Result<SearchText> {
    let mut key = SearchText::new();
    let sql = "SELECT seen.last_logged_in_user, seen.int_ip_address, seen.ext_ip_address FROM @asset_observations seen
               WHERE seen.asset_id = ?1";
    if let Some(row) = c.first(sql, params![asset_id])? {
        key = key.words(row.get::<Option<String>>(0)?);
        key = key.ids([row.get::<Option<String>>(1)?, row.get(2)?].into_iter().flatten());
    }
    let sql = "SELECT nic.mac_address, nic.ipv4, nic.ipv6 FROM @asset_nics nic WHERE nic.asset_id = ?1 ORDER BY nic.place";
    for row in c.all(sql, params![asset_id])? {
        key = key.ids([row.get::<Option<String>>(0)?, row.get(1)?, row.get(2)?].into_iter().flatten());
    }
    Ok(key)
}
