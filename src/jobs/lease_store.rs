//! Jobs and leases: what runs in the background, one of each kind at a time.

use serde::Serialize;

use super::process::Process;
use crate::{
    db::{Conn, Row},
    error::{Error, Result},
    params,
    types::{now, now_plus},
};

/// How long a lease lasts without a heartbeat.
const LEASE_SECONDS: i64 = 60;
/// How far the clocks of two machines may differ. A lease that lasts longer is one from before the clock was
/// set back.
const SKEW: i64 = 300;
/// How many characters of output a job keeps: as many as neighbours were ever shown.
const OUTPUT: usize = 1000;
/// How many jobs of a script are kept.
const KEPT: i64 = 200;

/// A job as neighbours read it (contract §1.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Job {
    /// A UUID.
    pub id: String,
    /// What runs: `freshservice`.
    pub script: String,
    /// `running`, `completed` or `failed`.
    pub status: String,
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub completed_at: Option<String>,
    /// The last thousand characters of what it said.
    pub output: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// How it ended.
    pub success: Option<bool>,
    /// How far it is, while it runs.
    pub progress: Option<String>,
}

/// The right to run one kind of job; every write of the job proves it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The kind.
    pub name: String,
    /// The job that holds it.
    pub job_id: String,
    /// Grows with every holder.
    pub fence: i64,
}

/// The outcome of asking for a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// It is ours.
    Ours(Lease),
    /// This job has it.
    Running(String),
}

const COLUMNS: &str = "id, script, status, started_at, completed_at, output, error, success, progress";

fn job(row: &Row) -> Result<Job> {
    Ok(Job {
        id: row.get(0)?,
        script: row.get(1)?,
        status: row.get(2)?,
        started_at: row.get(3)?,
        completed_at: row.get(4)?,
        output: row.get(5)?,
        error: row.get(6)?,
        success: row.get(7)?,
        progress: row.get(8)?,
    })
}

/// Takes the lease and records a new job, unless a live job has it.
pub fn acquire(c: &mut Conn, name: &str, provider: &str, started_by: &str) -> Result<Acquired> {
    let fence = match vacate(c, name)? {
        Ok(fence) => fence,
        Err(holder) => return Ok(Acquired::Running(holder)),
    };
    // Their order tells apart jobs that begin within one second.
    let id = uuid::Uuid::now_v7().to_string();
    let us = Process::current();
    c.run(
        "INSERT INTO sync_jobs (id, script, provider, sync_type, status, started_at, started_by, host, pid, pid_started, heartbeat_at)
         VALUES (?1, ?2, ?8, 'base', 'running', ?3, ?4, ?5, ?6, ?7, ?3)",
        params![&id, name, now(), started_by, &us.host, us.pid, &us.started, provider],
    )?;
    let lease = hold(c, name, &id, fence)?;
    c.run(
        "DELETE FROM sync_jobs WHERE script = ?1 AND status <> 'running' AND id NOT IN
         (SELECT id FROM sync_jobs WHERE script = ?1 ORDER BY started_at DESC, id DESC LIMIT ?2)",
        params![name, KEPT],
    )?;
    Ok(Acquired::Ours(lease))
}

/// The fence of the next holder of a lease, or the job that has it. A holder that is certainly dead, or
/// has been silent for too long, loses it, and its job is marked failed.
pub fn vacate(c: &mut Conn, name: &str) -> Result<std::result::Result<i64, String>> {
    let sql = "SELECT lease.job_id, lease.fence, lease.expires_at, job.host, job.pid, job.pid_started, job.status
               FROM sync_leases lease LEFT JOIN sync_jobs job ON job.id = lease.job_id WHERE lease.name = ?1";
    let Some(row) = c.first(sql, params![name])? else { return Ok(Ok(1)) };
    let holder: String = row.get(0)?;
    if row.get::<Option<String>>(6)?.as_deref() == Some("running") {
        let process = Process { host: row.get(3)?, pid: row.get(4)?, started: row.get(5)? };
        let fresh = lasts(&row.get::<String>(2)?);
        if fresh && !process.is_dead() {
            return Ok(Err(holder));
        }
        fail(c, &holder, "its process ended without a word; the work goes on in the next run")?;
    }
    Ok(Ok(row.get::<i64>(1)? + 1))
}

fn lasts(expires_at: &str) -> bool {
    expires_at > now().as_str() && expires_at <= now_plus(LEASE_SECONDS + SKEW).as_str()
}

/// Gives a lease to a job.
pub fn hold(c: &mut Conn, name: &str, job_id: &str, fence: i64) -> Result<Lease> {
    c.run(
        "INSERT INTO sync_leases (name, job_id, fence, expires_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET job_id = excluded.job_id, fence = excluded.fence, expires_at = excluded.expires_at",
        params![name, job_id, fence, now_plus(LEASE_SECONDS)],
    )?;
    Ok(Lease { name: name.to_owned(), job_id: job_id.to_owned(), fence })
}

/// Proves that the lease is still ours, in the transaction that relies on it.
pub fn check_lease(c: &mut Conn, lease: &Lease) -> Result<()> {
    let sql = "SELECT 1 FROM sync_leases WHERE name = ?1 AND job_id = ?2 AND fence = ?3";
    match c.first(sql, params![&lease.name, &lease.job_id, lease.fence])? {
        Some(_) => Ok(()),
        None => Err(Error::conflict("another process took this job over; this one stops")),
    }
}

/// Says that the job lives, and how far it is.
pub fn heartbeat(c: &mut Conn, lease: &Lease, progress: &str) -> Result<()> {
    check_lease(c, lease)?;
    c.run(
        "UPDATE sync_leases SET expires_at = ?1 WHERE name = ?2 AND fence = ?3",
        params![now_plus(LEASE_SECONDS), &lease.name, lease.fence],
    )?;
    c.run("UPDATE sync_jobs SET heartbeat_at = ?1, progress = ?2 WHERE id = ?3", params![now(), progress, &lease.job_id])?;
    Ok(())
}

/// Ends the job and gives the lease back. The fence stays, so that it keeps growing.
pub fn finish(c: &mut Conn, lease: &Lease, output: &str, error: Option<&str>) -> Result<()> {
    check_lease(c, lease)?;
    let skip = output.chars().count().saturating_sub(OUTPUT);
    let tail: String = output.chars().skip(skip).collect();
    let status = if error.is_none() { "completed" } else { "failed" };
    c.run(
        "UPDATE sync_jobs SET status = ?1, completed_at = ?2, output = ?3, error = ?4, success = ?5, progress = NULL WHERE id = ?6",
        params![status, now(), tail, error, error.is_none(), &lease.job_id],
    )?;
    c.run("UPDATE sync_leases SET expires_at = ?1, job_id = '' WHERE name = ?2", params![now(), &lease.name])?;
    Ok(())
}

fn fail(c: &mut Conn, id: &str, why: &str) -> Result<()> {
    let sql = "UPDATE sync_jobs SET status = 'failed', success = ?1, completed_at = ?2, error = ?3, progress = NULL
               WHERE id = ?4 AND status = 'running'";
    c.run(sql, params![false, now(), why, id])?;
    c.run(
        "UPDATE sync_runs SET status = 'interrupted', finished_at = ?1, error = ?2 WHERE job_id = ?3 AND finished_at IS NULL",
        params![now(), why, id],
    )?;
    Ok(())
}

/// The jobs that claim to run and whose process is dead, or has let its lease go.
pub fn dead(c: &mut Conn) -> Result<Vec<String>> {
    let sql = "SELECT job.id, job.host, job.pid, job.pid_started, lease.expires_at FROM sync_jobs job
               LEFT JOIN sync_leases lease ON lease.job_id = job.id WHERE job.status = 'running'";
    let mut dead = Vec::new();
    for row in c.all(sql, &[])? {
        let process = Process { host: row.get(1)?, pid: row.get(2)?, started: row.get(3)? };
        let expired = row.get::<Option<String>>(4)?.is_none_or(|at| !lasts(&at));
        if expired || process.is_dead() {
            dead.push(row.get(0)?);
        }
    }
    Ok(dead)
}

/// Marks the jobs of dead processes failed; returns how many there were. For the start of the program
/// and for whoever looks at a job that claims to run.
pub fn reap(c: &mut Conn) -> Result<usize> {
    let dead = dead(c)?;
    dead.iter().try_for_each(|id| fail(c, id, "its process ended without a word"))?;
    Ok(dead.len())
}

/// One job.
pub fn find(c: &mut Conn, id: &str) -> Result<Option<Job>> {
    c.first(&format!("SELECT {COLUMNS} FROM sync_jobs WHERE id = ?1"), params![id])?.as_ref().map(job).transpose()
}

/// Who started a job.
pub fn started_by(c: &mut Conn, id: &str) -> Result<String> {
    c.one("SELECT started_by FROM sync_jobs WHERE id = ?1", params![id])?.get(0)
}

/// The newest job of a script.
pub fn last(c: &mut Conn, script: &str) -> Result<Option<Job>> {
    let sql =
        format!("SELECT {COLUMNS} FROM sync_jobs WHERE script = ?1 ORDER BY started_at DESC, heartbeat_at DESC, id DESC LIMIT 1");
    c.first(&sql, params![script])?.as_ref().map(job).transpose()
}
