//! Staged pages of vendors' lists.

use crate::{
    db::{Conn, Write},
    error::Result,
    params,
    types::now,
};

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

/// Takes over everything that an interrupted run has staged since then; says how many pages that is.
pub fn inherit(w: &mut Write<'_>, from: i64, to: i64, since: &str) -> Result<u64> {
    w.run("UPDATE sync_pages SET run_id = ?1 WHERE run_id = ?2 AND fetched_at >= ?3", params![to, from, since])
}

/// Takes over the first pages of a list.
pub fn inherit_list(w: &mut Write<'_>, from: i64, to: i64, list: &str, pages: i64) -> Result<u64> {
    let sql = "UPDATE sync_pages SET run_id = ?1 WHERE run_id = ?2 AND list = ?3 AND page <= ?4";
    w.run(sql, params![to, from, list, pages])
}

/// The pages of a list that were staged since then, in order.
pub fn of(c: &mut Conn, run: i64, list: &str, since: &str) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT page, body FROM sync_pages WHERE run_id = ?1 AND list = ?2 AND fetched_at >= ?3 ORDER BY page";
    c.all(sql, params![run, list, since])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
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
