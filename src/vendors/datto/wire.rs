//! Datto's JSON, read without trust: any field may be missing, null or of another type, and times come in
//! at least five forms.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Map, Value};

/// The longest text that is taken over, in characters; the rest is cut off.
pub const LONGEST_TEXT: usize = 4_000;
/// The longest id or uid that is believed.
const LONGEST_ID: usize = 100;
/// Numbers below are seconds since 1970, numbers above are milliseconds (the year 5138 in the one, 1973 in the other).
const SECONDS_BELOW: f64 = 1e11;

/// A record as an object; anything else is no record.
#[must_use]
pub fn record(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object()
}

/// An object within a record.
#[must_use]
pub fn object<'j>(record: &'j Map<String, Value>, key: &str) -> Option<&'j Map<String, Value>> {
    record.get(key)?.as_object()
}

/// A list within a record; nothing when it is something else.
#[must_use]
pub fn list<'j>(record: &'j Map<String, Value>, key: &str) -> &'j [Value] {
    record.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text, trimmed, printable and of bounded length; numbers and booleans are taken as they are written.
#[must_use]
pub fn text(record: &Map<String, Value>, key: &str) -> Option<String> {
    text_of(record.get(key)?)
}

/// As [`text`], of a value.
#[must_use]
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => clean(text, LONGEST_TEXT),
        Value::Number(number) => Some(digits(number)),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A text of at most so many characters; `None` when nothing is left of it.
#[must_use]
pub fn clean(text: &str, longest: usize) -> Option<String> {
    let plain: String = crate::types::clean(text).chars().take(longest).collect();
    Some(plain.trim_end().to_owned()).filter(|plain| !plain.is_empty())
}

/// An id or uid, which arrives as a number or as text, as it is written: it goes back to the vendor in addresses.
#[must_use]
pub fn id(record: &Map<String, Value>, key: &str) -> Option<String> {
    id_of(record.get(key)?)
}

/// As [`id`], of a value.
#[must_use]
pub fn id_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) if number.is_u64() => number.to_string(),
        Value::Number(number) => {
            number.as_f64().filter(|n| n.fract() == 0.0 && *n > 0.0 && *n < 9e15).map(|n| format!("{n:.0}"))?
        }
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let sound =
        !text.is_empty() && text.len() <= LONGEST_ID && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:{}".contains(&b));
    let nothing = text.eq_ignore_ascii_case("null") || text.bytes().all(|b| b"0-.".contains(&b));
    (sound && !nothing).then_some(text)
}

/// A boolean; the words and numbers that stand for one are accepted.
#[must_use]
pub fn flag(record: &Map<String, Value>, key: &str) -> Option<bool> {
    match record.get(key)? {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "online" => Some(true),
            "false" | "no" | "off" | "0" | "offline" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A whole number; one written as text or with a fraction of zero counts.
#[must_use]
pub fn integer(record: &Map<String, Value>, key: &str) -> Option<i64> {
    match record.get(key)? {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole(number: f64) -> Option<i64> {
    (number.is_finite() && number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// A finite number; one written as text counts.
#[must_use]
pub fn float(record: &Map<String, Value>, key: &str) -> Option<f64> {
    let number = match record.get(key)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// A time in our form (`2026-11-21T10:00:00Z`); `None` for "never" in all its forms.
#[must_use]
pub fn time(record: &Map<String, Value>, key: &str) -> Option<String> {
    time_of(record.get(key)?)
}

/// The calendar day that a value names, as it is written. A number is midnight of that day, in whatever zone
/// the vendor keeps its days: the nearest midnight is meant.
#[must_use]
pub fn day_of(value: &Value) -> Option<String> {
    if let Value::String(text) = value
        && let Some(day) = crate::types::day(text)
    {
        return time_of(&Value::from(day.as_str())).map(|_| day);
    }
    let at: Timestamp = time_of(value)?.parse().ok()?;
    let (second, day) = (at.as_second(), 24 * 3600);
    let midnight = if second % 900 == 0 { (second + day / 2).div_euclid(day) } else { second.div_euclid(day) } * day;
    Timestamp::from_second(midnight).ok().map(|at| at.strftime("%Y-%m-%d").to_string())
}

/// As [`time`], of a value.
#[must_use]
pub fn time_of(value: &Value) -> Option<String> {
    let at = match value {
        Value::Number(number) => epoch(number.as_f64()?)?,
        Value::String(text) => {
            let text = text.trim();
            match text.parse::<f64>() {
                Ok(number) => epoch(number)?,
                Err(_) => written(text)?,
            }
        }
        _ => return None,
    };
    // Before Datto existed, or after anybody will read this: a default value, not a time.
    let year = at.to_zoned(TimeZone::UTC).year();
    (1980..2200).contains(&year).then(|| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Seconds or milliseconds since 1970, whichever makes sense.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn epoch(number: f64) -> Option<Timestamp> {
    if !number.is_finite() || number <= 0.0 || number >= 1e14 {
        return None;
    }
    let seconds = if number < SECONDS_BELOW { number } else { number / 1000.0 };
    Timestamp::from_second(seconds.floor() as i64).ok()
}

/// A time as text: with a zone, without one (then UTC), or a bare date.
fn written(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let utc = text.trim_end_matches(" UTC").trim_end_matches("[UTC]");
    let local = utc.parse::<Timestamp>().ok();
    local.or_else(|| utc.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()))
}

/// The digits of a number; 204729.0 is 204729.
fn digits(number: &serde_json::Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: Value) -> Map<String, Value> {
        Map::from_iter([("k".to_owned(), value)])
    }

    #[test]
    fn one_moment_has_many_spellings() {
        for same in [
            json!(1_793_121_702_000_i64),
            json!(1_793_121_702_999_i64),
            json!(1_793_121_702),
            json!(1_793_121_702.75),
            json!("1793121702000"),
            json!(" 1793121702 "),
            json!("2026-10-27T17:21:42Z"),
            json!("2026-10-27T17:21:42.123Z"),
            json!("2026-10-27T18:21:42+01:00"),
            json!("2026-10-27T17:21:42"),
            json!("2026-10-27 17:21:42"),
            json!("2026-10-27 17:21:42 UTC"),
        ] {
            assert_eq!(time_of(&same).as_deref(), Some("2026-10-27T17:21:42Z"), "{same}");
        }
        assert_eq!(time_of(&json!("2027-03-01")).as_deref(), Some("2027-03-01T00:00:00Z"));
    }

    #[test]
    fn a_day_is_never_moved_by_a_zone() {
        for (said, day) in [
            (json!("2027-03-01T00:00:00+02:00"), "2027-03-01"),
            (json!("2027-03-01T00:00:00-08:00"), "2027-03-01"),
            (json!("2027-03-01"), "2027-03-01"),
            (json!("2027-03-01T23:59:59Z"), "2027-03-01"),
            (json!(1_803_859_200_000_i64), "2027-03-01"),
            (json!(1_803_859_200), "2027-03-01"),
            // Midnight in Berlin, in New York, and some second of that day.
            (json!(1_803_855_600_000_i64), "2027-03-01"),
            (json!("1803877200000"), "2027-03-01"),
            (json!(1_803_938_401_000_i64), "2027-03-01"),
        ] {
            assert_eq!(day_of(&said).as_deref(), Some(day), "{said}");
        }
        for none in [json!("never"), json!(0), json!("0001-01-01T00:00:00Z"), json!("2027-02-30"), json!(null), json!([])] {
            assert_eq!(day_of(&none), None, "{none}");
        }
    }

    #[test]
    fn never_has_many_spellings_too() {
        for never in [
            json!(null),
            json!(0),
            json!(-62_135_596_800_000_i64),
            json!("-62135596800000"),
            json!(-62_135_596_800_i64),
            json!("0001-01-01T00:00:00Z"),
            json!("never"),
            json!("Never"),
            json!(""),
            json!("NaN"),
            json!(1e300),
            json!(u64::MAX),
            json!(true),
            json!([1]),
            json!({}),
            json!("2026-13-45"),
        ] {
            assert_eq!(time_of(&never), None, "{never}");
        }
    }

    #[test]
    fn every_type_in_every_field_is_survived() {
        for odd in [json!([]), json!({}), json!(null)] {
            let record = of(odd);
            assert_eq!((text(&record, "k"), id(&record, "k"), flag(&record, "k")), (None, None, None));
            assert_eq!((integer(&record, "k"), float(&record, "k"), time(&record, "k")), (None, None, None));
        }
        assert_eq!(text(&of(json!(" a\u{0}b\u{7f} ")), "k").as_deref(), Some("ab"));
        assert_eq!(text(&of(json!("\u{0} ")), "k"), None);
        assert_eq!(text(&of(json!(204_729.0)), "k").as_deref(), Some("204729"));
        assert_eq!(text(&of(json!("é".repeat(9_000))), "k").map(|t| t.chars().count()), Some(LONGEST_TEXT));
        assert_eq!(
            (flag(&of(json!("TRUE")), "k"), flag(&of(json!(0)), "k"), flag(&of(json!(7)), "k")),
            (Some(true), Some(false), None)
        );
        assert_eq!(
            (integer(&of(json!("12")), "k"), integer(&of(json!(12.0)), "k"), integer(&of(json!(1.5)), "k")),
            (Some(12), Some(12), None)
        );
    }

    #[test]
    fn ids_are_numbers_or_texts() {
        assert_eq!(id(&of(json!(400_001)), "k"), id(&of(json!("400001")), "k"));
        assert_eq!(
            id(&of(json!(" 1B644B0E-8CE6-4354-AEF8-A470A7F2C778 ")), "k").as_deref(),
            Some("1B644B0E-8CE6-4354-AEF8-A470A7F2C778")
        );
        for none in [
            json!(0),
            json!(-1),
            json!(1.5),
            json!("../x"),
            json!(""),
            json!("null"),
            json!("00000000-0000-0000-0000-000000000000"),
            json!("x".repeat(101)),
        ] {
            assert_eq!(id(&of(none.clone()), "k"), None, "{none}");
        }
    }
}
