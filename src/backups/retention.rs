//! Which backups are kept.

use std::collections::HashSet;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::config::Keep;

/// Which of these moments, the newest first, are beyond what is kept: the newest of each of so many days, weeks (from
/// Monday) and months stays, as far back as there are any. The newest of all always does.
#[must_use]
pub fn beyond(keep: Keep, moments: &[Timestamp], zone: &TimeZone) -> Vec<usize> {
    let days: Vec<Date> = moments.iter().map(|at| at.to_zoned(zone.clone()).date()).collect();
    let mut kept: HashSet<usize> = HashSet::from([0]);
    kept.extend(newest(keep.days, days.iter().map(|day| (day.year(), i32::from(day.day_of_year())))));
    kept.extend(newest(
        keep.weeks,
        days.iter().map(|day| {
            let week = day.iso_week_date();
            (week.year(), i32::from(week.week()))
        }),
    ));
    kept.extend(newest(keep.months, days.iter().map(|day| (day.year(), i32::from(day.month())))));
    (0..moments.len()).filter(|index| !kept.contains(index)).collect()
}

/// The first of each of so many periods.
fn newest(count: usize, periods: impl Iterator<Item = (i16, i32)>) -> Vec<usize> {
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    for (index, period) in periods.enumerate() {
        if seen.len() < count && seen.insert(period) {
            found.push(index);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(keep: &str, moments: &[&str]) -> Vec<String> {
        let parsed: Vec<Timestamp> = moments.iter().map(|at| format!("{at}:00Z").parse().unwrap()).collect();
        let beyond = beyond(Keep::parse(keep).unwrap(), &parsed, &TimeZone::UTC);
        let kept = moments.iter().enumerate().filter(|(index, _)| !beyond.contains(index));
        kept.map(|(_, at)| (*at).to_owned()).collect()
    }

    #[test]
    fn the_newest_of_each_day_week_and_month_stays() {
        let moments = [
            "2026-11-30T13:00", // a Monday
            "2026-11-30T01:30",
            "2026-11-29T01:30",
            "2026-11-28T01:30",
            "2026-11-22T01:30",
            "2026-11-21T01:30",
            "2026-10-31T01:30",
            "2026-10-01T01:30",
            "2026-08-15T01:30",
        ];
        assert_eq!(left("1d", &moments), ["2026-11-30T13:00"]);
        assert_eq!(left("3d", &moments), ["2026-11-30T13:00", "2026-11-29T01:30", "2026-11-28T01:30"]);
        assert_eq!(left("3w", &moments), ["2026-11-30T13:00", "2026-11-29T01:30", "2026-11-22T01:30"]);
        assert_eq!(left("3m", &moments), ["2026-11-30T13:00", "2026-10-31T01:30", "2026-08-15T01:30"]);
        let both = ["2026-11-30T13:00", "2026-11-29T01:30", "2026-10-31T01:30"];
        assert_eq!(left("2d,1w,2m", &moments), both);
        assert_eq!(left("99d,99w,99m", &moments).len(), 8, "two of a day are one");
        assert!(left("1d", &[]).is_empty());
    }

    #[test]
    fn a_backup_that_is_never_made_again_costs_no_other() {
        // As far back as there are any, not as far as the calendar goes.
        assert_eq!(
            left("2d", &["2025-01-05T00:00", "2024-01-01T00:00", "2020-01-01T00:00"]),
            ["2025-01-05T00:00", "2024-01-01T00:00"]
        );
    }
}
