//! What a contract's fields say: days in the one form that neighbours read, and when a term of years ends.

use jiff::{ToSpan as _, civil::Date};

use super::model::{Company, canonical_term};
use crate::types;

/// The day that a text names, however people write it; nothing when it could be two days (`03/04/2026`).
#[must_use]
pub fn day(text: &str) -> Option<String> {
    if let Some(day) = types::day(text) {
        return Some(day);
    }
    let date = text.trim().split(['T', ' ']).next().unwrap_or_default();
    let parts: Vec<i16> = date.split(['/', '.', '-']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (year, month, day) = match *parts.as_slice() {
        [year @ 1900..=9999, month, day] => (year, month, day),
        [day, month, year @ 1900..=9999] if date.contains('.') || day > 12 || day == month => (year, month, day),
        [month, day, year @ 1900..=9999] if day > 12 => (year, month, day),
        _ => return None,
    };
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok().map(|date| date.to_string())
}

/// The last day of a contract: the start and its term of whole years, less a day. One that starts on
/// 29 February ends on 28 February.
#[must_use]
pub fn end(start: &str, term: &str) -> Option<String> {
    let term = canonical_term(term).to_lowercase();
    let (number, unit) = term.trim().split_once([' ', '-'])?;
    if !(unit.trim().starts_with("year") || unit.trim().starts_with("yr")) {
        return None;
    }
    let years: i16 = number.trim().parse().ok().filter(|years| (1..=50).contains(years))?;
    let start: Date = day(start)?.parse().ok()?;
    if (start.month(), start.day()) == (2, 29) {
        return Date::new(start.year().checked_add(years)?, 2, 28).ok().map(|end| end.to_string());
    }
    let end = start.checked_add(i32::from(years).years()).ok()?.checked_sub(1.day()).ok()?;
    Some(end.to_string())
}

/// Whether this end is the one that start and term give, so that it moves with them.
#[must_use]
pub fn follows(start: Option<&str>, term: Option<&str>, last: Option<&str>) -> bool {
    match (start, term) {
        (Some(start), Some(term)) => last.is_some() && end(start, term).as_deref() == last,
        _ => false,
    }
}

/// Sets the end where it is not set and can be told.
pub fn complete(company: &mut Company) {
    if company.contract_end_date.is_none()
        && let (Some(start), Some(term)) = (&company.contract_start_date, &company.contract_term)
    {
        company.contract_end_date = end(start, term);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_added_and_the_day_before_is_the_last() {
        for (start, term, last) in [
            ("2024-01-15", "2 years", "2026-01-14"),
            ("2024-01-15T00:00:00+13:00", "2 Year", "2026-01-14"),
            ("2024-02-29T00:00:00Z", "1 Year", "2025-02-28"),
            ("2024-02-29", "4-Year", "2028-02-28"),
            ("2024-01-15", "3-Year", "2027-01-14"),
            ("2024-01-15", "36 months", "2027-01-14"),
            ("2023-03-01", "1-Year", "2024-02-29"),
            ("15/01/2024", "10 years", "2034-01-14"),
        ] {
            assert_eq!(end(start, term).as_deref(), Some(last), "{start} {term}");
        }
        for (start, term) in
            [("soon", "1 year"), ("2024-01-15", "monthly"), ("2024-01-15", "999 years"), ("2024-13-45", "1 year"), ("", "")]
        {
            assert_eq!(end(start, term), None);
        }
    }

    #[test]
    fn an_end_follows_its_start_and_term_or_is_somebodys_own() {
        for (start, term, last, follows_them) in [
            (Some("2024-01-15"), Some("2-Year"), Some("2026-01-14"), true),
            (Some("2024-01-15"), Some("2-Year"), Some("2026-06-30"), false),
            (Some("2024-01-15"), Some("monthly"), None, false),
            (None, Some("2-Year"), Some("2026-01-14"), false),
        ] {
            assert_eq!(follows(start, term, last), follows_them, "{start:?} {term:?} {last:?}");
        }
    }

    #[test]
    fn a_day_is_what_is_written_and_never_a_guess() {
        for (text, told) in [
            ("2027-03-01T00:00:00+02:00", "2027-03-01"),
            ("2027-03-01 23:59:59 -0800", "2027-03-01"),
            (" 2027-03-01 ", "2027-03-01"),
            ("15/01/2024", "2024-01-15"),
            ("1/31/2024", "2024-01-31"),
            ("01.02.2024", "2024-02-01"),
            ("05/05/2024", "2024-05-05"),
            ("2024/1/5", "2024-01-05"),
        ] {
            assert_eq!(day(text).as_deref(), Some(told), "{text}");
        }
        for none in ["03/04/2026", "2026-02-30", "31/04/2026", "1/2/26", "soon", "", "2027-03-01x", "2027-03"] {
            assert_eq!(day(none), None, "{none}");
        }
    }
}
