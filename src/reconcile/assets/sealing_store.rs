//! Where versions before schema 14 kept secrets in plain text, a few rows at a time.

use crate::{
    db::{Conn, Row},
    error::Result,
    params,
    types::now,
    vendors::teller_of_secrets,
};

/// The tables that are looked through.
pub const TABLES: [&str; 4] = ["assets", "asset_sources", "changes", "sync_plan_items"];

/// Under what it is kept which user-defined fields are sealed.
const SEALED: &str = "asset_secrets_sealed";
/// Set as long as the files may still hold what was overwritten.
const DUE: &str = "asset_secrets_rewrite";

/// A row's id and its text.
pub type Text = (i64, String);

fn texts(rows: &[Row]) -> Result<Vec<Text>> {
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

fn setting(c: &mut Conn, name: &str) -> Result<Option<String>> {
    c.first("SELECT value FROM settings WHERE name = ?1", params![name])?.map(|row| row.get(0)).transpose()
}

fn set(c: &mut Conn, name: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    c.run(sql, params![name, value]).map(|_| ())
}

/// Which user-defined fields were sealed the last time.
pub fn sealed(c: &mut Conn) -> Result<Option<String>> {
    setting(c, SEALED)
}

/// Remembers which are sealed.
pub fn set_sealed(c: &mut Conn, names: &str) -> Result<()> {
    set(c, SEALED, names)
}

/// Whether the files are still to be written anew.
pub fn rewrite_is_due(c: &mut Conn) -> Result<bool> {
    Ok(setting(c, DUE)?.is_some())
}

/// Remembers that they are, or no more.
pub fn set_rewrite_due(c: &mut Conn, due: bool) -> Result<()> {
    if due { set(c, DUE, &now()) } else { c.run("DELETE FROM settings WHERE name = ?1", params![DUE]).map(|_| ()) }
}

/// Whether the RMM was ever read: then a deleted row may have held a secret.
pub fn was_read(c: &mut Conn) -> Result<bool> {
    Ok(c.first("SELECT 1 FROM sync_runs WHERE source = ?1 LIMIT 1", params![teller_of_secrets()])?.is_some())
}

/// Forgets staged pages of devices: they are read anew.
pub fn forget_pages(c: &mut Conn) -> Result<()> {
    let sql = "DELETE FROM sync_pages WHERE list = 'assets' OR run_id IN (SELECT id FROM sync_runs WHERE source = ?1)";
    c.run(sql, params![teller_of_secrets()]).map(|_| ())
}

/// The user-defined fields of assets after this one.
pub fn assets(c: &mut Conn, after: i64, limit: i64) -> Result<Vec<Text>> {
    let sql =
        "SELECT asset.id, asset.udf FROM @assets asset WHERE asset.id > ?1 AND asset.udf IS NOT NULL ORDER BY asset.id LIMIT ?2";
    texts(&c.all(sql, params![after, limit])?)
}

/// Sets an asset's user-defined fields.
pub fn set_udf(c: &mut Conn, id: i64, udf: Option<&str>) -> Result<()> {
    c.run("UPDATE assets SET udf = ?1 WHERE id = ?2", params![udf, id]).map(|_| ())
}

/// Sets an asset's sealed column.
pub fn set_secret(c: &mut Conn, id: i64, column: &str, sealed: &str) -> Result<()> {
    c.run(&format!("UPDATE assets SET {column} = ?1 WHERE id = ?2"), params![sealed, id]).map(|_| ())
}

/// What the RMM told of assets after this one.
pub fn sources(c: &mut Conn, after: i64, limit: i64) -> Result<Vec<Text>> {
    let sql = "SELECT source.asset_id, source.told FROM @asset_sources source
               WHERE source.asset_id > ?1 AND source.system = ?3 ORDER BY source.asset_id LIMIT ?2";
    texts(&c.all(sql, params![after, limit, teller_of_secrets()])?)
}

/// Sets what the RMM told of an asset.
pub fn set_source(c: &mut Conn, asset: i64, told: &str) -> Result<()> {
    let sql = "UPDATE asset_sources SET told = ?1 WHERE asset_id = ?2 AND system = ?3";
    c.run(sql, params![told, asset, teller_of_secrets()]).map(|_| ())
}

/// Changes of user-defined fields after this one.
pub fn changes(c: &mut Conn, after: i64, limit: i64) -> Result<Vec<Text>> {
    let sql =
        "SELECT seq, fields FROM changes WHERE seq > ?1 AND entity = 'asset' AND fields LIKE '%\"udf\"%' ORDER BY seq LIMIT ?2";
    texts(&c.all(sql, params![after, limit])?)
}

/// Sets the fields of a change.
pub fn set_change(c: &mut Conn, seq: i64, fields: &str) -> Result<()> {
    c.run("UPDATE changes SET fields = ?1 WHERE seq = ?2", params![fields, seq]).map(|_| ())
}

/// Plans' changes of user-defined fields after this one that may still be applied.
pub fn open_items(c: &mut Conn, after: i64, limit: i64) -> Result<Vec<Text>> {
    let sql = "SELECT id, fields FROM sync_plan_items WHERE id > ?1 AND entity = 'asset' AND state IN ('pending', 'held')
               AND fields LIKE '%\"udf\"%' ORDER BY id LIMIT ?2";
    texts(&c.all(sql, params![after, limit])?)
}

/// The others.
pub fn settled_items(c: &mut Conn, after: i64, limit: i64) -> Result<Vec<Text>> {
    let sql = "SELECT id, fields FROM sync_plan_items WHERE id > ?1 AND entity = 'asset' AND state NOT IN ('pending', 'held')
               AND fields LIKE '%\"udf\"%' ORDER BY id LIMIT ?2";
    texts(&c.all(sql, params![after, limit])?)
}

/// Sets the fields of a plan's item.
pub fn set_item(c: &mut Conn, id: i64, fields: &str) -> Result<()> {
    c.run("UPDATE sync_plan_items SET fields = ?1 WHERE id = ?2", params![fields, id]).map(|_| ())
}
