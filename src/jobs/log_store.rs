//! What jobs said while they ran.

use serde::Serialize;

use super::lease_store::{Lease, check_lease};
use crate::{db::Conn, error::Result, params, progress::Line};

/// How many lines of one job are kept; what comes later is dropped.
const MOST: i64 = 2000;

/// One line, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LogLine {
    /// Its number within the job, from 1.
    pub n: i64,
    pub at: String,
    /// `info`, `warning` or `error`.
    pub level: String,
    /// What.
    pub message: String,
}

/// Adds lines to a job's log.
///
/// # Errors
/// `Conflict` when another process took the job over.
pub fn append(c: &mut Conn, lease: &Lease, lines: &[Line]) -> Result<()> {
    check_lease(c, lease)?;
    let last = c.one("SELECT COALESCE(MAX(n), 0) FROM job_log WHERE job_id = ?1", params![&lease.job_id])?;
    let last: i64 = last.get(0)?;
    for (n, line) in (last + 1..=MOST).zip(lines) {
        c.run(
            "INSERT INTO job_log (job_id, n, at, level, message) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![&lease.job_id, n, &line.at, line.level.as_str(), &line.text],
        )?;
    }
    Ok(())
}

/// A job's log after a line.
pub fn of(c: &mut Conn, job: &str, after: i64) -> Result<Vec<LogLine>> {
    let sql = "SELECT n, at, level, message FROM job_log WHERE job_id = ?1 AND n > ?2 ORDER BY n";
    let rows = c.all(sql, params![job, after])?;
    rows.iter().map(|row| Ok(LogLine { n: row.get(0)?, at: row.get(1)?, level: row.get(2)?, message: row.get(3)? })).collect()
}

/// Forgets the logs of jobs that are kept no more.
pub fn prune(c: &mut Conn) -> Result<()> {
    c.run("DELETE FROM job_log WHERE job_id NOT IN (SELECT id FROM sync_jobs)", &[]).map(|_| ())
}
