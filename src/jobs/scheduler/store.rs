//! The rows of the schedules: what was decided, and where the clock stands.

use crate::{
    db::{Conn, Row as DbRow},
    error::Result,
    params,
    types::now,
};

/// The row of one kind of job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The job.
    pub job: String,
    /// What a person decided instead of the configuration.
    pub edit: Edit,
    /// Who decided it.
    pub edited_by: Option<String>,
    pub edited_at: Option<String>,
    /// Where the clock stands.
    pub clock: Clock,
}

/// What a person decided; none: as configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// When it runs.
    pub cadence: Option<String>,
    /// In which time zone.
    pub time_zone: Option<String>,
    /// Put off by at most so much.
    pub jitter_seconds: Option<i64>,
    /// Whether it runs by itself.
    pub enabled: Option<bool>,
}

impl Edit {
    /// Whether nothing was decided.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where the clock of one kind of job stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// The decision from which the next slot was computed.
    pub basis: String,
    /// The next slot.
    pub next_slot: Option<String>,
    /// The same with its jitter: when it is taken.
    pub next_run_at: Option<String>,
    /// How far slots lie apart just now.
    pub period_seconds: Option<i64>,
    /// Grows with every slot that is taken.
    pub fence: i64,
    /// The slot that was taken last.
    pub last_slot: Option<String>,
    /// When it was taken.
    pub last_run_at: Option<String>,
    /// `started`, or `skipped` because a job of the kind was running.
    pub last_status: Option<String>,
    /// The job that was started, or was running.
    pub last_job_id: Option<String>,
}

const COLUMNS: &str = "job, cadence, time_zone, jitter_seconds, enabled, edited_by, edited_at, basis, next_slot, next_run_at,
                       period_seconds, fence, last_slot, last_run_at, last_status, last_job_id";

fn row(row: &DbRow) -> Result<Row> {
    Ok(Row {
        job: row.get(0)?,
        edit: Edit { cadence: row.get(1)?, time_zone: row.get(2)?, jitter_seconds: row.get(3)?, enabled: row.get(4)? },
        edited_by: row.get(5)?,
        edited_at: row.get(6)?,
        clock: Clock {
            basis: row.get(7)?,
            next_slot: row.get(8)?,
            next_run_at: row.get(9)?,
            period_seconds: row.get(10)?,
            fence: row.get(11)?,
            last_slot: row.get(12)?,
            last_run_at: row.get(13)?,
            last_status: row.get(14)?,
            last_job_id: row.get(15)?,
        },
    })
}

/// Every row.
pub fn all(c: &mut Conn) -> Result<Vec<Row>> {
    c.all(&format!("SELECT {COLUMNS} FROM schedules ORDER BY job"), &[])?.iter().map(row).collect()
}

/// One row.
pub fn find(c: &mut Conn, job: &str) -> Result<Option<Row>> {
    c.first(&format!("SELECT {COLUMNS} FROM schedules WHERE job = ?1"), params![job])?.as_ref().map(row).transpose()
}

/// Sets the clock of a job.
pub fn set_clock(c: &mut Conn, job: &str, clock: &Clock) -> Result<()> {
    let sql = "INSERT INTO schedules (job, basis, next_slot, next_run_at, period_seconds, fence, last_slot, last_run_at, last_status, last_job_id)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
               ON CONFLICT (job) DO UPDATE SET basis = excluded.basis, next_slot = excluded.next_slot,
               next_run_at = excluded.next_run_at, period_seconds = excluded.period_seconds, fence = excluded.fence,
               last_slot = excluded.last_slot, last_run_at = excluded.last_run_at, last_status = excluded.last_status,
               last_job_id = excluded.last_job_id";
    let Clock { basis, next_slot, next_run_at, period_seconds, fence, last_slot, last_run_at, last_status, last_job_id } =
        clock.clone();
    c.run(
        sql,
        params![job, basis, next_slot, next_run_at, period_seconds, fence, last_slot, last_run_at, last_status, last_job_id],
    )?;
    Ok(())
}

/// Keeps a person's decision. The clock is set anew at the next look at it.
pub fn edit(c: &mut Conn, job: &str, edit: &Edit, by: &str) -> Result<()> {
    let (by, at) = if edit.is_empty() { (None, None) } else { (Some(by.to_owned()), Some(now())) };
    let sql = "INSERT INTO schedules (job, cadence, time_zone, jitter_seconds, enabled, edited_by, edited_at, basis, fence)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '', 0)
               ON CONFLICT (job) DO UPDATE SET cadence = excluded.cadence, time_zone = excluded.time_zone,
               jitter_seconds = excluded.jitter_seconds, enabled = excluded.enabled, edited_by = excluded.edited_by,
               edited_at = excluded.edited_at, basis = '', next_slot = NULL, next_run_at = NULL, period_seconds = NULL";
    let Edit { cadence, time_zone, jitter_seconds, enabled } = edit.clone();
    c.run(sql, params![job, cadence, time_zone, jitter_seconds, enabled, by, at])?;
    Ok(())
}

/// Nothing runs by itself any more: no slots wait, and no cadence is expected of the sources.
pub fn stop_clocks(c: &mut Conn) -> Result<()> {
    c.run("UPDATE schedules SET basis = '', next_slot = NULL, next_run_at = NULL, period_seconds = NULL", &[]).map(|_| ())
}

/// Takes the next slot of a job now, unless it was taken a moment ago.
pub fn bring_forward(c: &mut Conn, job: &str, unless_since: &str) -> Result<()> {
    let sql = "UPDATE schedules SET next_run_at = ?1 WHERE job = ?2 AND next_run_at IS NOT NULL AND next_run_at > ?1
               AND (last_run_at IS NULL OR last_run_at < ?3)";
    c.run(sql, params![now(), job, unless_since]).map(|_| ())
}

/// When the last good run of a job ended.
pub fn last_good_end(c: &mut Conn, job: &str) -> Result<Option<String>> {
    let sql = "SELECT finished_at FROM sync_runs WHERE source = ?1 AND dry_run = ?2 AND status IN ('done', 'held')
               ORDER BY id DESC LIMIT 1";
    Ok(c.first(sql, params![job, false])?.map(|row| row.get(0)).transpose()?.flatten())
}

/// The newest job of a kind, when its process died in the middle of real work that nobody at a terminal
/// had begun; and how many in a row ended like that, up to `most`.
pub fn broken_off(c: &mut Conn, job: &str, most: i64) -> Result<Option<(String, i64)>> {
    let sql =
        "SELECT job.id, CASE WHEN job.status = 'failed' AND job.error LIKE 'its process ended without a word%' THEN 1 ELSE 0 END,
               CASE WHEN job.started_by = 'scheduler' OR EXISTS
                    (SELECT 1 FROM sync_runs run WHERE run.job_id = job.id AND run.dry_run = ?2) THEN 1 ELSE 0 END,
               job.started_by
               FROM sync_jobs job WHERE job.script = ?1 ORDER BY job.started_at DESC, job.heartbeat_at DESC, job.id DESC LIMIT ?3";
    let mut found = None;
    for row in c.all(sql, params![job, false, most])? {
        let (died, real): (i64, i64) = (row.get(1)?, row.get(2)?);
        if died == 0 {
            break;
        }
        match &mut found {
            None if real == 1 && row.get::<String>(3)? != "command line" => found = Some((row.get(0)?, 1)),
            None => break,
            Some((_, count)) => *count += 1,
        }
    }
    Ok(found)
}

/// How a job ended, when it began by itself: its status and why it failed.
pub fn job_status(c: &mut Conn, id: &str) -> Result<Option<(String, Option<String>)>> {
    let sql = "SELECT status, error FROM sync_jobs WHERE id = ?1";
    c.first(sql, params![id])?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}
