//! Imports among the runs, so that they are listed and undone like pulls.

use super::SOURCE;
use crate::{db::Write, error::Result, params, types::now};

/// Begins one.
pub fn begin(w: &mut Write<'_>, kind: &str, by: &str) -> Result<i64> {
    let sql =
        "INSERT INTO sync_runs (source, job_id, dry_run, status, started_at) VALUES (?1, ?2, ?3, 'applying', ?4) RETURNING id";
    w.one(sql, params![SOURCE, format!("{kind} by {by}"), false, now()])?.get(0)
}

/// Ends it: `done` or `failed`.
pub fn finish(w: &mut Write<'_>, run: i64, status: &str, error: Option<&str>, summary: &str) -> Result<()> {
    let sql = "UPDATE sync_runs SET status = ?1, finished_at = ?2, error = ?3, summary = ?4 WHERE id = ?5";
    w.run(sql, params![status, now(), error, summary, run]).map(|_| ())
}
