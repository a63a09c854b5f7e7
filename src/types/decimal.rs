//! Numbers with a fixed count of decimals, kept as whole numbers of their smallest part, so that sums are exact.

/// The most digits that may stand before the point.
const DIGITS: usize = 12;

/// What every number that can be read is less than.
pub const BOUND: u64 = 10_u64.pow(12);

/// A number as text, in its smallest parts: `12.5` with two places is 1250.
///
/// # Errors
/// In words that follow the field's name.
pub fn read(text: &str, places: u32) -> Result<i64, String> {
    let wrong = || format!("must be a number from 0 on with at most {places} decimals");
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let part = part.trim_end_matches('0');
    let width = places as usize;
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || whole.len() > DIGITS || part.len() > width || !is_number(whole) || !is_number(part) {
        return Err(wrong());
    }
    format!("{whole}{part:0<width$}").parse().map_err(|_| wrong())
}

/// The same number as text, with all its decimals: `12.50`.
#[must_use]
pub fn written(value: i64, places: u32) -> String {
    let unit = 10_u64.pow(places);
    let (sign, value) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    if places == 0 {
        format!("{sign}{value}")
    } else {
        format!("{sign}{}.{:0width$}", value / unit, value % unit, width = places as usize)
    }
}

/// The same number with no more decimals than it needs: `12.5`.
#[must_use]
pub fn plain(value: i64, places: u32) -> String {
    let text = written(value, places);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The same number as JSON has it.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "twelve digits and six decimals at most, of which a reader compares fifteen")]
pub fn number(value: i64, places: u32) -> f64 {
    value as f64 / 10_u64.pow(places) as f64
}

/// An amount of hundredths as people read it: `$1,234.50`.
#[must_use]
pub fn money(cents: i64, currency: &str) -> String {
    let text = written(cents, 2);
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
    let mut grouped = String::with_capacity(text.len() + 4);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match currency {
        "USD" => format!("{sign}${grouped}.{part}"),
        "EUR" => format!("{sign}€{grouped}.{part}"),
        "GBP" => format!("{sign}£{grouped}.{part}"),
        other => format!("{sign}{other} {grouped}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_both_ways() {
        for (text, places, value) in [
            ("12.5", 2, 1250),
            ("0.07", 2, 7),
            ("90", 2, 9000),
            ("12.500", 2, 1250),
            ("1.25", 3, 1250),
            ("0.000001", 6, 1),
            ("7.", 0, 7),
        ] {
            assert_eq!(read(text, places), Ok(value), "{text}");
        }
        for text in ["", ".5", "-1", "1.234", "1e3", "12,5", "1234567890123", "NaN", "1.2.3"] {
            assert!(read(text, 2).is_err(), "{text}");
        }
        assert_eq!((written(1250, 2).as_str(), written(7, 2).as_str(), written(-5, 2).as_str()), ("12.50", "0.07", "-0.05"));
        assert_eq!((plain(1250, 2).as_str(), plain(9000, 2).as_str(), plain(100, 0).as_str()), ("12.5", "90", "100"));
        assert!((number(1250, 2) - 12.5).abs() < f64::EPSILON);
    }

    #[test]
    fn amounts_have_their_currency() {
        assert_eq!(money(123_456_789, "USD"), "$1,234,567.89");
        assert_eq!(money(-50, "EUR"), "-€0.50");
        assert_eq!(money(100_000, "CHF"), "CHF 1,000.00");
    }
}
