//! The steps that all commands over account numbers share: a run that is recorded, leftovers first, a
//! question at the terminal, the delivery of what was decided.

use crate::{
    db::Write,
    error::Result,
    jobs::{Decision, Job, runs_store},
    outbox::{self, Operation, run_report::Report},
    reconcile::report as sync_report,
    types::{Actor, Scope},
};

/// Begins a run of this source.
pub async fn begin(job: &Job, source: &'static str) -> Result<i64> {
    let (lease, dry_run) = (job.lease.clone(), job.options.dry_run);
    let begin = move |w: &mut Write<'_>| runs_store::begin(w, &lease, source, dry_run);
    job.db.write_bulk(&Scope::All, &Actor::system("accounts"), begin).await
}

/// Delivers what an interrupted run has left, so that the vendor and we agree on what is there before
/// anything new is planned.
pub async fn leftovers(job: &Job, run: i64, operation: Operation, report: &mut Report) -> Result<()> {
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
