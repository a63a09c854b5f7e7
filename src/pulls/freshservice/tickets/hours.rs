//! How long somebody worked, from the ways in which time sheets write it to minutes.

use serde_json::Value;

use crate::tickets::TimeEntry;

/// The longest time that one entry can mean; beyond it the number is something else.
const LONGEST_MINUTES: i64 = 60 * 24 * 366;

/// Minutes of a `time_spent`: `hh:mm`, `hh:mm:ss`, or seconds as a number. `None` when it is none of these.
#[must_use]
pub fn minutes(told: &Value) -> Option<i64> {
    let seconds = match told {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?))?,
        Value::String(text) => seconds_of(text.trim())?,
        _ => return None,
    };
    let minutes = seconds.checked_add(30)? / 60;
    (seconds >= 0 && minutes <= LONGEST_MINUTES).then_some(minutes)
}

/// A float that stands for a whole number.
fn whole(number: f64) -> Option<i64> {
    let text = format!("{number}");
    text.parse().ok()
}

fn seconds_of(text: &str) -> Option<i64> {
    let digits = |part: &str| part.parse::<u32>().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit())).map(i64::from);
    let parts: Option<Vec<i64>> = text.split(':').map(digits).collect();
    match *parts?.as_slice() {
        [seconds] => Some(seconds),
        [hours, minutes] if minutes < 60 => Some(hours * 3600 + minutes * 60),
        [hours, minutes, seconds] if minutes < 60 && seconds < 60 => Some(hours * 3600 + minutes * 60 + seconds),
        _ => None,
    }
}

/// The minutes of a whole time sheet. A timer that still runs has not been worked yet; what nobody pays
/// for was worked all the same.
#[must_use]
pub fn total(sheet: &[TimeEntry]) -> i64 {
    sheet.iter().filter(|entry| !entry.running).map(|entry| entry.minutes).sum()
}

/// The minutes of a ticket whose time sheet was read: an empty one of a closed ticket counts as
/// `default_minutes` (what was too short to be written down).
#[must_use]
pub fn spent(sheet: &[TimeEntry], closed: bool, default_minutes: i64) -> i64 {
    if sheet.is_empty() && closed { default_minutes } else { total(sheet) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_spelling_is_understood_and_nothing_else() {
        for (told, want) in [
            (json!("01:30"), Some(90)),
            (json!("00:00"), Some(0)),
            (json!(" 1:05 "), Some(65)),
            (json!("123:45"), Some(7425)),
            (json!("00:10:29"), Some(10)),
            (json!("00:10:30"), Some(11)),
            (json!(5400), Some(90)),
            (json!("5400"), Some(90)),
            (json!(5400.0), Some(90)),
            (json!("01:75"), None),
            (json!("-01:30"), None),
            (json!(-60), None),
            (json!("1:2:3:4"), None),
            (json!("soon"), None),
            (json!(""), None),
            (json!("+1:30"), None),
            (json!(1e300), None),
            (json!(99_999_999_999_i64), None),
            (json!(null), None),
            (json!([1]), None),
        ] {
            assert_eq!(minutes(&told), want, "{told}");
        }
    }

    #[test]
    fn a_default_is_for_empty_sheets_of_closed_tickets() {
        let entry = |minutes, running| TimeEntry { minutes, running, ..TimeEntry::default() };
        assert_eq!(spent(&[], true, 15), 15);
        assert_eq!(spent(&[], false, 15), 0);
        assert_eq!(spent(&[entry(0, false)], true, 15), 0);
        assert_eq!(spent(&[entry(30, false), entry(600, true), entry(5, false)], true, 15), 35);
    }
}
