//! When jobs run by themselves, as far as the configuration says it.

use super::{
    cadence::{Cadence, time_zone},
    read::Reader,
};

/// One kind of job, as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSchedule {
    /// The job's script name.
    pub job: &'static str,
    /// When it runs.
    pub cadence: Cadence,
    /// Whether it runs by itself at all.
    pub enabled: bool,
    /// What `daily` means for it.
    pub daily: &'static str,
    /// Where the cadence was said.
    pub origin: String,
}

/// When jobs run by themselves.
#[derive(Clone, Debug)]
pub struct Scheduler {
    /// Whether anything runs by itself.
    pub enabled: bool,
    /// Whether every job also runs when the server starts.
    pub run_on_startup: bool,
    /// The time zone of cron expressions, by name; `local` is the server's own.
    pub time_zone: String,
    /// By how many seconds at most a run is put off, so that not everybody asks the vendor at once.
    pub jitter_seconds: i64,
    /// The jobs.
    pub jobs: Vec<JobSchedule>,
}

/// Script name, key, key that switches it on, and the time of `daily`.
const JOBS: [(&str, &str, Option<&str>, &str); 11] = [
    ("freshservice", "freshservice", Some("freshservice_enabled"), "0 2 * * *"),
    ("datto", "datto", Some("datto_enabled"), "0 3 * * *"),
    ("datto-audits", "datto_audits", None, "30 3 * * *"),
    ("tickets", "tickets", Some("tickets_enabled"), "0 4 * * *"),
    ("keycloak_agents", "keycloak_agents", None, "0 1 * * *"),
    ("outbox", "outbox", None, "0 5 * * *"),
    ("create-account-numbers", "create_account_numbers", None, "30 2 * * *"),
    ("push-to-datto", "push_to_datto", None, "45 2 * * *"),
    ("push-to-freshservice", "push_to_freshservice", None, "50 2 * * *"),
    (FREEZING, "freeze_month", None, "0 6 1 * *"),
    (RETENTION, "retention", None, "30 4 * * *"),
];

/// The job that freezes the last month of the true-up.
pub const FREEZING: &str = "freeze-month";
/// The job that makes backups, whose settings stand in a section of its own, and the time of its `daily`.
pub const BACKUP: &str = "backup";
const BACKUP_DAILY: &str = "30 1 * * *";

/// The job that removes what is kept no longer.
pub const RETENTION: &str = "retention";

/// A cadence; a bare number is, where months are frozen, a day of the month.
fn cadence(job: &str, text: &str, daily: &str) -> Result<Cadence, String> {
    match text.trim().parse::<u32>() {
        Ok(day @ 1..=28) if job == FREEZING => Cadence::parse(&format!("0 6 {day} * *"), daily),
        Ok(_) if job == FREEZING => Err("must be off, a day of the month from 1 to 28, or a cron expression".to_owned()),
        _ => Cadence::parse(text, daily),
    }
}

/// The longest jitter.
const MOST_JITTER: i64 = 3_600;

impl Scheduler {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        let skipped = !read.text("scheduler", "skip").is_empty();
        let zone = read.parsed(("scheduler", "time_zone"), "local".to_owned(), |text| time_zone(text).map(|_| text.to_owned()));
        let jitter = |text: &str| {
            text.parse().ok().filter(|n| (0..=MOST_JITTER).contains(n)).ok_or(format!("must be seconds from 0 to {MOST_JITTER}"))
        };
        let mut schedule = |job, (section, key), switch: Option<&'static str>, daily| JobSchedule {
            job,
            cadence: read.parsed((section, key), Cadence::Off, |text| cadence(job, text, daily)),
            enabled: switch.is_none_or(|switch| read.flag(section, switch)),
            daily,
            origin: read.origin(section, key).to_owned(),
        };
        let mut jobs: Vec<_> =
            JOBS.into_iter().map(|(job, key, switch, daily)| schedule(job, ("scheduler", key), switch, daily)).collect();
        jobs.push(schedule(BACKUP, ("backup", "when"), None, BACKUP_DAILY));
        Self {
            enabled: read.flag("scheduler", "enabled") && !skipped,
            run_on_startup: read.flag("scheduler", "run_on_startup"),
            time_zone: zone,
            jitter_seconds: read.parsed(("scheduler", "jitter_seconds"), 0, jitter),
            jobs,
        }
    }

    /// What is configured for a job; one that the configuration does not know never runs by itself.
    #[must_use]
    pub fn of(&self, job: &'static str) -> JobSchedule {
        let known = self.jobs.iter().find(|schedule| schedule.job == job).cloned();
        known.unwrap_or(JobSchedule {
            job,
            cadence: Cadence::Off,
            enabled: true,
            daily: "0 2 * * *",
            origin: "default".to_owned(),
        })
    }
}
