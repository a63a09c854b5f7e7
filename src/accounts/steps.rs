//! The way of all commands over account numbers: a run that is recorded, leftovers first, a
//! question at the terminal, the delivery of what was decided.

use crate::{
    db::Write,
    error::Result,
    jobs::{Decision, Ended, Job, kind::JobKind, runs_store},
    outbox::{
        self, Operation,
        run_report::{self, Report},
    },
    reconcile::report as sync_report,
    types::{Actor, Scope},
};

/// What a command is about.
pub struct About {
    pub kind: JobKind,
    /// What is looked at, in the plural.
    pub what: &'static str,
    /// How it writes to the vendor.
    pub operation: Operation,
}

/// Runs a command: its run is recorded, what an earlier one has left is delivered, and `work` goes on with the report.
///
/// # Errors
/// Those of `work`, or of the database.
pub async fn run<W>(job: Job, about: About, work: impl FnOnce(Job, Report) -> W) -> Result<Ended>
where
    W: Future<Output = Result<Report>>,
{
    let (lease, dry_run, source) = (job.lease.clone(), job.options.dry_run, about.kind.as_str());
    let begin = move |w: &mut Write<'_>| runs_store::begin(w, &lease, source, dry_run);
    let run = job.db.write_bulk(&Scope::All, &Actor::system("accounts"), begin).await?;
    let mut report = Report { run_id: run, dry_run, what: about.what, ..Report::default() };
    let result = match leftovers(&job, run, about.operation, &mut report).await {
        Ok(()) => work(job.clone(), report).await,
        Err(error) => Err(error),
    };
    run_report::finish(&job, run, result).await
}

/// Delivers what an interrupted run has left, so that the vendor and we agree on what is there before
/// anything new is planned.
async fn leftovers(job: &Job, run: i64, operation: Operation, report: &mut Report) -> Result<()> {
    if job.options.dry_run {
        return Ok(());
    }
    let ids = job.db.read(&Scope::All, move |c| outbox::store::unsettled(c, operation)).await?;
    if !ids.is_empty() {
        report.deliver(outbox::deliver_for(job, run, ids).await?);
    }
    Ok(())
}

/// Whether to go on: not for a dry run, and at a terminal only when the person says so.
#[must_use]
pub fn may_write(job: &Job, report: &mut Report) -> bool {
    if job.options.dry_run || report.planned == 0 {
        return false;
    }
    let Some(ask) = job.options.ask.as_ref().filter(|_| !job.options.yes) else { return true };
    let mut shown = sync_report::Report::default();
    shown.recount(&report.items);
    report.declined = ask(&shown.question(&report.items)) != Decision::All;
    !report.declined
}
