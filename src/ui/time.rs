//! Stored times as people read them: `3 h ago`, `21 Nov 2026`, and the exact moment on hover. What is
//! not a time (a vendor's own words) is shown as it came.

use jiff::{Timestamp, civil};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// From here on a date says more than a distance.
const DATE_FROM: i64 = 30 * DAY;

fn stamp(at: &str) -> Option<Timestamp> {
    at.parse().ok()
}

/// How long ago (or how far ahead) a moment is; older than a month, its date.
#[must_use]
pub fn ago(at: &str) -> String {
    since(at, Timestamp::now())
}

fn since(at: &str, now: Timestamp) -> String {
    let Some(moment) = stamp(at) else { return date(at) };
    let seconds = now.as_second() - moment.as_second();
    let distance = seconds.abs();
    if distance >= DATE_FROM {
        return date(at);
    }
    if distance < MINUTE {
        return "just now".to_owned();
    }
    let (count, unit) = match distance {
        d if d < HOUR => (d / MINUTE, "min"),
        d if d < DAY => (d / HOUR, "h"),
        d => (d / DAY, "d"),
    };
    if seconds < 0 { format!("in {count} {unit}") } else { format!("{count} {unit} ago") }
}

/// The date alone: `21 Nov 2026`.
#[must_use]
pub fn date(at: &str) -> String {
    let day = at.get(..10).and_then(|day| day.parse::<civil::Date>().ok());
    day.map_or_else(|| at.to_owned(), |day| day.strftime("%-d %b %Y").to_string())
}

/// A month of the calendar: `November 2026`.
#[must_use]
pub fn month(text: &str) -> String {
    let first = format!("{text}-01").parse::<civil::Date>().ok().filter(|_| text.len() == 7);
    first.map_or_else(|| text.to_owned(), |first| first.strftime("%B %Y").to_string())
}

/// A sentence with its dates as people read them: `added on 2 Dec 2026, after the month`.
#[must_use]
pub fn dated(text: &str) -> String {
    let word = |word: &str| {
        let (day, after) = word.split_at(word.trim_end_matches([',', '.', ';', ':', ')']).len());
        if day.len() == 10 { date(day) + after } else { word.to_owned() }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Date, time and zone: `21 Nov 2026, 13:46:36 UTC`.
#[must_use]
pub fn exact(at: &str) -> String {
    stamp(at).map_or_else(|| at.to_owned(), |moment| moment.strftime("%-d %b %Y, %H:%M:%S UTC").to_string())
}

/// How long something took: `42 s`, `3 min 5 s`.
#[must_use]
pub fn between(from: &str, until: &str) -> Option<String> {
    let seconds = stamp(until)?.as_second() - stamp(from)?.as_second();
    Some(if seconds < MINUTE { format!("{seconds} s") } else { format!("{} min {} s", seconds / MINUTE, seconds % MINUTE) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_read_as_people_say_them() {
        let now: Timestamp = "2026-11-21T13:00:00Z".parse().unwrap_or(Timestamp::UNIX_EPOCH);
        for (at, text) in [
            ("2026-11-21T12:59:30Z", "just now"),
            ("2026-11-21T12:18:00Z", "42 min ago"),
            ("2026-11-21T10:00:00Z", "3 h ago"),
            ("2026-11-19T10:00:00Z", "2 d ago"),
            ("2026-11-21T15:00:00Z", "in 2 h"),
            ("2025-01-05T10:00:00Z", "5 Jan 2025"),
            ("2026-03-01", "1 Mar 2026"),
            ("last spring", "last spring"),
            ("", ""),
        ] {
            assert_eq!(since(at, now), text, "{at}");
        }
        assert_eq!(exact("2026-11-21T13:46:36Z"), "21 Nov 2026, 13:46:36 UTC");
        assert_eq!(month("2026-11"), "November 2026");
        assert_eq!(month("2026-13"), "2026-13");
        assert_eq!(
            dated("added on 2026-12-02, after 2026-11; WS-2026-12-02"),
            "added on 2 Dec 2026, after 2026-11; WS-2026-12-02"
        );
    }
}
