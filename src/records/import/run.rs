//! The run of an import: under a lease like every job, and taken back when not all of it can be written.

use std::{pin::Pin, sync::Arc, time::Duration};

use serde_json::{Map, json};

use super::{Desk, Import, JOB, Origin, Outcome, Plan, Row, SOURCE, table::Table, target};
use crate::{
    compliance::RedactionPolicy,
    db::{Db, Write},
    error::{Error, Result},
    jobs::{
        self, Job, Options,
        lease_store::{Lease, check_lease},
        runs_store,
    },
    progress::Progress,
    reconcile::{
        apply::{Applied, Apply, WriteItem},
        decisions::{self, Approved},
        plans_store::{self, Stored},
        reconciliation::Reconciliation,
        report::Report,
    },
    records::undo,
    types::{Actor, ActorKind, Scope},
};

/// How long an import waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The same one, importing in this run.
fn importing(actor: &Actor, run: i64) -> Actor {
    Actor { kind: ActorKind::Import, source: Some(SOURCE.to_owned()), run_id: Some(run), ..actor.clone() }
}

fn busy(job: &str) -> String {
    format!("another import is running (job {job}); try again when it has ended")
}

impl Import {
    /// What it would do; kept as a proposal, nothing is written to a record.
    pub async fn plan(&self, desk: &Desk) -> Result<Plan> {
        self.run(desk, true).await
    }

    /// Does it: all of it, or nothing. What the guard holds waits for an approval.
    ///
    /// # Errors
    /// `Conflict` with the rows that cannot be.
    pub async fn apply(&self, desk: &Desk) -> Result<Plan> {
        let plan = self.run(desk, false).await?;
        if plan.refused > 0 { Err(refused(&plan)) } else { Ok(plan) }
    }

    async fn run(&self, desk: &Desk, dry_run: bool) -> Result<Plan> {
        let by = desk.actor.name.clone();
        jobs::under_lease(&desk.db, (JOB, &by), PATIENCE, busy, &desk.progress, async |lease: Lease| {
            finish_interrupted(&desk.db, &lease, &desk.progress).await?;
            let begun = lease.clone();
            let begin = move |w: &mut Write<'_>| runs_store::begin(w, &begun, SOURCE, dry_run);
            let run = desk.db.write(&Scope::All, &Actor::system("sync"), begin).await?;
            let options = Options { dry_run, ..Options::default() };
            let (db, config, progress) = (desk.db.clone(), desk.config.clone(), desk.progress.clone());
            let job = Job { kind: JOB, db, config, lease, options, progress };
            let (result, summary) = self.in_run(desk, &job, run).await;
            let (status, error) = match &result {
                Ok(plan) if plan.refused > 0 => ("failed", Some(format!("{} rows cannot be", plan.refused))),
                Ok(plan) if plan.held_because.is_some() && !dry_run => ("held", None),
                Ok(_) => ("done", None),
                Err(error) => ("failed", Some(error.to_string())),
            };
            let lease = job.lease.clone();
            let finish = move |w: &mut Write<'_>| runs_store::finish(w, &lease, run, status, error.as_deref(), &summary);
            job.write(&Actor::system("sync"), finish).await?;
            let plan = result?;
            Ok((format!("{}: {}", plan.kind, plan.words()), plan))
        })
        .await
    }

    /// Plans and applies; with the run's summary.
    async fn in_run(&self, desk: &Desk, job: &Job, run: i64) -> (Result<Plan>, String) {
        let actor = importing(&desk.actor, run);
        let of_vendor = Reconciliation::of(job, run, SOURCE, SOURCE);
        let this = Reconciliation { actor: actor.clone(), item: self.writer(), supersedes: false, ..of_vendor };
        let dry_run = job.options.dry_run;
        let mut table = Table::new(self.clone(), desk.scope.clone(), actor.clone());
        let kind = self.target.plan_kind();
        let mut report = Report { kinds: vec![kind], run_id: run, dry_run, ..Report::default() };
        report.listed.insert(kind.plural(), self.sheet.rows.len());
        let done = this.run(&mut table, &mut report).await;
        let summary = report.summary().to_string();
        let mut plan = table.plan;
        let result = match done {
            Ok(_) => {
                (plan.plan_id, plan.held_because) = (report.plan_id, report.held_because);
                plan.run_id = (!dry_run).then_some(run);
                Ok(plan)
            }
            // The first rehearsal has told which rows cannot be.
            Err(_) if plan.refused > 0 => Ok(plan),
            Err(error) if dry_run => Err(error),
            Err(error) => match withdraw(&desk.db, run, &actor, &job.lease).await {
                Ok(()) => Err(nothing_written(error)),
                Err(worse) => Err(worse),
            },
        };
        (result, summary)
    }
}

/// Says of a failure what became of the rest.
fn nothing_written(error: Error) -> Error {
    match error {
        Error::Conflict { message, details } => Error::Conflict { message: format!("nothing was imported: {message}"), details },
        other => other,
    }
}

fn refused(plan: &Plan) -> Error {
    let rows: Vec<&Row> = plan.rows.iter().filter(|row| row.outcome == Outcome::Refused).collect();
    let why = rows.first().map(|row| format!("line {}: {}", row.line, row.reason)).unwrap_or_default();
    let mut details = Map::new();
    details.insert("refused".to_owned(), json!(rows));
    Error::Conflict { message: format!("nothing was imported: {} rows cannot be; {why}", plan.refused), details }
}

/// Takes back what a run has written so far, and its plans with it.
async fn withdraw(db: &Db, run: i64, actor: &Actor, lease: &Lease) -> Result<()> {
    let undoing = Actor { run_id: None, pins: false, ..actor.clone() };
    undo::take_back(db, run, &undoing, lease).await?;
    let lease = lease.clone();
    let work = move |w: &mut Write<'_>| {
        check_lease(w, &lease)?;
        plans_store::withdraw(w, run)
    };
    db.write(&Scope::All, &Actor::system("sync"), work).await
}

/// What was kept of an import beside its stored plan.
fn origin(plan: &Stored) -> Result<Origin> {
    serde_json::from_value(plan.summary["import"].clone()).map_err(Error::internal)
}

/// Applies a stored plan of an import, as whoever imports.
async fn apply_stored(db: Db, lease: Lease, stored: &Stored, progress: Arc<Progress>) -> Result<Applied> {
    let Origin { kind, key, by, pins, lowers_protection } = origin(stored)?;
    let (target, policy) = (target::named(&kind)?, RedactionPolicy::of_program());
    let actor = importing(&Actor { pins, lowers_protection, ..Actor::import(&by) }, stored.run_id);
    let item: WriteItem = Arc::new(move |w, item| super::write(w, item, target, key.as_deref(), &policy));
    let apply = Apply { db: db.clone(), lease: lease.clone(), plan: stored.id, actor: actor.clone(), item, progress };
    let applied = apply.run().await?;
    if applied.stale > 0 {
        withdraw(&db, stored.run_id, &actor, &lease).await?;
        let many = applied.stale;
        return Err(Error::conflict(format!("nothing was imported: {many} records have changed since; import the table again")));
    }
    Ok(applied)
}

/// How a plan is applied that a person has approved.
#[must_use]
pub fn approved(approved: Approved) -> Pin<Box<dyn Future<Output = Result<Applied>> + Send>> {
    let Approved { db, lease, plan, progress } = approved;
    Box::pin(async move { apply_stored(db, lease, &plan, progress).await })
}

/// Applies what is left of an import whose process was killed.
async fn finish_interrupted(db: &Db, lease: &Lease, progress: &Arc<Progress>) -> Result<()> {
    let Some(plan) = db.read(&Scope::All, |c| plans_store::unfinished(c, SOURCE)).await? else { return Ok(()) };
    tracing::info!(plan = plan.id, "applying the rest of an import that was interrupted");
    let (status, error) = match apply_stored(db.clone(), lease.clone(), &plan, progress.clone()).await {
        Ok(_) => ("done", None),
        Err(Error::Conflict { message, .. }) => ("failed", Some(message)),
        Err(other) => return Err(other),
    };
    let (lease, summary) = (lease.clone(), plan.summary.to_string());
    let finish = move |w: &mut Write<'_>| {
        if error.is_none() {
            plans_store::set_status(w, plan.id, "applied")?;
        }
        runs_store::finish(w, &lease, plan.run_id, status, error.as_deref(), &summary)
    };
    db.write(&Scope::All, &Actor::system("sync"), finish).await
}

/// Goes on with an import whose process was killed, if there is one; for the start of the program.
pub async fn resume(db: &Db) -> Result<()> {
    if db.read(&Scope::All, |c| plans_store::unfinished(c, SOURCE)).await?.is_none() {
        return Ok(());
    }
    let progress = Arc::<Progress>::default();
    jobs::under_lease(db, (JOB, "start"), PATIENCE, busy, &progress, async |lease: Lease| {
        finish_interrupted(db, &lease, &progress).await?;
        Ok(("went on with what had been interrupted".to_owned(), ()))
    })
    .await
}

/// What became of a stored plan that somebody wants applied.
pub enum CarriedOut {
    /// It is applied.
    Done(Stored),
    /// It waits for an administrator.
    Waits(Stored),
}

/// Applies what somebody was shown, as it was shown. What the guard holds is decided by whoever may.
///
/// # Errors
/// `NotFound` for a plan of somebody else, `Conflict` when records have changed since.
pub async fn carry_out(db: &Db, id: i64, by: &Actor, may_approve: bool, progress: &Arc<Progress>) -> Result<CarriedOut> {
    let stored = db.read(&Scope::All, move |c| plans_store::get(c, id)).await?;
    if stored.source != SOURCE || !may_approve && origin(&stored)?.by != by.name {
        return Err(Error::NotFound { what: "Plan" });
    }
    if stored.held_because.is_some() && !may_approve && stored.status == "proposed" {
        db.write(&Scope::All, &Actor::system("sync"), move |w| plans_store::set_status(w, id, "held")).await?;
        return Ok(CarriedOut::Waits(stored));
    }
    decisions::approve(db, id, None, &by.name, progress.clone()).await?;
    Ok(CarriedOut::Done(stored))
}

impl CarriedOut {
    /// The plan that it is about.
    #[must_use]
    pub fn stored(&self) -> &Stored {
        let (Self::Done(stored) | Self::Waits(stored)) = self;
        stored
    }

    /// How many records it writes.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.stored().summary["changes"].as_u64().unwrap_or(0)
    }
}
