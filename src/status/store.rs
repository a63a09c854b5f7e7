//! Reading what syncs left behind.

use serde::Serialize;

use crate::{db::Conn, error::Result, params};

/// How fresh one vendor's data is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Freshness {
    /// The vendor.
    pub source: String,
    /// When the last run that could be trusted began; the data is as old as that.
    pub as_of: Option<String>,
    /// When the newest run began.
    pub last_run_at: String,
    /// How it stands: `fetching`, `planning`, `applying`, `done`, `held`, `failed`, `interrupted`.
    pub last_status: String,
    /// Why it failed.
    pub last_error: Option<String>,
}

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

/// How fresh each vendor's data is; vendors that were never read are not listed.
///
/// # Errors
/// Those of the engine.
pub fn freshness(c: &mut Conn) -> Result<Vec<Freshness>> {
    let sql = "SELECT run.source, run.started_at, run.status, run.error FROM sync_runs run
               WHERE run.id IN (SELECT MAX(newest.id) FROM sync_runs newest WHERE newest.dry_run = ?1 GROUP BY newest.source)
               ORDER BY run.source";
    let mut found = Vec::new();
    for row in c.all(sql, params![false])? {
        let source: String = row.get(0)?;
        let good = "SELECT MAX(started_at) FROM sync_runs WHERE source = ?1 AND dry_run = ?2 AND status IN ('done', 'held')";
        let as_of = c.one(good, params![&source, false])?.get(0)?;
        found.push(Freshness { source, as_of, last_run_at: row.get(1)?, last_status: row.get(2)?, last_error: row.get(3)? });
    }
    Ok(found)
}

/// The plans that wait for approval, oldest first.
///
/// # Errors
/// Those of the engine.
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
