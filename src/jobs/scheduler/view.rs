//! What people and programs see of the schedules.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Effective,
    store::{self, Row},
};
use crate::{
    config::{Cadence, Config},
    db::{Conn, Db},
    error::Result,
    jobs::kind::JobKind,
    types::{Scope, format_time},
    vendors::credentials,
};

/// Why nothing runs by itself when the scheduler does not run.
pub const SCHEDULER_OFF: &str = "the scheduler is switched off";

/// When one kind of job runs.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Schedule)]
pub struct Scheduled {
    /// The script name.
    pub job: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// The vendor.
    pub system: &'static str,
    /// Whether it runs by itself: switched on, configured, and the scheduler runs.
    pub active: bool,
    /// Why not.
    pub inactive_because: Option<String>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// A cron expression, `every 5m`, `after datto` or `off`.
    pub cadence: String,
    /// `edited`, or where the configuration says it.
    pub origin: String,
    /// In which time zone.
    pub time_zone: String,
    /// Put off by at most so many seconds.
    pub jitter_seconds: i64,
    /// When it runs next.
    pub next_run_at: Option<String>,
    /// The slot that was taken last.
    pub last_slot: Option<String>,
    /// When it ran last by itself.
    pub last_run_at: Option<String>,
    /// `running`, `completed`, `failed`, or `skipped` because one of its kind was running.
    pub last_status: Option<String>,
    /// Why it failed.
    pub last_error: Option<String>,
    /// The job, for `/sync/status/…`.
    pub last_job_id: Option<String>,
    /// Who decided otherwise than the configuration.
    pub edited_by: Option<String>,
    pub edited_at: Option<String>,
    /// What the configuration says.
    pub configured: Configured,
}

/// What the configuration says of a kind of job.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ConfiguredSchedule)]
pub struct Configured {
    /// When it runs.
    pub cadence: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// In which time zone.
    pub time_zone: String,
    /// Put off by at most so many seconds.
    pub jitter_seconds: i64,
    /// Where the cadence was said.
    pub origin: String,
}

/// Every kind of job, in the order in which people see them.
pub async fn all(db: &Db, config: &Arc<Config>) -> Result<Vec<Scheduled>> {
    let config = credentials::effective(db, config).await?;
    db.read(&Scope::All, move |c| JobKind::all().iter().map(|kind| one(c, *kind, &config)).collect()).await
}

/// One kind of job.
pub fn one(c: &mut Conn, kind: JobKind, config: &Config) -> Result<Scheduled> {
    let row = store::find(c, kind.as_str())?;
    let schedule = Effective::of(kind, config, row.as_ref());
    let Row { clock, edited_by, edited_at, .. } = row.unwrap_or_default();
    let inactive_because = if !config.scheduler.enabled {
        Some(SCHEDULER_OFF.to_owned())
    } else if schedule.cadence == Cadence::Off {
        Some("no time is set".to_owned())
    } else if !schedule.enabled {
        Some("switched off".to_owned())
    } else {
        kind.configured(config).err().map(|error| error.to_string())
    };
    let active = inactive_because.is_none();
    let seed = config.scheduler.of(kind.as_str());
    let (mut last_status, mut last_error) = (clock.last_status.clone(), None);
    if let (Some("started"), Some(id)) = (clock.last_status.as_deref(), &clock.last_job_id) {
        match store::job_status(c, id)? {
            Some((status, error)) => (last_status, last_error) = (Some(status), error),
            None => last_status = None,
        }
    }
    let next_run_at = match (&schedule.cadence, clock.basis == schedule.basis()) {
        _ if !active => None,
        (Cadence::After(_), _) => None,
        (_, true) => clock.next_run_at.clone(),
        (_, false) => schedule.advance(&clock, Timestamp::now()).next_slot,
    };
    // A slot that waits for something to do, or for its vendor, is no time to come: the one after it is.
    let now = Timestamp::now();
    let next_run_at = match next_run_at {
        Some(at) if at <= format_time(now) => schedule.cadence.next(&schedule.zone, Some(now), now).map(format_time),
        next => next,
    };
    Ok(Scheduled {
        job: kind.as_str(),
        label: kind.label(),
        system: kind.system(),
        active,
        inactive_because,
        enabled: schedule.enabled,
        cadence: schedule.cadence.to_string(),
        origin: schedule.origin,
        time_zone: named(&schedule.zone_name, &schedule.zone),
        jitter_seconds: schedule.jitter,
        next_run_at,
        last_slot: clock.last_slot,
        last_run_at: clock.last_run_at,
        last_status,
        last_error,
        last_job_id: clock.last_job_id,
        edited_by,
        edited_at,
        configured: Configured {
            cadence: seed.cadence.to_string(),
            enabled: seed.enabled && seed.cadence != Cadence::Off,
            time_zone: config.scheduler.time_zone.clone(),
            jitter_seconds: config.scheduler.jitter_seconds,
            origin: seed.origin,
        },
    })
}

/// The next times at which a schedule would run, for whoever edits it.
#[must_use]
pub fn preview(cadence: &Cadence, zone: &jiff::tz::TimeZone, count: usize) -> Vec<String> {
    let mut at = Timestamp::now();
    let mut times = Vec::new();
    while let Some(next) = cadence.next(zone, Some(at), at).filter(|_| times.len() < count) {
        times.push(format_time(next));
        at = next;
    }
    times
}

/// The zone's own name where only `local` was said.
fn named(said: &str, zone: &jiff::tz::TimeZone) -> String {
    match said {
        "" | "local" => zone.iana_name().unwrap_or("local").to_owned(),
        name => name.to_owned(),
    }
}
