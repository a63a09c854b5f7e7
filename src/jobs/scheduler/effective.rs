//! What counts for one kind of job: a person's decision, else the configuration.

use jiff::{Timestamp, tz::TimeZone};

use super::store::{Clock, Row};
use crate::{
    config::{Cadence, Config, cadence},
    jobs::kind::JobKind,
    types::format_time,
};

/// When a kind of job runs.
#[derive(Clone, Debug)]
pub struct Effective {
    /// Whether it runs by itself.
    pub enabled: bool,
    pub cadence: Cadence,
    /// The time zone by name.
    pub zone_name: String,
    /// The time zone.
    pub zone: TimeZone,
    /// Put off by at most so many seconds.
    pub jitter: i64,
    /// Where the cadence was said.
    pub origin: String,
}

impl Effective {
    /// For this kind of job.
    #[must_use]
    pub fn of(kind: JobKind, config: &Config, row: Option<&Row>) -> Self {
        let seed = config.scheduler.of(kind.as_str());
        let edit = row.map(|row| row.edit.clone()).unwrap_or_default();
        // What was stored was checked; should a later version understand less, the configuration counts.
        let edited = edit.cadence.as_deref().and_then(|text| Cadence::parse(text, seed.daily).ok());
        let origin = if edited.is_some() { "edited".to_owned() } else { seed.origin };
        let zone_name = edit.time_zone.unwrap_or_else(|| config.scheduler.time_zone.clone());
        let zone = cadence::time_zone(&zone_name).unwrap_or(TimeZone::UTC);
        let cadence = edited.unwrap_or(seed.cadence);
        let enabled = edit.enabled.unwrap_or(seed.enabled) && cadence != Cadence::Off;
        let jitter = edit.jitter_seconds.unwrap_or(config.scheduler.jitter_seconds);
        Self { enabled, cadence, zone_name, zone, jitter, origin }
    }

    /// What a clock was computed from; another one means another decision.
    #[must_use]
    pub fn basis(&self) -> String {
        format!("{}|{}|{}", self.cadence, self.zone_name, self.jitter)
    }

    /// The clock with its next slot after `now`: whatever was missed counts as one.
    #[must_use]
    pub fn advance(&self, clock: &Clock, now: Timestamp) -> Clock {
        let last = clock.last_slot.as_deref().and_then(|slot| slot.parse().ok());
        let slot = self.cadence.next(&self.zone, last, now);
        let period = self.cadence.period(&self.zone, now);
        let delay = delay(self.jitter.min(period.unwrap_or(i64::MAX) / 2));
        let run = slot.and_then(|slot| Timestamp::from_second(slot.as_second().saturating_add(delay)).ok());
        Clock {
            basis: self.basis(),
            next_slot: slot.map(format_time),
            next_run_at: run.map(format_time),
            period_seconds: period,
            ..clock.clone()
        }
    }

    /// Whether a clock has to be set before it can be trusted: another decision, or a slot beyond the
    /// next one, because the machine's time went back.
    #[must_use]
    pub fn is_wrong(&self, clock: &Clock, now: Timestamp) -> bool {
        if clock.basis != self.basis() {
            return true;
        }
        if matches!(self.cadence, Cadence::After(_)) {
            return false;
        }
        let Some(next) = clock.next_slot.as_deref().and_then(|slot| slot.parse::<Timestamp>().ok()) else { return true };
        let latest = match &self.cadence {
            Cadence::Every(seconds) => Timestamp::from_second(now.as_second().saturating_add(*seconds)).ok(),
            other => other.next(&self.zone, None, now),
        };
        latest.is_some_and(|latest| next > latest)
    }
}

/// A random number of seconds up to `most`.
fn delay(most: i64) -> i64 {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    let [a, b, c, d, ..] = bytes;
    i64::from(u32::from_be_bytes([a, b, c, d])) % (most.max(0) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly(jitter: i64) -> Effective {
        Effective {
            enabled: true,
            cadence: Cadence::parse("0 * * * *", "").unwrap(),
            zone_name: "UTC".to_owned(),
            zone: TimeZone::UTC,
            jitter,
            origin: String::new(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn missed_slots_are_one_and_jitter_stays_within_its_bounds() {
        let schedule = hourly(600);
        let asleep = Clock { last_slot: Some("2026-11-21T01:00:00Z".to_owned()), fence: 4, ..Clock::default() };
        let clock = schedule.advance(&asleep, at("2026-11-21T09:30:00Z"));
        assert_eq!(clock.next_slot.as_deref(), Some("2026-11-21T10:00:00Z"));
        let run = clock.next_run_at.as_deref().unwrap();
        assert!(("2026-11-21T10:00:00Z"..="2026-11-21T10:10:00Z").contains(&run), "{run}");
        assert_eq!((clock.period_seconds, clock.fence), (Some(3600), 4));
    }

    #[test]
    fn another_decision_or_a_clock_set_back_sets_the_next_slot_anew() {
        let schedule = hourly(0);
        let now = at("2026-11-21T09:30:00Z");
        let clock = schedule.advance(&Clock::default(), now);
        assert!(!schedule.is_wrong(&clock, now));
        assert!(!schedule.is_wrong(&clock, at("2026-11-21T12:00:00Z")), "a slot that waits is not wrong");
        assert!(schedule.is_wrong(&clock, at("2026-11-20T09:30:00Z")));
        assert!(hourly(5).is_wrong(&clock, now));
    }
}
