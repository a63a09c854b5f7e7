//! The turn to deliver, held by a job: kept alive in the background, given back when the delivery is over.

use std::time::Duration;

use super::turn_store;
use crate::{
    db::Db,
    error::Result,
    jobs::lease_store::Lease,
    types::{Actor, Scope},
};

/// How often whoever has the turn says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long somebody waits for the turn.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often they ask for it meanwhile.
const ASKING: Duration = Duration::from_millis(300);

/// The turn.
pub struct Turn {
    db: Db,
    lease: Lease,
    beating: Option<tokio::task::JoinHandle<()>>,
}

impl Turn {
    /// The turn of the delivery job, which has it by its own lease and keeps it alive itself.
    #[must_use]
    pub fn of_job(db: &Db, lease: &Lease) -> Self {
        Self { db: db.clone(), lease: lease.clone(), beating: None }
    }

    /// Takes the turn for a job of another kind, waiting for its end if somebody has it; `None` after a while.
    ///
    /// # Errors
    /// Those of the database; `Conflict` when the job is no more ours.
    pub async fn borrow(db: &Db, job: &Lease) -> Result<Option<Self>> {
        let began = tokio::time::Instant::now();
        loop {
            let job = job.clone();
            let take = move |w: &mut crate::db::Write<'_>| turn_store::take(w, super::JOB.as_str(), &job);
            if let Some(lease) = db.write(&Scope::All, &Actor::system("outbox"), take).await? {
                let beating = Some(tokio::spawn(heartbeat(db.clone(), lease.clone())));
                return Ok(Some(Self { db: db.clone(), lease, beating }));
            }
            if began.elapsed() > PATIENCE {
                return Ok(None);
            }
            tokio::time::sleep(ASKING).await;
        }
    }

    /// What every write of the delivery proves.
    #[must_use]
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Gives a borrowed turn back.
    pub async fn end(self) -> Result<()> {
        let Some(beating) = self.beating.as_ref() else { return Ok(()) };
        beating.abort();
        let lease = self.lease.clone();
        self.db.write(&Scope::All, &Actor::system("outbox"), move |w| turn_store::give_back(w, &lease)).await
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(beating) = self.beating.take() {
            beating.abort();
        }
    }
}

async fn heartbeat(db: Db, lease: Lease) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let kept = lease.clone();
        if let Err(error) = db.write(&Scope::All, &Actor::system("outbox"), move |w| turn_store::keep(w, &kept)).await {
            tracing::warn!(%error, "the turn to deliver could not be kept");
        }
    }
}
