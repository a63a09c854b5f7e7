//! Staged pages of the RMM's lists, in batches.

use crate::{
    db::{Conn, Write},
    error::Result,
    params,
    types::{now, now_plus},
};

/// How old a staged page may be and still be used: the vendor's limits stretch a pull over many minutes.
const STAGED_SECONDS: i64 = 1800;

/// Keeps pages.
pub fn put(w: &mut Write<'_>, run: i64, pages: &[(String, i64, String)]) -> Result<()> {
    for (list, page, body) in pages {
        w.run(
            "INSERT INTO sync_pages (run_id, list, page, fetched_at, body) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (run_id, list, page) DO UPDATE SET fetched_at = excluded.fetched_at, body = excluded.body",
            params![run, list, *page, now(), body],
        )?;
    }
    Ok(())
}

/// The newest run of a source, when it was killed while it read. What a run that failed had read is
/// read anew: the vendor was not well, and much may have changed since.
pub fn broken_off(c: &mut Conn, source: &str) -> Result<Option<i64>> {
    let sql = "SELECT id, status FROM sync_runs WHERE source = ?1 ORDER BY id DESC LIMIT 1";
    let Some(row) = c.first(sql, params![source])? else { return Ok(None) };
    Ok(if row.get::<String>(1)? == "interrupted" { Some(row.get(0)?) } else { None })
}

/// Takes over everything that an interrupted run has staged a moment ago; says how many pages that is.
pub fn inherit(w: &mut Write<'_>, from: i64, to: i64) -> Result<u64> {
    let sql = "UPDATE sync_pages SET run_id = ?1 WHERE run_id = ?2 AND fetched_at >= ?3";
    w.run(sql, params![to, from, now_plus(-STAGED_SECONDS)])
}

/// The staged pages of a list, in order.
pub fn of(c: &mut Conn, run: i64, list: &str) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT page, body FROM sync_pages WHERE run_id = ?1 AND list = ?2 ORDER BY page";
    c.all(sql, params![run, list])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// One staged page.
pub fn page(c: &mut Conn, run: i64, list: &str, page: i64) -> Result<Option<String>> {
    let sql = "SELECT body FROM sync_pages WHERE run_id = ?1 AND list = ?2 AND page = ?3";
    c.first(sql, params![run, list, page])?.map(|row| row.get(0)).transpose()
}

/// Forgets the staged pages of a list: it is read anew.
pub fn forget(w: &mut Write<'_>, run: i64, list: &str) -> Result<()> {
    w.run("DELETE FROM sync_pages WHERE run_id = ?1 AND list = ?2", params![run, list])?;
    Ok(())
}
