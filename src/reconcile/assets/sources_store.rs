//! What each vendor has told of an asset, kept so that each field knows where it came from.

use std::collections::HashMap;

use super::fields::SourceValues;
use crate::{
    db::{Conn, Row, Write},
    error::{Error, Result},
    params,
    types::now,
};

/// One vendor's words about an asset.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The vendor.
    pub system: String,
    /// Its place there (a site).
    pub place: Option<String>,
    /// By column.
    pub words: SourceValues,
    /// Since when it says so.
    pub told_at: String,
}

/// What every vendor has told of these assets.
pub fn of(c: &mut Conn, ids: Vec<i64>) -> Result<HashMap<i64, Vec<Source>>> {
    let sql = "SELECT asset_id, system, place, told, told_at FROM @asset_sources source WHERE asset_id IN ids(?1)
               ORDER BY asset_id, system";
    let mut found: HashMap<i64, Vec<Source>> = HashMap::new();
    for row in c.all(sql, params![ids])? {
        found.entry(row.get(0)?).or_default().push(source(&row)?);
    }
    Ok(found)
}

fn source(row: &Row) -> Result<Source> {
    let told: String = row.get(3)?;
    let words = serde_json::from_str(&told).map_err(Error::internal)?;
    Ok(Source { system: row.get(1)?, place: row.get(2)?, words, told_at: row.get(4)? })
}

/// Keeps what a vendor tells now.
pub fn put(w: &mut Write<'_>, asset_id: i64, system: &str, place: Option<&str>, words: &SourceValues) -> Result<()> {
    w.run(
        "INSERT INTO asset_sources (asset_id, system, place, told, told_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (asset_id, system) DO UPDATE SET place = excluded.place, told = excluded.told, told_at = excluded.told_at",
        params![asset_id, system, place, serde_json::to_string(words).map_err(Error::internal)?, now()],
    )?;
    w.observe("asset");
    Ok(())
}

/// Forgets what a vendor told and saw: it knows the asset no more.
pub fn forget(w: &mut Write<'_>, asset_id: i64, system: &str) -> Result<()> {
    w.run("DELETE FROM asset_observations WHERE asset_id = ?1 AND source = ?2", params![asset_id, system])?;
    w.run("DELETE FROM asset_sources WHERE asset_id = ?1 AND system = ?2", params![asset_id, system])?;
    w.observe("asset");
    Ok(())
}

/// The live assets at a vendor's place, by id, a few at a time.
pub fn at_place(c: &mut Conn, system: &str, place: &str, after: i64, limit: i64) -> Result<Vec<i64>> {
    let sql = "SELECT source.asset_id FROM @asset_sources source JOIN @assets asset ON asset.id = source.asset_id
               WHERE source.system = ?1 AND source.place = ?2 AND source.asset_id > ?3 AND asset.retired_at IS NULL
               ORDER BY source.asset_id LIMIT ?4";
    c.all(sql, params![system, place, after, limit])?.iter().map(|row| row.get(0)).collect()
}

/// How many live assets are at each place of each vendor.
pub fn counts(c: &mut Conn) -> Result<HashMap<(String, String), i64>> {
    let sql =
        "SELECT source.system, source.place, COUNT(*) FROM @asset_sources source JOIN @assets asset ON asset.id = source.asset_id
               WHERE source.place IS NOT NULL AND asset.retired_at IS NULL GROUP BY source.system, source.place";
    c.all(sql, &[])?.iter().map(|row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).collect()
}
