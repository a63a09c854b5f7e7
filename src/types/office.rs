//! The office's calendar: which day it is where the operator works.

use std::sync::OnceLock;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

static ZONE: OnceLock<TimeZone> = OnceLock::new();

/// Says in which zone the office is, before anything asks; the first call counts. Until then it is UTC.
pub fn keep_time_of(zone: &TimeZone) {
    ZONE.get_or_init(|| zone.clone());
}

/// Today, `YYYY-MM-DD`.
#[must_use]
pub fn today() -> String {
    day_from_today(0)
}

/// The day this many days from today (negative: before).
#[must_use]
pub fn day_from_today(days: i64) -> String {
    let zone = ZONE.get().cloned().unwrap_or(TimeZone::UTC);
    after(Timestamp::now().to_zoned(zone).date(), days).to_string()
}

/// The day this many days after another.
#[must_use]
pub fn after(day: Date, days: i64) -> Date {
    day.checked_add(days.days()).unwrap_or(day)
}
