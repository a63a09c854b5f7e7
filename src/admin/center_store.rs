//! What the sync centre shows: the last jobs with their runs and plans, and how much is stored.

use serde_json::Value;

use crate::{
    db::{Conn, Row},
    error::{Error, Result},
    params,
};

/// A job with the run and the plan that belong to it.
#[derive(Clone, Debug)]
pub struct Past {
    /// The job.
    pub id: String,
    /// `running`, `completed` or `failed`.
    pub status: String,
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub completed_at: Option<String>,
    /// The end of what it said.
    pub output: String,
    /// Why it failed.
    pub error: Option<String>,
    /// Who began it.
    pub started_by: String,
    /// How far it is, while it runs.
    pub progress: Option<String>,
    /// Whether it planned without applying; none for a job without a run (an approval).
    pub dry_run: Option<bool>,
    /// How its run ended.
    pub run_status: Option<String>,
    /// The run's counts.
    pub summary: Option<Value>,
    /// The run's last plan.
    pub plan: Option<i64>,
    /// What ran.
    pub script: String,
    /// Its run.
    pub run: Option<i64>,
    /// When it was taken back, and by whom.
    pub undone: Option<(String, String)>,
}

const SELECT: &str =
    "SELECT job.id, job.status, job.started_at, job.completed_at, COALESCE(job.output, ''), job.error, job.started_by,
    job.progress, run.dry_run, run.status, run.summary,
    (SELECT MAX(plan.id) FROM sync_plans plan WHERE plan.run_id = run.id), job.script, run.id, run.undone_at, run.undone_by
    FROM sync_jobs job
    LEFT JOIN sync_runs run ON run.id = (SELECT MAX(mine.id) FROM sync_runs mine WHERE mine.job_id = job.id)";

/// The newest jobs of every kind.
pub fn past(c: &mut Conn, limit: i64) -> Result<Vec<Past>> {
    let sql = format!("{SELECT} ORDER BY job.started_at DESC, job.heartbeat_at DESC, job.id DESC LIMIT ?1");
    c.all(&sql, params![limit])?.iter().map(read).collect()
}

/// The newest job of one kind.
pub fn newest(c: &mut Conn, script: &str) -> Result<Option<Past>> {
    let sql = format!("{SELECT} WHERE job.script = ?1 ORDER BY job.started_at DESC, job.heartbeat_at DESC, job.id DESC LIMIT 1");
    c.first(&sql, params![script])?.as_ref().map(read).transpose()
}

/// One job.
///
/// # Errors
/// `NotFound`.
pub fn get(c: &mut Conn, id: &str) -> Result<Past> {
    let row = c.first(&format!("{SELECT} WHERE job.id = ?1"), params![id])?;
    row.as_ref().map(read).transpose()?.ok_or(Error::NotFound { what: "Job" })
}

fn read(row: &Row) -> Result<Past> {
    Ok(Past {
        id: row.get(0)?,
        status: row.get(1)?,
        started_at: row.get(2)?,
        completed_at: row.get(3)?,
        output: row.get(4)?,
        error: row.get(5)?,
        started_by: row.get(6)?,
        progress: row.get(7)?,
        dry_run: row.get(8)?,
        run_status: row.get(9)?,
        summary: row.get::<Option<String>>(10)?.and_then(|text| serde_json::from_str(&text).ok()),
        plan: row.get(11)?,
        script: row.get(12)?,
        run: row.get(13)?,
        undone: row.get::<Option<String>>(14)?.zip(row.get(15)?),
    })
}

/// How much is stored: what it is, how many there are, and how many of them are retired.
pub fn facts(c: &mut Conn) -> Result<Vec<(&'static str, i64, i64)>> {
    let tables = [
        ("Companies", "SELECT COUNT(*), COUNT(row.retired_at) FROM @companies row"),
        ("Contacts", "SELECT COUNT(*), COUNT(row.retired_at) FROM @contacts row"),
        ("Assets", "SELECT COUNT(*), COUNT(row.retired_at) FROM @assets row"),
        ("Locations", "SELECT COUNT(*), COUNT(row.retired_at) FROM @locations row"),
        ("Vendor agents", "SELECT COUNT(*), COUNT(row.retired_at) FROM @psa_agents row"),
    ];
    let mut facts = Vec::new();
    for (name, sql) in tables {
        let row = c.one(sql, params![])?;
        let (all, retired): (i64, i64) = (row.get(0)?, row.get(1)?);
        facts.push((name, all - retired, retired));
    }
    let changes = c.one("SELECT COUNT(*) FROM changes", params![])?.get(0)?;
    facts.push(("Recorded changes", changes, 0));
    Ok(facts)
}
