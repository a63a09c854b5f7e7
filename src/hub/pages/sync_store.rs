//! The runs of syncs, as the sync centre lists them.

use crate::{db::Conn, error::Result, params};

/// One run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id.
    pub id: i64,
    /// The vendor.
    pub source: String,
    /// Whether it only planned.
    pub dry_run: bool,
    /// How it stands.
    pub status: String,
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Its plan.
    pub plan_id: Option<i64>,
    /// How many rows the plan changes.
    pub changes: Option<i64>,
}

/// The newest runs.
pub fn runs(c: &mut Conn, count: i64) -> Result<Vec<Run>> {
    let sql = "SELECT run.id, run.source, run.dry_run, run.status, run.started_at, run.finished_at, run.error,
                      (SELECT max(plan.id) FROM sync_plans plan WHERE plan.run_id = run.id),
                      (SELECT plan.summary FROM sync_plans plan WHERE plan.run_id = run.id ORDER BY plan.id DESC LIMIT 1)
               FROM sync_runs run ORDER BY run.id DESC LIMIT ?1";
    let rows = c.all(sql, params![count])?;
    rows.iter()
        .map(|row| {
            let summary: Option<String> = row.get(8)?;
            let summary = summary.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
            Ok(Run {
                id: row.get(0)?,
                source: row.get(1)?,
                dry_run: row.get(2)?,
                status: row.get(3)?,
                started_at: row.get(4)?,
                finished_at: row.get(5)?,
                error: row.get(6)?,
                plan_id: row.get(7)?,
                changes: summary.as_ref().and_then(|summary| summary.get("changes")?.as_i64()),
            })
        })
        .collect()
}
