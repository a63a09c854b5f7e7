//! A person's decision about a plan that waits.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    apply::{self, Applied, Apply},
    plans_store::{self, Stored},
};
use crate::{
    db::{Conn, Db, Write},
    error::{Error, Result},
    jobs::{
        self,
        kind::JobKind,
        lease_store::{Lease, check_lease},
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

/// A plan that a person has approved, about to be applied.
pub struct Approved {
    pub db: Db,
    /// Proof that it may be applied.
    pub lease: Lease,
    pub plan: Stored,
    pub progress: Arc<Progress>,
}

/// How the plans of a source are applied that are not a vendor's.
pub type ApplyApproved = fn(Approved) -> Pin<Box<dyn Future<Output = Result<Applied>> + Send>>;

static SOURCES: OnceLock<&'static [(&'static str, ApplyApproved)]> = OnceLock::new();

/// Says how plans are applied that no vendor's pull has made, by their source; the first call counts.
pub fn register(sources: &'static [(&'static str, ApplyApproved)]) {
    SOURCES.get_or_init(|| sources);
}

/// Applies what waits, or those of it that are named by their items' ids: the others go on waiting. Rows that changed since
/// the plan was made are left alone.
///
/// # Errors
/// `NotFound`, `Conflict` for a plan that cannot be decided about, or not in parts; `Invalid` for an item that does not wait.
pub async fn approve(db: &Db, id: i64, only: Option<Vec<i64>>, by: &str, progress: Arc<Progress>) -> Result<Applied> {
    let asked = only.clone();
    let plan = db.read(&Scope::All, move |c| chosen(c, id, asked.as_deref())).await?;
    let kind = JobKind::named(&plan.source).ok_or_else(|| Error::internal(format!("plan {id} is of an unknown source")))?;
    let busy = |job: &str| format!("a sync is running (job {job}); decide when it has ended");
    jobs::under_lease(db, (kind, by), Duration::ZERO, busy, &progress, async |lease: Lease| {
        let approved = Approved { db: db.clone(), lease, plan, progress: progress.clone() };
        let applied = carry_out(kind, approved, only, by).await?;
        Ok((format!("plan {id} approved: {} applied, {} stale", applied.done, applied.stale), applied))
    })
    .await
}

/// The plan, when these items of it can be approved.
fn chosen(c: &mut Conn, id: i64, only: Option<&[i64]>) -> Result<Stored> {
    let plan = open(c, id)?;
    let Some(only) = only else { return Ok(plan) };
    if plan.status != "held" || of_source(&plan).is_some() {
        return Err(Error::conflict(format!("plan {id} is approved as a whole, or not at all")));
    }
    let waiting = plans_store::held_ids(c, id)?;
    match only.iter().find(|item| !waiting.contains(item)) {
        Some(other) => Err(Error::field("items", format!("{other} is no item of plan {id} that needs approval"))),
        None if only.is_empty() => Err(Error::field("items", "must name at least one item that needs approval")),
        None => Ok(plan),
    }
}

/// How a plan of this source is applied when no vendor's pull has made it.
fn of_source(plan: &Stored) -> Option<ApplyApproved> {
    SOURCES.get().into_iter().copied().flatten().find(|(source, _)| *source == plan.source).map(|(_, of_source)| *of_source)
}

async fn carry_out(kind: JobKind, approved: Approved, only: Option<Vec<i64>>, by: &str) -> Result<Applied> {
    let Approved { db, lease, plan, progress } = &approved;
    let (db, id, by, held) = (db.clone(), plan.id, by.to_owned(), lease.clone());
    let begin = move |w: &mut Write<'_>| {
        check_lease(w, &held)?;
        chosen(w, id, only.as_deref())?;
        plans_store::decide(w, id, "applying", &by)?;
        match only {
            Some(only) => plans_store::release(w, id, only),
            None => plans_store::move_items(w, id, State::Held, State::Pending),
        }
    };
    db.write(&Scope::All, &Actor::system("sync"), begin).await?;
    let (lease, actor) = (lease.clone(), Actor::sync(kind.system(), plan.run_id));
    let applied = match of_source(plan) {
        Some(of_source) => of_source(approved).await?,
        None => {
            let (lease, progress, item) = (lease.clone(), progress.clone(), apply::of_vendor());
            Apply { db: db.clone(), lease, plan: id, actor, item, progress }.run().await?
        }
    };
    let end = move |w: &mut Write<'_>| {
        check_lease(w, &lease)?;
        let rest = plans_store::count_in(w, id, State::Held)?;
        plans_store::set_status(w, id, if rest > 0 { "held" } else { "applied" })
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
