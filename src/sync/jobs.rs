//! Running a sync as a job: with a lease, a heartbeat and an end that is written down whatever happens.

use std::{sync::Arc, time::Duration};

use super::{
    freshservice::SYSTEM,
    jobs_store::{self, Acquired, Lease},
    progress::Progress,
    run::{Options, Outcome, Run},
};
use crate::{
    config::Config,
    db::Db,
    error::{Error, Result},
    types::{Actor, Scope},
};

/// How often a job says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Takes the right to sync Freshservice, or names the job that has it.
pub async fn acquire(db: &Db, started_by: &str) -> Result<Acquired> {
    let by = started_by.to_owned();
    db.write(&Scope::All, &Actor::system("sync"), move |w| jobs_store::acquire(w, SYSTEM, &by)).await
}

/// Runs the sync that the lease allows and writes down how it ended.
pub async fn drive(db: Db, config: Arc<Config>, lease: Lease, options: Options, progress: Arc<Progress>) -> Result<Outcome> {
    let beating = tokio::spawn(beat(db.clone(), lease.clone(), progress.clone()));
    let run = Run { db: db.clone(), config, lease: lease.clone(), options, progress };
    let outcome =
        tokio::spawn(run.run()).await.unwrap_or_else(|cause| Err(Error::internal(format!("the sync stopped: {cause}"))));
    beating.abort();
    let (output, error) = match &outcome {
        Ok((report, _)) if report.ending.exit_code() == 6 => (report.text(), Some(report.problems.join("; "))),
        Ok((report, _)) => (report.text(), None),
        Err(error) => (String::new(), Some(error.to_string())),
    };
    if let Some(error) = &error {
        tracing::error!(job = lease.job_id, %error, "the Freshservice sync failed");
    }
    let finish =
        db.write(&Scope::All, &Actor::system("sync"), move |w| jobs_store::finish(w, &lease, &output, error.as_deref())).await;
    match (outcome, finish) {
        (Ok(outcome), Ok(())) => Ok(outcome),
        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
    }
}

/// Says again and again that the job lives, until it is told to stop or another process took over.
async fn beat(db: Db, lease: Lease, progress: Arc<Progress>) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let (lease, line) = (lease.clone(), progress.now().line());
        let beat = db.write(&Scope::All, &Actor::system("sync"), move |w| jobs_store::beat(w, &lease, &line)).await;
        if let Err(error) = beat {
            tracing::warn!(%error, "a heartbeat of the sync failed");
            if matches!(error, Error::Conflict { .. }) {
                return;
            }
        }
    }
}

/// Marks the jobs of dead processes failed; called when the program starts.
pub async fn sweep(db: &Db) -> Result<usize> {
    if !db.read(&Scope::All, jobs_store::any_running).await? {
        return Ok(0);
    }
    db.write(&Scope::All, &Actor::system("sync"), |w| jobs_store::sweep(w)).await
}
