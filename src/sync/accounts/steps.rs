//! The steps that all commands over account numbers share: a run that is recorded, leftovers first, a
//! question at the terminal, the delivery of what was decided.

use super::report::Report;
use crate::{
    db::Write,
    error::Result,
    sync::{
        jobs::{Ended, Job},
        outbox::{self, Operation},
        report as sync_report,
        run::Decision,
        runs_store,
    },
    types::{Actor, Scope},
};

/// Begins a run of this source.
///
/// # Errors
/// Those of the database.
pub async fn begin(job: &Job, source: &'static str) -> Result<i64> {
    let (lease, dry_run) = (job.lease.clone(), job.options.dry_run);
    let begin = move |w: &mut Write<'_>| runs_store::begin(w, &lease, source, dry_run);
    job.db.write_bulk(&Scope::All, &Actor::system("accounts"), begin).await
}

/// Ends the run as its result says, and makes that the end of the job.
///
/// # Errors
/// That of the run, or of the database.
pub async fn finish(job: &Job, run: i64, result: Result<Report>) -> Result<Ended> {
    let (status, error, summary) = match &result {
        Err(error) => ("failed", Some(error.to_string()), String::from("{}")),
        Ok(report) => {
            let ended = report.clone().ended();
            let status = match ended.exit_code {
                0 => "done",
                7 => "held",
                _ => "failed",
            };
            let counts = serde_json::json!({
                "checked": report.checked, "planned": report.planned, "created": report.created, "done": report.done.len(),
                "conflicts": report.conflicts.len(), "failed": report.failed.len(), "waiting": report.waiting.len(),
                "changes": report.done.len(),
            });
            (status, ended.problem, counts.to_string())
        }
    };
    let lease = job.lease.clone();
    let finish = move |w: &mut Write<'_>| runs_store::finish(w, &lease, run, status, error.as_deref(), &summary);
    job.db.write_bulk(&Scope::All, &Actor::system("accounts"), finish).await?;
    Ok(result?.ended())
}

/// Delivers what an interrupted run has left, so that the vendor and we agree on what is there before
/// anything new is planned.
///
/// # Errors
/// Those of the database.
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
    report.declined = ask(&shown, &report.items) != Decision::All;
    !report.declined
}

/// After a pull that was asked for with its follow-up: a second step of the same job (contract §1.11). It is
/// left out when the pull could not read everything, waits for approval, or was a dry run.
///
/// # Errors
/// None of the second step's: how it failed is told beside what the first one did.
pub async fn follow_up(job: Job, first: Ended, step: impl FnOnce(Job) -> Step) -> Result<Ended> {
    let wanted = job.options.follow_up && job.config.sync.follow_up && !job.options.dry_run && first.exit_code != 6;
    if !wanted {
        return Ok(first);
    }
    let mut ended = first;
    let second = step(job).await;
    let (text, problem, code, report) = match second {
        Ok(second) => (second.text, second.problem, second.exit_code, second.report),
        Err(error) => (String::new(), Some(error.to_string()), 6, serde_json::Value::Null),
    };
    ended.text = format!("{}\naccount numbers: {text}", ended.text);
    ended.problem = match (ended.problem, problem) {
        (Some(one), Some(two)) => Some(format!("{one}; {two}")),
        (one, two) => one.or(two),
    };
    ended.exit_code = if ended.exit_code == 0 { code } else { ended.exit_code };
    if let Some(body) = ended.report.as_object_mut() {
        body.insert("follow_up".to_owned(), report);
    }
    Ok(ended)
}

/// The second step of a job, once it runs.
pub type Step = std::pin::Pin<Box<dyn Future<Output = Result<Ended>> + Send>>;
