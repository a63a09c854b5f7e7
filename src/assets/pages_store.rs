//! What the pages of assets ask of the database.

use crate::{db::Conn, error::Result, params, types::fold};

/// Live assets with this hostname at a company: id and hostname.
pub fn assets_named(c: &mut Conn, hostname: &str, company: i64) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT asset.id, asset.hostname FROM @assets asset
               WHERE asset.hostname_folded = ?1 AND asset.company_id = ?2 AND asset.retired_at IS NULL ORDER BY asset.id LIMIT 5";
    c.all(sql, params![fold(hostname), company])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The company that all of these assets belong to; nothing when they belong to several or to none.
pub fn only_company(c: &mut Conn, ids: &[i64]) -> Result<Option<i64>> {
    let sql = "SELECT DISTINCT asset.company_id FROM @assets asset WHERE asset.id IN ids(?1) LIMIT 2";
    match c.all(sql, params![ids.to_vec()])?.as_slice() {
        [row] => row.get(0),
        _ => Ok(None),
    }
}
