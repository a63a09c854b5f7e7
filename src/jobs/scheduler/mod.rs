//! Starts jobs by themselves: each slot once, across any number of instances, because the clock is a row
//! of the database and taking a slot moves it in the same transaction that takes the job's lease.

pub mod api;
mod effective;
mod resume;
pub mod store;
pub mod view;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    kind::{JobKind, OURS},
    lease_store::{self, Acquired, Lease},
};
use crate::{
    config::{Cadence, Config},
    db::{Db, Write},
    error::Result,
    jobs,
    progress::Progress,
    types::{Actor, Scope, format_time, now_plus},
    vendors::{self, credentials, probe},
    web::settings_store,
};
pub use effective::Effective;
use store::{Clock, Row};
pub use view::Scheduled;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often dead jobs are looked for.
const REAP: Duration = Duration::from_secs(10);
/// A start does not repeat what another instance began so many seconds ago.
const STARTUP: i64 = 60;
/// Who starts these jobs, in their rows.
pub const BY: &str = "scheduler";

/// Runs until it is dropped. Whatever goes wrong with one look at the clock is tried again at the next.
pub async fn run(db: Db, config: Arc<Config>) {
    if !config.scheduler.enabled {
        let stop = db.write(&Scope::All, &Actor::system(BY), |w| store::stop_clocks(w)).await;
        tracing::info!(stopped = stop.is_ok(), "jobs do not run by themselves: the scheduler is switched off");
        return;
    }
    let mut startup = config.scheduler.run_on_startup;
    let mut reaped: Option<std::time::Instant> = None;
    let mut silent = false;
    loop {
        let look = async {
            let config = credentials::effective(&db, &config).await?;
            if reaped.is_none_or(|at| at.elapsed() >= REAP) {
                jobs::reap(&db).await?;
                resume::run(&db, &config).await?;
                reaped = Some(std::time::Instant::now());
            }
            tick(&db, &config, startup).await
        };
        match look.await {
            Ok(()) => (startup, silent) = (false, false),
            Err(error) if !silent => {
                tracing::warn!(%error, "the schedule could not be looked at");
                silent = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(TICK).await;
    }
}

/// Looks at the clock once, and starts what is due.
async fn tick(db: &Db, config: &Arc<Config>, startup: bool) -> Result<()> {
    let (rows, demo) =
        db.read(&Scope::All, |c| Ok((store::all(c)?, settings_store::find(c, settings_store::DEMO)?.is_some()))).await?;
    for kind in JobKind::all().iter().copied() {
        let row = rows.iter().find(|row| row.job == kind.as_str());
        let schedule = Effective::of(kind, config, row);
        let clock = row.map(|row| row.clock.clone()).unwrap_or_default();
        // Real data is not mixed into the demo.
        if demo || !schedule.enabled || kind.configured(config).is_err() {
            if clock.next_run_at.is_some() || clock.period_seconds.is_some() {
                let idle = Clock { basis: String::new(), next_slot: None, next_run_at: None, period_seconds: None, ..clock };
                set(db, kind, idle).await?;
            }
            continue;
        }
        let clock = if schedule.is_wrong(&clock, Timestamp::now()) {
            set(db, kind, schedule.advance(&clock, Timestamp::now())).await?
        } else {
            clock
        };
        if startup && !matches!(schedule.cadence, Cadence::After(_)) {
            let since = now_plus(-STARTUP);
            db.write(&Scope::All, &Actor::system(BY), move |w| store::bring_forward(w, kind.as_str(), &since)).await?;
        }
        // A slot waits while the vendor has shut us out: asking would only make that longer.
        if let Some(slot) = due(db, config, kind, &schedule, &clock, startup).await?
            && !is_shut_out(db, config, kind).await?
        {
            take(db, config, kind, schedule, slot).await?;
        }
    }
    Ok(())
}

async fn set(db: &Db, kind: JobKind, clock: Clock) -> Result<Clock> {
    let kept = clock.clone();
    db.write(&Scope::All, &Actor::system(BY), move |w| store::set_clock(w, kind.as_str(), &clock)).await?;
    Ok(kept)
}

/// The slot that is due, if there is something to do in it.
async fn due(
    db: &Db,
    config: &Arc<Config>,
    kind: JobKind,
    schedule: &Effective,
    clock: &Clock,
    startup: bool,
) -> Result<Option<String>> {
    let slot = if let Cadence::After(other) = &schedule.cadence {
        let other = JobKind::parse(other).map_or(other.clone(), |kind| kind.as_str().to_owned());
        let ended = db.read(&Scope::All, move |c| store::last_good_end(c, &other)).await?;
        ended.filter(|ended| !is_taken(clock.last_slot.as_deref(), ended))
    } else {
        let ripe = startup || clock.next_run_at.as_ref().is_some_and(|at| *at <= format_time(Timestamp::now()));
        if ripe { clock.next_slot.clone() } else { None }
    };
    if slot.is_none() {
        return Ok(None);
    }
    let config = Arc::clone(config);
    let has_work = db.read(&Scope::All, move |c| (kind.0.has_work)(c, &config)).await?;
    Ok(slot.filter(|_| has_work))
}

/// Whether the job's vendor has shut us out; for a job that is about all of them, whether any has. One that is about nobody's
/// data but our own asks no vendor.
async fn is_shut_out(db: &Db, config: &Config, kind: JobKind) -> Result<bool> {
    if kind.system() == OURS {
        return Ok(false);
    }
    let concerned = vendors::ALL.iter().copied().filter(|vendor| kind.vendor().is_none_or(|own| own.system == vendor.system));
    for vendor in concerned {
        if probe::shut_out(db, config, vendor).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes a slot, unless another instance was faster, and starts the job, unless one of its kind runs:
/// then the slot is that job's.
async fn take(db: &Db, config: &Arc<Config>, kind: JobKind, schedule: Effective, slot: String) -> Result<()> {
    let lease = db.write(&Scope::All, &Actor::system(BY), move |w| claim(w, kind, &schedule, &slot)).await?;
    if let Some(lease) = lease {
        tracing::info!(job = lease.job_id, "starting the {}, as scheduled", kind.label());
        drive(db, config, kind, lease);
    }
    Ok(())
}

/// Whether what ended then was followed up. A slot of the future is one from before the clock was set back.
fn is_taken(last_slot: Option<&str>, ended: &str) -> bool {
    last_slot.is_some_and(|last| last >= ended && last <= format_time(Timestamp::now()).as_str())
}

fn claim(w: &mut Write<'_>, kind: JobKind, schedule: &Effective, slot: &str) -> Result<Option<Lease>> {
    settings_store::refuse_demo(w)?;
    let row: Row = store::find(w, kind.as_str())?.unwrap_or_default();
    let now = Timestamp::now();
    let after = matches!(schedule.cadence, Cadence::After(_));
    let taken = if after {
        is_taken(row.clock.last_slot.as_deref(), slot)
    } else {
        let ripe = row.clock.next_run_at.as_ref().is_some_and(|at| *at <= format_time(now));
        !ripe || row.clock.next_slot.as_deref() != Some(slot)
    };
    if taken || row.clock.basis != schedule.basis() {
        return Ok(None);
    }
    let acquired = lease_store::acquire(w, kind.as_str(), kind.system(), BY)?;
    // What follows another job looks at what that one brought, so a job that began before it will not do.
    if after && matches!(acquired, Acquired::Running(_)) {
        return Ok(None);
    }
    let (status, job_id) = match &acquired {
        Acquired::Ours(lease) => ("started", lease.job_id.clone()),
        Acquired::Running(job_id) => ("skipped", job_id.clone()),
    };
    let clock = Clock {
        fence: row.clock.fence + 1,
        last_slot: Some(slot.to_owned()),
        last_run_at: Some(format_time(now)),
        last_status: Some(status.to_owned()),
        last_job_id: Some(job_id),
        ..row.clock
    };
    store::set_clock(w, kind.as_str(), &schedule.advance(&clock, now))?;
    Ok(match acquired {
        Acquired::Ours(lease) => Some(lease),
        Acquired::Running(_) => None,
    })
}

fn drive(db: &Db, config: &Arc<Config>, kind: JobKind, lease: Lease) {
    let (options, progress) = (jobs::Options::default(), Arc::new(Progress::default()));
    tokio::spawn(jobs::drive(db.clone(), config.clone(), kind, lease, options, progress));
}
