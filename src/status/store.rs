//! Reading what syncs left behind.

use std::{collections::HashMap, sync::LazyLock};

use serde::Serialize;

use super::{
    SOURCES,
    judge::{Expected, Freshness, Run, judge},
};
use crate::{
    db::{Conn, Row, Value},
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
    let (mut expected, mut runs) = (expected(c)?, runs(c)?);
    let found = SOURCES.into_iter().filter_map(|source| {
        let runs = runs.remove(source.name).unwrap_or_default();
        let expected = expected.remove(source.name).unwrap_or_default();
        (!runs.is_empty() || expected.period_seconds.is_some()).then(|| judge(source, &runs, expected, now))
    });
    Ok(found.collect())
}

/// When the newest good run of each source began, in seconds since 1970.
pub fn as_of_all(c: &mut Conn) -> Result<Vec<(&'static str, i64)>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        of_each_source(
            "SELECT source, started_at FROM sync_runs WHERE source = {} AND dry_run = ?1 AND status IN ('done', 'held')
             ORDER BY id DESC LIMIT 1",
        )
    });
    let mut found = Vec::new();
    for (name, at) in c.map(&SQL, &of_sources(params![false]), |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))? {
        if let (Some(source), Ok(at)) = (SOURCES.iter().find(|source| source.name == name), at.parse::<jiff::Timestamp>()) {
            found.push((source.name, at.as_second()));
        }
    }
    Ok(found)
}

/// One statement for all sources, in which `{}` stands for the name of each: an index leads to the newest rows of one.
fn of_each_source(one: &str) -> String {
    let each = (0..SOURCES.len()).map(|at| format!("SELECT * FROM ({}) part", one.replace("{}", &format!("?{}", at + 2))));
    each.collect::<Vec<_>>().join(" UNION ALL ")
}

/// The parameters of such a statement, behind this one.
fn of_sources(first: &[Value]) -> Vec<Value> {
    first.iter().cloned().chain(SOURCES.map(|source| source.name.into())).collect()
}

/// What the schedule says, by job.
fn expected(c: &mut Conn) -> Result<HashMap<String, Expected>> {
    let sql = "SELECT job, next_run_at, period_seconds FROM schedules";
    let rows =
        c.map(sql, params![], |row| Ok((row.get(0)?, Expected { next_run_at: row.get(1)?, period_seconds: row.get(2)? })))?;
    Ok(rows.into_iter().collect())
}

/// The newest runs of each source, the newest first; a job that failed before its run began counts as one.
fn runs(c: &mut Conn) -> Result<HashMap<String, Vec<Run>>> {
    static RUN: LazyLock<String> = LazyLock::new(|| {
        of_each_source(&format!(
            "SELECT source, id, started_at, finished_at, status, error, COALESCE(summary, '') AS summary FROM sync_runs
             WHERE source = {{}} AND dry_run = ?1 ORDER BY id DESC LIMIT {RUNS}"
        ))
    });
    static STILLBORN: LazyLock<String> = LazyLock::new(|| {
        of_each_source(
            "SELECT job.script AS source, CAST(0 AS BIGINT) AS id, job.started_at, job.completed_at, job.status, job.error, '' AS summary FROM sync_jobs job
             WHERE job.script = {} AND job.status = ?1 AND NOT EXISTS (SELECT 1 FROM sync_runs run WHERE run.job_id = job.id)
             ORDER BY job.started_at DESC, job.id DESC LIMIT 1",
        )
    });
    let mut newest = c.map(&RUN, &of_sources(params![false]), run)?;
    // The parts of a statement come in no order.
    newest.sort_by_key(|(_, id, _)| std::cmp::Reverse(*id));
    let mut runs: HashMap<String, Vec<Run>> = HashMap::new();
    for (source, _, run) in newest {
        runs.entry(source).or_default().push(run);
    }
    for (source, _, failed) in c.map(&STILLBORN, &of_sources(params!["failed"]), run)? {
        let runs = runs.entry(source).or_default();
        if runs.first().is_none_or(|newest| newest.started_at < failed.started_at) {
            runs.insert(0, failed);
        }
    }
    Ok(runs)
}

fn run(row: &Row) -> Result<(String, i64, Run)> {
    let summary: String = row.get(6)?;
    let run = Run {
        started_at: row.get(2)?,
        finished_at: row.get(3)?,
        status: row.get(4)?,
        error: row.get(5)?,
        summary: serde_json::from_str(&summary).unwrap_or_default(),
    };
    Ok((row.get(0)?, row.get(1)?, run))
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
