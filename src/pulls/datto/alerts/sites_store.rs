//! Whose an alert is that is about no asset of ours: its site's.

use crate::{db::Conn, error::Result, params};

/// The company that a site of the RMM belongs to, as far as that is decided.
pub fn company(c: &mut Conn, site_uid: &str) -> Result<Option<i64>> {
    let sql = "SELECT site.company_id FROM rmm_sites site WHERE site.uid = ?1";
    Ok(c.first(sql, params![site_uid])?.map(|row| row.get(0)).transpose()?.flatten())
}
