//! Ended jobs, runs and plans that are kept no longer.

use crate::{db::Conn, error::Result, params};

/// How many jobs of a kind, and runs of a source, stay however old they are: freshness, resuming and pages look at them.
const NEWEST: i64 = 20;

/// Runs that ended before `?1` and that nobody looks at any more: not the newest of their source, not its last good one, and
/// none of which a plan still waits.
const OLD_RUNS: &str = "SELECT run.id FROM sync_runs run WHERE run.finished_at < ?1
    AND (SELECT COUNT(*) FROM sync_runs newer WHERE newer.source = run.source AND newer.id > run.id) >= ?2
    AND run.id < (SELECT MAX(good.id) FROM sync_runs good
                  WHERE good.source = run.source AND good.dry_run = FALSE AND good.status IN ('done', 'held'))
    AND NOT EXISTS (SELECT 1 FROM sync_plans plan
                    WHERE plan.run_id = run.id AND plan.status IN ('draft', 'held', 'proposed', 'applying'))";

/// Removes items of plans whose runs are old, then those runs with their plans: at most about `limit` rows; how many went.
pub fn runs(c: &mut Conn, before: &str, limit: i64) -> Result<u64> {
    let items = format!(
        "DELETE FROM sync_plan_items WHERE id IN (SELECT item.id FROM sync_plan_items item
         JOIN sync_plans plan ON plan.id = item.plan_id WHERE plan.run_id IN ({OLD_RUNS}) LIMIT ?3)"
    );
    let gone = c.run(&items, params![before, NEWEST, limit])?;
    if gone > 0 {
        return Ok(gone);
    }
    let old = c.map(&format!("{OLD_RUNS} ORDER BY run.id LIMIT ?3"), params![before, NEWEST, limit], |row| row.get::<i64>(0))?;
    c.run("DELETE FROM sync_plans WHERE run_id IN ids(?1)", params![old.clone()])?;
    c.run("DELETE FROM sync_pages WHERE run_id IN ids(?1)", params![old.clone()])?;
    c.run("DELETE FROM sync_runs WHERE id IN ids(?1)", params![old])
}

/// Removes jobs that ended before a moment, with their logs; how many went.
pub fn jobs(c: &mut Conn, before: &str, limit: i64) -> Result<u64> {
    let old = "SELECT job.id FROM sync_jobs job WHERE job.status <> 'running' AND job.completed_at < ?1
               AND (SELECT COUNT(*) FROM sync_jobs newer WHERE newer.script = job.script AND newer.started_at > job.started_at) >= ?2
               ORDER BY job.id LIMIT ?3";
    let old: Vec<String> = c.map(old, params![before, NEWEST, limit], |row| row.get(0))?;
    for id in &old {
        c.run("DELETE FROM job_log WHERE job_id = ?1", params![id])?;
        c.run("DELETE FROM sync_jobs WHERE id = ?1", params![id])?;
    }
    Ok(old.len() as u64)
}

/// Removes what a run that ended before a moment had staged, one run at a time; how many pages went. Nobody resumes from
/// pages that old.
pub fn staged(c: &mut Conn, before: &str) -> Result<u64> {
    let run = "SELECT page.run_id FROM sync_pages page JOIN sync_runs run ON run.id = page.run_id
               WHERE run.finished_at < ?1 ORDER BY page.run_id LIMIT 1";
    let Some(row) = c.first(run, params![before])? else { return Ok(0) };
    c.run("DELETE FROM sync_pages WHERE run_id = ?1", params![row.get::<i64>(0)?])
}
