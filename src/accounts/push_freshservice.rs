//! `codex accounts push-freshservice`: departments whose account number drifted get ours.

use super::{assign, plan, steps, survey};
use crate::{
    error::Result,
    jobs::{
        Ended, Job,
        kind::{self, Definition, JobKind},
    },
    outbox::{
        Operation,
        run_report::{self, Report},
    },
    vendors::freshservice::SYSTEM,
};

/// Repairs account numbers of departments that differ from ours.
pub const JOB: JobKind = JobKind(&Definition {
    name: "push-to-freshservice",
    aliases: &["push-freshservice"],
    label: "Repairing account numbers at Freshservice",
    what: "Our number for every department whose number differs",
    system: SYSTEM,
    pulls: false,
    plans: true,
    follows: None,
    in_all: None,
    has_work: kind::always,
    body: |job| Box::pin(body(job)),
});

/// The body of the job.
///
/// # Errors
/// `Upstream` when the departments cannot be read whole.
pub async fn body(job: Job) -> Result<Ended> {
    let run = steps::begin(&job, JOB.as_str()).await?;
    let result = work(&job, run).await;
    run_report::finish(&job, run, result).await
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
