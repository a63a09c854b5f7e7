//! Runs and their staged pages.

use super::lease_store::{Lease, check_lease};
use crate::{db::Conn, error::Result, params, types::now};

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

/// Pages that no run will use: those of runs that came to their end. What broke off or failed serves the next one.
const UNUSED: &str = "run_id IN (SELECT id FROM sync_runs WHERE status IN ('done', 'held'))";

/// How many pages no run will use.
pub fn unused_pages(c: &mut Conn) -> Result<i64> {
    c.one(&format!("SELECT count(*) FROM sync_pages WHERE {UNUSED}"), params![])?.get(0)
}

/// Takes them away.
pub fn drop_unused_pages(c: &mut Conn) -> Result<u64> {
    c.run(&format!("DELETE FROM sync_pages WHERE {UNUSED}"), params![])
}

/// The newest run of a source, when it broke off; one that failed counts when `or_failed`.
pub fn interrupted(c: &mut Conn, source: &str, or_failed: bool) -> Result<Option<i64>> {
    let sql = "SELECT id, status FROM sync_runs WHERE source = ?1 ORDER BY id DESC LIMIT 1";
    let Some(row) = c.first(sql, params![source])? else { return Ok(None) };
    let status: String = row.get(1)?;
    Ok(if status == "interrupted" || or_failed && status == "failed" { Some(row.get(0)?) } else { None })
}
