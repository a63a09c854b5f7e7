//! How old, how late: the words that Beacon shows beside a ticket (contract §1.6.2).

use jiff::{Timestamp, tz::TimeZone};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What a missing time is called.
pub const NOTHING: &str = "N/A";

/// A stored time as a moment.
#[must_use]
pub fn moment(text: Option<&str>) -> Option<Timestamp> {
    super::utc(text?)?.parse().ok()
}

/// Seconds from one moment to the other.
#[must_use]
pub fn seconds(from: Timestamp, until: Timestamp) -> i64 {
    until.as_second() - from.as_second()
}

/// `3d ago`, `5h ago`, `12m ago`, `Just now`, `in the future`, `N/A`.
#[must_use]
pub fn friendly(at: Option<Timestamp>, now: Timestamp) -> String {
    match at.map(|at| seconds(at, now)) {
        None => NOTHING.to_owned(),
        Some(age) if age < 0 => "in the future".to_owned(),
        Some(age) if age >= DAY => format!("{}d ago", age / DAY),
        Some(age) if age >= HOUR => format!("{}h ago", age / HOUR),
        Some(age) if age >= MINUTE => format!("{}m ago", age / MINUTE),
        Some(_) => "Just now".to_owned(),
    }
}

/// `Today`, `1 day old`, `N days old`, `Future Date`, `N/A`, by calendar days in UTC.
#[must_use]
pub fn days_old(at: Option<Timestamp>, now: Timestamp) -> String {
    let Some(at) = at else { return NOTHING.to_owned() };
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let days = day(at).until(day(now)).map_or(0, |span| span.get_days());
    match days {
        ..0 => "Future Date".to_owned(),
        0 => "Today".to_owned(),
        1 => "1 day old".to_owned(),
        more => format!("{more} days old"),
    }
}

/// A length of time: `2.5 days`, `3.0 hours`, `12 min`, `30 sec`.
#[must_use]
pub fn length(seconds: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "seconds between two moments are far below 2^53")]
    let part = |unit: i64| seconds.abs() as f64 / unit as f64;
    match seconds.abs() {
        long if long >= 2 * DAY => format!("{:.1} days", part(DAY)),
        long if long >= HOUR => format!("{:.1} hours", part(HOUR)),
        long if long >= MINUTE => format!("{} min", long / MINUTE),
        short => format!("{short} sec"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_the_board_shows_them() {
        let now = moment(Some("2026-11-21T13:00:00Z")).unwrap();
        for (at, words, days) in [
            ("2026-11-21T12:59:30Z", "Just now", "Today"),
            ("2026-11-21T12:48:00Z", "12m ago", "Today"),
            ("2026-11-20T23:30:00Z", "13h ago", "1 day old"),
            ("2026-11-18T12:00:00Z", "3d ago", "3 days old"),
            ("2026-09-18T12:00:00Z", "64d ago", "64 days old"),
            ("2026-11-22T00:00:00Z", "in the future", "Future Date"),
            ("2026-11-18T12:00:00", "3d ago", "3 days old"),
        ] {
            assert_eq!(
                (friendly(moment(Some(at)), now).as_str(), days_old(moment(Some(at)), now).as_str()),
                (words, days),
                "{at}"
            );
        }
        assert_eq!((friendly(None, now), days_old(moment(Some("soon")), now)), (NOTHING.to_owned(), NOTHING.to_owned()));
        for (seconds, words) in
            [(30, "30 sec"), (-90, "1 min"), (3 * 3600 + 1800, "3.5 hours"), (172_800, "2.0 days"), (172_799, "48.0 hours")]
        {
            assert_eq!(length(seconds), words);
        }
    }
}
