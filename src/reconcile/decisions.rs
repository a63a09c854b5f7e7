//! A person's decision about a plan that waits.

use std::sync::Arc;

use super::{
    apply::{Applied, Apply},
    plans_store::{self, Stored},
};
use crate::{
    db::{Conn, Db, Write},
    error::{Error, Result},
    jobs::{
        self,
        kind::JobKind,
        lease_store::{self, Acquired, Lease, check_lease},
    },
    plan::State,
    progress::Progress,
    types::{Actor, Scope},
};

/// The plan, when it can still be decided about.
fn open(c: &mut Conn, id: i64) -> Result<Stored> {
    let plan = plans_store::get(c, id)?;
    match plan.status.as_str() {
        "held" | "proposed" => Ok(plan),
        "superseded" => Err(Error::conflict(format!("plan {id} is stale: a later sync took its place"))),
        other => Err(Error::conflict(format!("plan {id} does not wait for a decision: it is {other}"))),
    }
}

/// Applies what waits. Rows that changed since the plan was made are left alone.
pub async fn approve(db: &Db, id: i64, by: &str, progress: Arc<Progress>) -> Result<Applied> {
    let plan = db.read(&Scope::All, move |c| open(c, id)).await?;
    let kind = JobKind::parse(&plan.source).ok_or_else(|| Error::internal(format!("plan {id} is of an unknown source")))?;
    let lease = match jobs::acquire(db, kind, by).await? {
        Acquired::Ours(lease) => lease,
        Acquired::Running(job) => {
            return Err(Error::conflict(format!("a sync is running (job {job}); decide when it has ended")));
        }
    };
    let result = apply(db, kind, &lease, &plan, by, progress).await;
    let (output, error) = match &result {
        Ok(applied) => (format!("plan {id} approved: {} applied, {} stale", applied.done, applied.stale), None),
        Err(error) => (String::new(), Some(error.to_string())),
    };
    db.write(&Scope::All, &Actor::system("sync"), move |w| lease_store::finish(w, &lease, &output, error.as_deref())).await?;
    result
}

async fn apply(db: &Db, kind: JobKind, lease: &Lease, plan: &Stored, by: &str, progress: Arc<Progress>) -> Result<Applied> {
    let (id, by, held) = (plan.id, by.to_owned(), lease.clone());
    let begin = move |w: &mut Write<'_>| {
        check_lease(w, &held)?;
        open(w, id)?;
        plans_store::decide(w, id, "applying", &by)?;
        plans_store::move_items(w, id, State::Held, State::Pending)
    };
    db.write(&Scope::All, &Actor::system("sync"), begin).await?;
    let actor = Actor::sync(kind.system(), plan.run_id);
    let applied = Apply { db: db.clone(), lease: lease.clone(), plan: id, actor, progress }.run().await?;
    let held = lease.clone();
    let end = move |w: &mut Write<'_>| {
        check_lease(w, &held)?;
        plans_store::set_status(w, id, "applied")
    };
    db.write(&Scope::All, &Actor::system("sync"), end).await?;
    Ok(applied)
}

/// Decides against a plan; the rows stay. The next sync may propose the same again.
pub async fn discard(db: &Db, id: i64, by: &str) -> Result<()> {
    let by = by.to_owned();
    let discard = move |w: &mut Write<'_>| {
        open(w, id)?;
        plans_store::decide(w, id, "discarded", &by)?;
        plans_store::move_items(w, id, State::Held, State::Discarded)?;
        plans_store::move_items(w, id, State::Pending, State::Discarded).map(|_| ())
    };
    db.write(&Scope::All, &Actor::system("sync"), discard).await
}
