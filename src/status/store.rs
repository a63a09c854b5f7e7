//! Reading what syncs left behind.

use serde::Serialize;

use super::{
    SOURCES,
    judge::{Expected, Freshness, Run, judge},
};
use crate::{
    db::{Conn, Row},
    error::Result,
    params,
};

/// A plan that waits for approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The plan.
    pub plan_id: i64,
    /// The vendor.
    pub source: String,
    /// Since when.
    pub since: String,
    /// Why it waits.
    pub because: String,
    /// How many rows it would retire.
    pub items: i64,
}

/// How many runs of a source are looked at.
const RUNS: i64 = 12;

/// How fresh each source's data is; those that were never read are listed when they are meant to be.
pub fn freshness(c: &mut Conn) -> Result<Vec<Freshness>> {
    let now = jiff::Timestamp::now();
    let mut found = Vec::new();
    for source in SOURCES {
        let expected = expected(c, source.name)?;
        let runs = runs(c, source.name)?;
        if !runs.is_empty() || expected.period_seconds.is_some() {
            found.push(judge(source, &runs, expected, now));
        }
    }
    Ok(found)
}

/// When the newest good run of each source began, in seconds since 1970.
pub fn as_of_all(c: &mut Conn) -> Result<Vec<(&'static str, i64)>> {
    let sql = "SELECT started_at FROM sync_runs WHERE source = ?1 AND dry_run = ?2 AND status IN ('done', 'held')
               ORDER BY id DESC LIMIT 1";
    let mut found = Vec::new();
    for source in SOURCES {
        let Some(row) = c.first(sql, params![source.name, false])? else { continue };
        if let Ok(at) = row.get::<String>(0)?.parse::<jiff::Timestamp>() {
            found.push((source.name, at.as_second()));
        }
    }
    Ok(found)
}

fn expected(c: &mut Conn, source: &str) -> Result<Expected> {
    let sql = "SELECT next_run_at, period_seconds FROM schedules WHERE job = ?1";
    let Some(row) = c.first(sql, params![source])? else { return Ok(Expected::default()) };
    Ok(Expected { next_run_at: row.get(0)?, period_seconds: row.get(1)? })
}

/// The newest runs; a job that failed before its run began counts as one.
fn runs(c: &mut Conn, source: &str) -> Result<Vec<Run>> {
    let sql = "SELECT started_at, finished_at, status, error, COALESCE(summary, '') FROM sync_runs
               WHERE source = ?1 AND dry_run = ?2 ORDER BY id DESC LIMIT ?3";
    let run = |row: &Row| {
        let summary: String = row.get(4)?;
        Ok(Run {
            started_at: row.get(0)?,
            finished_at: row.get(1)?,
            status: row.get(2)?,
            error: row.get(3)?,
            summary: serde_json::from_str(&summary).unwrap_or_default(),
        })
    };
    let mut runs = c.all(sql, params![source, false, RUNS])?.iter().map(run).collect::<Result<Vec<Run>>>()?;
    let stillborn = "SELECT job.started_at, job.completed_at, job.status, job.error, '' FROM sync_jobs job
                     WHERE job.script = ?1 AND job.status = 'failed'
                     AND NOT EXISTS (SELECT 1 FROM sync_runs run WHERE run.job_id = job.id)
                     ORDER BY job.started_at DESC, job.id DESC LIMIT 1";
    if let Some(row) = c.first(stillborn, params![source])? {
        let failed = run(&row)?;
        if runs.first().is_none_or(|newest| newest.started_at < failed.started_at) {
            runs.insert(0, failed);
        }
    }
    Ok(runs)
}

/// The plans that wait for approval, oldest first.
pub fn waiting(c: &mut Conn) -> Result<Vec<Waiting>> {
    let sql = "SELECT plan.id, plan.source, plan.created_at, COALESCE(plan.held_because, ''), COUNT(item.id)
               FROM sync_plans plan JOIN sync_plan_items item ON item.plan_id = plan.id AND item.state = 'held'
               WHERE plan.status = 'held' GROUP BY plan.id, plan.source, plan.created_at, plan.held_because ORDER BY plan.id";
    let rows = c.all(sql, &[])?;
    rows.iter()
        .map(|row| {
            Ok(Waiting {
                plan_id: row.get(0)?,
                source: row.get(1)?,
                since: row.get(2)?,
                because: row.get(3)?,
                items: row.get(4)?,
            })
        })
        .collect()
}
