//! Runs and their staged pages.

use super::lease_store::{Lease, check_lease};
use crate::{
    db::Conn,
    error::Result,
    params,
    types::{now, now_plus},
};

/// How old a staged page may be and still be used.
const STAGED_SECONDS: i64 = 600;
/// How many runs of a source are kept.
const KEPT: i64 = 500;

/// Begins a run.
pub fn begin(c: &mut Conn, lease: &Lease, source: &str, dry_run: bool) -> Result<i64> {
    check_lease(c, lease)?;
    let sql =
        "INSERT INTO sync_runs (source, job_id, dry_run, status, started_at) VALUES (?1, ?2, ?3, 'fetching', ?4) RETURNING id";
    let id: i64 = c.one(sql, params![source, &lease.job_id, dry_run, now()])?.get(0)?;
    let old = "SELECT id FROM sync_runs WHERE source = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2";
    if let Some(row) = c.first(old, params![source, KEPT])? {
        let last: i64 = row.get(0)?;
        let plans = "SELECT id FROM sync_plans WHERE source = ?1 AND run_id <= ?2";
        c.run(&format!("DELETE FROM sync_plan_items WHERE plan_id IN ({plans})"), params![source, last])?;
        c.run("DELETE FROM sync_plans WHERE source = ?1 AND run_id <= ?2", params![source, last])?;
        c.run(
            "DELETE FROM sync_pages WHERE run_id IN (SELECT id FROM sync_runs WHERE source = ?1 AND id <= ?2)",
            params![source, last],
        )?;
        c.run("DELETE FROM sync_runs WHERE source = ?1 AND id <= ?2", params![source, last])?;
    }
    Ok(id)
}

/// Says how far a run is: `fetching`, `planning`, `applying`.
pub fn advance(c: &mut Conn, lease: &Lease, run: i64, status: &str) -> Result<()> {
    check_lease(c, lease)?;
    c.run("UPDATE sync_runs SET status = ?1 WHERE id = ?2", params![status, run])?;
    Ok(())
}

/// Ends a run: `done`, `held` or `failed`. Its staged pages go; those of a failed one serve the next run.
pub fn finish(c: &mut Conn, lease: &Lease, run: i64, status: &str, error: Option<&str>, summary: &str) -> Result<()> {
    check_lease(c, lease)?;
    c.run(
        "UPDATE sync_runs SET status = ?1, finished_at = ?2, error = ?3, summary = ?4 WHERE id = ?5",
        params![status, now(), error, summary, run],
    )?;
    if status != "failed" {
        // Those of another source's run may be in use.
        let own = "SELECT older.id FROM sync_runs older JOIN sync_runs this ON this.source = older.source WHERE this.id = ?1 AND older.id <= ?1";
        c.run(&format!("DELETE FROM sync_pages WHERE run_id IN ({own})"), params![run])?;
    }
    Ok(())
}

/// Keeps a page as it came.
pub fn stage(c: &mut Conn, lease: &Lease, run: i64, list: &str, page: u32, body: &str) -> Result<()> {
    check_lease(c, lease)?;
    c.run(
        "INSERT INTO sync_pages (run_id, list, page, fetched_at, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (run_id, list, page) DO UPDATE SET fetched_at = excluded.fetched_at, body = excluded.body",
        params![run, list, page, now(), body],
    )?;
    Ok(())
}

/// The run whose staged pages may be used: the newest of the source, when it broke off a moment ago.
pub fn interrupted(c: &mut Conn, source: &str) -> Result<Option<i64>> {
    let sql = "SELECT id, status FROM sync_runs WHERE source = ?1 ORDER BY id DESC LIMIT 1";
    let Some(row) = c.first(sql, params![source])? else { return Ok(None) };
    let usable = matches!(row.get::<String>(1)?.as_str(), "interrupted" | "failed");
    Ok(if usable { Some(row.get(0)?) } else { None })
}

/// The staged pages of a run's list that are young enough, in order.
pub fn staged(c: &mut Conn, run: i64, list: &str) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT page, body FROM sync_pages WHERE run_id = ?1 AND list = ?2 AND fetched_at >= ?3 ORDER BY page";
    c.all(sql, params![run, list, now_plus(-STAGED_SECONDS)])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The run is a new one's predecessor: its pages pass to the new one.
pub fn inherit(c: &mut Conn, lease: &Lease, from: i64, to: i64, list: &str, pages: i64) -> Result<()> {
    check_lease(c, lease)?;
    c.run("UPDATE sync_pages SET run_id = ?1 WHERE run_id = ?2 AND list = ?3 AND page <= ?4", params![to, from, list, pages])?;
    Ok(())
}
