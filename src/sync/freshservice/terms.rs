//! Contract terms: when a term of some years that began on a day ends.

use jiff::{ToSpan as _, civil::Date};

/// The last day of a contract, when the term is a whole number of years and the start is a date.
#[must_use]
pub fn end(start: &str, term: &str) -> Option<String> {
    let term = term.to_lowercase();
    let (number, unit) = term.trim().split_once([' ', '-'])?;
    if !unit.trim().starts_with("year") {
        return None;
    }
    let years: i32 = number.trim().parse().ok().filter(|years| (1..=50).contains(years))?;
    let day: Date = start.get(..10)?.parse().ok()?;
    let end = day.checked_add(years.years()).ok()?.checked_sub(1.day()).ok()?;
    Some(end.to_string())
}

#[cfg(test)]
mod tests {
    use super::end;

    #[test]
    fn years_are_added_and_the_day_before_is_the_last() {
        assert_eq!(end("2024-01-15", "2 years").as_deref(), Some("2026-01-14"));
        assert_eq!(end("2024-02-29T00:00:00Z", "1 Year").as_deref(), Some("2025-02-27"));
        assert_eq!(end("2024-01-15", "3-Year").as_deref(), Some("2027-01-14"));
        for (start, term) in
            [("soon", "1 year"), ("2024-01-15", "monthly"), ("2024-01-15", "999 years"), ("2024-13-45", "1 year")]
        {
            assert_eq!(end(start, term), None);
        }
    }
}
