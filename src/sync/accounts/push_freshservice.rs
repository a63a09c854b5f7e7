//! `codex accounts push-freshservice`: departments whose account number drifted get ours.

use super::{assign, plan, report::Report, steps, survey};
use crate::{
    error::Result,
    sync::{
        catalogue::JobKind,
        jobs::{Ended, Job},
        outbox::Operation,
    },
};

/// The body of the job.
///
/// # Errors
/// `Upstream` when the departments cannot be read whole; those of the database.
pub async fn body(job: Job) -> Result<Ended> {
    let run = steps::begin(&job, JobKind::PushFreshservice.as_str()).await?;
    let result = work(&job, run).await;
    steps::finish(&job, run, result).await
}

async fn work(job: &Job, run: i64) -> Result<Report> {
    let mut report = Report { run_id: run, dry_run: job.options.dry_run, what: "departments", ..Report::default() };
    steps::leftovers(job, run, Operation::Department, &mut report).await?;
    let departments = survey::departments(job, run).await?;
    report.checked = departments.len();
    let plan = plan::repair(&departments, &survey::companies(job).await?);
    assign::show(&plan, &mut report);
    if steps::may_write(job, &mut report) {
        assign::write(job, run, plan.writes, &mut report).await?;
    }
    Ok(report)
}
