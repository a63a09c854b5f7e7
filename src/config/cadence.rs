//! How often something runs: an interval, a cron expression, or after something else.

use std::{fmt, str::FromStr as _};

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{Timestamp, Zoned, tz::TimeZone};

/// The shortest and the longest interval, in seconds.
const INTERVAL: std::ops::RangeInclusive<i64> = 1..=31 * 86_400;
/// The longest text that is looked at.
const LONGEST: usize = 120;

/// How often something runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Cadence {
    /// Never by itself.
    Off,
    /// Every so many seconds.
    Every(i64),
    /// At the times of a cron expression.
    Cron(Box<Cron>),
    /// When a good run of this job has ended.
    After(String),
}

impl Cadence {
    /// Understands `off`, `hourly`, `frequent`, `daily` (at the time that `daily` says), `every 5m`,
    /// `after datto` and cron expressions of five fields, or six that begin with seconds.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str, daily: &str) -> Result<Self, String> {
        let words = text.to_lowercase();
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.len() > LONGEST {
            return Err(format!("must be at most {LONGEST} characters"));
        }
        match words.as_str() {
            "" | "off" | "never" | "none" | "disabled" => return Ok(Self::Off),
            "daily" => return cron(daily),
            "hourly" => return cron("0 * * * *"),
            "frequent" => return cron("*/5 * * * *"),
            _ => {}
        }
        if let Some(job) = words.strip_prefix("after ") {
            return Ok(Self::After(job.to_owned()));
        }
        match interval(words.strip_prefix("every ").unwrap_or(&words)) {
            Some(seconds) if INTERVAL.contains(&seconds) => Ok(Self::Every(seconds)),
            Some(_) => Err("must be an interval from 1 second to 31 days".to_owned()),
            None => cron(&words),
        }
    }

    /// The next time after `now`, for intervals in step with the `last` time.
    #[must_use]
    pub fn next(&self, zone: &TimeZone, last: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Off | Self::After(_) => None,
            Self::Every(seconds) => {
                let last = last.filter(|last| *last <= now).unwrap_or(now).as_second();
                let steps = (now.as_second() - last).div_euclid(*seconds) + 1;
                Timestamp::from_second(last.saturating_add(steps.saturating_mul(*seconds))).ok()
            }
            Self::Cron(cron) => {
                cron.find_next_occurrence(&now.to_zoned(zone.clone()), false).ok().map(|at: Zoned| at.timestamp())
            }
        }
    }

    /// How many seconds lie between the times around `now`.
    #[must_use]
    pub fn period(&self, zone: &TimeZone, now: Timestamp) -> Option<i64> {
        match self {
            Self::Off | Self::After(_) => None,
            Self::Every(seconds) => Some(*seconds),
            Self::Cron(cron) => {
                let next = self.next(zone, None, now)?;
                let before = cron.find_previous_occurrence(&now.to_zoned(zone.clone()), true).ok()?;
                Some(next.as_second() - before.timestamp().as_second())
            }
        }
    }
}

impl fmt::Display for Cadence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => out.write_str("off"),
            Self::Every(seconds) if seconds % 86_400 == 0 => write!(out, "every {}d", seconds / 86_400),
            Self::Every(seconds) if seconds % 3_600 == 0 => write!(out, "every {}h", seconds / 3_600),
            Self::Every(seconds) if seconds % 60 == 0 => write!(out, "every {}m", seconds / 60),
            Self::Every(seconds) => write!(out, "every {seconds}s"),
            Self::Cron(cron) => out.write_str(cron.as_str()),
            Self::After(job) => write!(out, "after {job}"),
        }
    }
}

/// `90`, `90s`, `5 min`, `2 hours`: seconds. A bare number is minutes, as the predecessor counted.
fn interval(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit.trim() {
        "s" | "sec" | "second" | "seconds" => 1,
        "" | "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(factor)
}

fn cron(text: &str) -> Result<Cadence, String> {
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    let wrong = || {
        "must be a cron expression of five fields such as 0 2 * * *, an interval such as every 5m, daily, hourly, frequent, \
         after datto, or off"
            .to_owned()
    };
    let cron = parser.parse(text).map_err(|_| wrong())?;
    let from = Timestamp::from_str("2026-01-01T00:00:00Z").unwrap_or_default().to_zoned(TimeZone::UTC);
    match cron.find_next_occurrence(&from, true) {
        Ok(_) => Ok(Cadence::Cron(Box::new(cron))),
        Err(_) => Err("must be a cron expression that comes true some day".to_owned()),
    }
}

/// A time zone by its name; `local` and nothing are the server's own.
///
/// # Errors
/// When there is no such zone.
pub fn time_zone(text: &str) -> Result<TimeZone, String> {
    match text.trim() {
        "" | "local" => Ok(TimeZone::system()),
        name => TimeZone::get(name).map_err(|_| format!("is no time zone: {name:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn times(cadence: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let (cadence, zone) = (Cadence::parse(cadence, "0 2 * * *").unwrap(), time_zone(zone).unwrap());
        let mut now = at(from);
        let mut found = Vec::new();
        for _ in 0..count {
            now = cadence.next(&zone, None, now).unwrap();
            found.push(now.to_string());
        }
        found
    }

    #[test]
    fn every_spelling() {
        for (text, want) in [
            ("daily", "0 2 * * *"),
            ("Hourly", "0 * * * *"),
            ("frequent", "*/5 * * * *"),
            ("every 90 s", "every 90s"),
            ("5m", "every 5m"),
            ("every 120 minutes", "every 2h"),
            ("1440", "every 1d"),
            ("off", "off"),
            ("after datto", "after datto"),
        ] {
            assert_eq!(Cadence::parse(text, "0 2 * * *").unwrap().to_string().to_lowercase(), want, "{text}");
        }
        for text in ["soon", "* * *", "61 * * * *", "every 0s", "every 99999d", "0 0 30 2 *", "0 0 1 1 * 2030 2031"] {
            assert!(Cadence::parse(text, "0 2 * * *").is_err(), "{text}");
        }
    }

    #[test]
    fn a_daily_time_is_kept_through_both_changes_of_the_clock() {
        // On 29 March 2026 Berlin has no 02:30; on 25 October it has two.
        let spring = times("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3);
        assert_eq!(spring, ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
        let autumn = times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
        assert_eq!(autumn, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        assert_eq!(times("0 2 * * *", "UTC", "2026-03-28T02:00:00Z", 1), ["2026-03-29T02:00:00Z"]);
    }

    #[test]
    fn intervals_keep_step_and_leave_out_what_was_missed() {
        let every = Cadence::Every(300);
        let next = |last: &str, now: &str| every.next(&TimeZone::UTC, Some(at(last)), at(now)).unwrap().to_string();
        assert_eq!(next("2026-11-21T10:00:00Z", "2026-11-21T10:00:03Z"), "2026-11-21T10:05:00Z");
        assert_eq!(next("2026-11-21T10:00:00Z", "2026-11-21T18:02:00Z"), "2026-11-21T18:05:00Z");
        assert_eq!(next("2026-11-21T10:00:00Z", "2026-11-21T09:00:00Z"), "2026-11-21T09:05:00Z");
    }

    #[test]
    fn a_period_is_the_gap_around_now() {
        let period = |text: &str, now: &str| Cadence::parse(text, "0 2 * * *").unwrap().period(&TimeZone::UTC, at(now));
        assert_eq!(period("daily", "2026-11-21T10:00:00Z"), Some(86_400));
        assert_eq!(period("*/5 8-17 * * *", "2026-11-21T10:01:00Z"), Some(300));
        assert_eq!(period("*/5 8-17 * * *", "2026-11-21T20:00:00Z"), Some(50_700));
        assert_eq!(period("off", "2026-11-21T20:00:00Z"), None);
    }
}
