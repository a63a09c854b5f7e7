//! The job that freezes the months that have ended, when the operator wants that.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;

use crate::{
    billing::{
        freeze::{count, keep},
        month::Month,
    },
    config::{Config, FREEZING},
    db::{Conn, Write},
    error::Result,
    jobs::{
        Ended, Job,
        kind::{Definition, JobKind, OURS},
        scheduler::{Effective, store as schedules},
    },
    types::{Actor, Scope},
};

/// Freezes last month's true-up of every client.
pub const JOB: JobKind = JobKind(&Definition {
    name: FREEZING,
    aliases: &[],
    label: "Freeze last month",
    what: "Last month's true-up of every client, kept for good",
    system: OURS,
    pulls: false,
    plans: false,
    follows: None,
    in_all: None,
    has_work,
    body: |job| Box::pin(body(job)),
});

/// Where the schedule's calendar is ahead of UTC, its last month goes on for some hours: the slot waits for the end.
fn has_work(c: &mut Conn, config: &Config) -> Result<bool> {
    let zone = Effective::of(JOB, config, schedules::find(c, FREEZING)?.as_ref()).zone;
    Ok(Month::at(Timestamp::now(), &zone).previous().is_over())
}

/// The months to freeze: from the one before the slot's up to the one before today's, by the calendar of the schedule's
/// zone. These are one, unless a slot is made up for months later; a slot that is taken early counts as now.
fn months(slot: Option<Timestamp>, now: Timestamp, zone: &TimeZone) -> Vec<Month> {
    let last = Month::at(now, zone).previous();
    let first = slot.map_or_else(|| last.clone(), |slot| Month::at(slot, zone).previous());
    let mut months = vec![last];
    while let Some(month) = months.last().filter(|month| first < **month).map(Month::previous) {
        months.push(month);
    }
    months.reverse();
    months
}

async fn body(job: Job) -> Result<Ended> {
    let row = job.db.read(&Scope::All, |c| schedules::find(c, FREEZING)).await?;
    let zone = Effective::of(job.kind, &job.config, row.as_ref()).zone;
    let clock = row.map(|row| row.clock).unwrap_or_default();
    let slot = clock.last_slot.filter(|_| clock.last_job_id.as_ref() == Some(&job.lease.job_id));
    let slot = slot.and_then(|slot| slot.parse().ok());
    let (mut lines, mut reports) = (Vec::new(), Vec::new());
    for month in months(slot, Timestamp::now(), &zone) {
        let (config, wanted) = (Arc::clone(&job.config), month.clone());
        let counted = job.db.read(&Scope::All, move |c| count(c, &config, &wanted, None, false)).await?;
        let frozen = job.write(&Actor::system(FREEZING), move |w: &mut Write<'_>| keep(w, counted)).await?;
        lines.push(format!("{}: {}", month.as_str(), frozen.words()));
        lines.extend(frozen.skipped.iter().map(|one| format!("{} skipped: {}", one.company, one.reason)));
        reports.push(json!({
            "month": month.as_str(), "frozen": frozen.made.len(), "unchanged": frozen.unchanged.len(), "skipped": frozen.skipped,
        }));
    }
    let report = match reports.len() {
        1 => reports.remove(0),
        _ => json!({ "months": reports }),
    };
    Ok(Ended { text: lines.join("\n"), report, ..Ended::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_month_is_that_before_the_slots_in_the_schedules_zone() {
        let of = |slot: Option<&str>, now: &str, zone: &str| {
            let zone = TimeZone::get(zone).unwrap();
            let slot = slot.map(|slot| slot.parse().unwrap());
            months(slot, now.parse().unwrap(), &zone).iter().map(|month| month.as_str().to_owned()).collect::<Vec<_>>()
        };
        // Six in the morning of 1 December in Singapore is still November in UTC.
        let slot = Some("2026-11-30T22:00:00Z");
        assert_eq!(of(slot, "2026-12-01T00:00:00Z", "Asia/Singapore"), ["2026-11"]);
        assert_eq!(of(None, "2026-11-30T22:00:00Z", "Asia/Singapore"), ["2026-11"]);
        assert_eq!(of(None, "2026-11-30T22:00:00Z", "UTC"), ["2026-10"]);
        // The evening of 30 November in Los Angeles is December in UTC.
        assert_eq!(of(Some("2026-12-01T04:00:00Z"), "2026-12-01T04:00:01Z", "America/Los_Angeles"), ["2026-10"]);
        // Made up for later: whatever was missed. Taken early, at a start: as now.
        assert_eq!(of(slot, "2027-02-03T00:00:00Z", "Asia/Singapore"), ["2026-11", "2026-12", "2027-01"]);
        assert_eq!(of(Some("2026-12-01T06:00:00Z"), "2026-11-15T00:00:00Z", "UTC"), ["2026-10"]);
    }
}
