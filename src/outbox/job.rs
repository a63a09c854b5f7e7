//! Deliveries as jobs: the one that looks after everything that is due, and the part of other jobs that
//! sends what they have just decided.

use super::{
    deliver::{Delivered, Delivery},
    run_report::{self, Report},
    store,
    turn::Turn,
    vendors::Vendors,
};
use crate::{
    db::Write,
    error::Result,
    history::Unredacted,
    jobs::{
        Ended, Job,
        kind::{Definition, JobKind},
        runs_store,
    },
    types::{Actor, Scope},
};

/// Writes to the vendors what waits in the outbox.
pub const JOB: JobKind = JobKind(&Definition {
    name: "outbox",
    aliases: &["deliver"],
    label: "Send queued changes",
    what: "What was decided here and is not yet at the vendor",
    system: "outbox",
    pulls: false,
    plans: false,
    follows: None,
    in_all: Some(3),
    has_work: |c, _| Ok(store::due(c)? > 0),
    body: |job| Box::pin(body(job)),
});

/// The body of the delivery job.
pub async fn body(job: Job) -> Result<Ended> {
    let due = job.db.read(&Scope::All, store::due).await?;
    if due == 0 || job.options.dry_run {
        let report = Report {
            dry_run: job.options.dry_run,
            planned: usize::try_from(due).unwrap_or(0),
            what: "entries",
            ..Report::default()
        };
        return Ok(report.ended());
    }
    let lease = job.lease.clone();
    let begin = move |w: &mut Write<'_>| runs_store::begin(w, &lease, JOB.as_str(), false);
    let run = job.write(&Actor::system("outbox"), begin).await?;
    let turn = Turn::of_job(&job.db, &job.lease);
    let result = delivery(&job, turn, run)?.run(None).await;
    let result = result.map(|delivered| {
        let checked = usize::try_from(due).unwrap_or(0);
        let mut report = Report { run_id: run, checked, planned: checked, what: "entries", ..Report::default() };
        report.deliver(delivered);
        report
    });
    run_report::finish(&job, run, result).await
}

fn delivery(job: &Job, turn: Turn, run: i64) -> Result<Delivery> {
    let vendors = Vendors::open(&job.db, &job.config)?;
    Ok(Delivery { db: job.db.clone(), turn, vendors, run_id: Some(run), progress: job.progress.clone() })
}

/// Delivers these entries as part of another job, when nobody else delivers.
pub async fn deliver_for(job: &Job, run: i64, ids: Vec<i64>) -> Result<Delivered> {
    if ids.is_empty() {
        return Ok(Delivered::default());
    }
    let Some(turn) = Turn::borrow(&job.db, &job.lease).await? else {
        let waiting =
            job.db.read(&Scope::All, move |c| store::these(c, ids)).await?.into_iter().map(Unredacted::reveal).collect();
        let problems = vec!["another delivery is under way; it, or the next one, writes what was decided here".to_owned()];
        return Ok(Delivered { waiting, problems, ..Delivered::default() });
    };
    let delivery = delivery(job, turn, run)?;
    let delivered = delivery.run(Some(ids)).await?;
    delivery.turn.end().await?;
    Ok(delivered)
}
