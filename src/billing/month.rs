//! A month of the calendar, by which billing counts.

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    error::{Error, Result},
    types::now,
};

/// A month, in UTC: `2026-11`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(String);

impl Month {
    /// This one.
    #[must_use]
    pub fn current() -> Self {
        Self(now().chars().take(7).collect())
    }

    /// The one that the calendar of a zone shows at a moment.
    #[must_use]
    pub fn at(moment: Timestamp, zone: &TimeZone) -> Self {
        Self(moment.to_zoned(zone.clone()).strftime("%Y-%m").to_string())
    }

    /// The month that a question names, or this one.
    ///
    /// # Errors
    /// `Invalid` for what is no month, or one that has not begun.
    pub fn read(text: Option<&str>) -> Result<Self> {
        text.map_or_else(|| Ok(Self::current()), |text| Self::begun("month", text))
    }

    /// The month that a field names, of which something can be counted.
    ///
    /// # Errors
    /// `Invalid` for what is no month, or one that has not begun.
    pub fn begun(field: &str, text: &str) -> Result<Self> {
        let (month, current) = (Self::named(field, text)?, Self::current());
        if month > current {
            return Err(Error::field(field, format!("has not begun; the newest that can be counted is {}", current.as_str())));
        }
        Ok(month)
    }

    /// The month that a field names.
    ///
    /// # Errors
    /// `Invalid` for what is no month.
    pub fn named(field: &str, text: &str) -> Result<Self> {
        match format!("{text}-01").parse::<jiff::civil::Date>() {
            Ok(date) if text.len() == 7 && date.year() >= 2000 => Ok(Self(text.to_owned())),
            _ => Err(Error::field(field, "must be a month like 2026-11")),
        }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its first day: before every moment in it.
    #[must_use]
    pub fn start(&self) -> String {
        format!("{}-01", self.0)
    }

    /// The first day after it: after every moment in it.
    #[must_use]
    pub fn end(&self) -> String {
        self.next().start()
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        *self < Self::current()
    }

    fn parts(&self) -> (i32, u32) {
        let (year, month) = self.0.split_once('-').unwrap_or_default();
        (year.parse().unwrap_or_default(), month.parse().unwrap_or_default())
    }

    /// The month after it.
    #[must_use]
    pub fn next(&self) -> Self {
        match self.parts() {
            (year, 12) => Self(format!("{:04}-01", year + 1)),
            (year, month) => Self(format!("{year:04}-{:02}", month + 1)),
        }
    }

    /// The month before it.
    #[must_use]
    pub fn previous(&self) -> Self {
        match self.parts() {
            (year, 1) => Self(format!("{:04}-12", year - 1)),
            (year, month) => Self(format!("{year:04}-{:02}", month.saturating_sub(1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_end_in_december() {
        let month = |text| Month::named("month", text).unwrap();
        assert_eq!(month("2026-01").previous(), month("2025-12"));
        assert_eq!(month("2026-12").previous(), month("2026-11"));
        assert_eq!(month("2026-12").next(), month("2027-01"));
        assert_eq!(month("2026-02").end(), "2026-03-01");
        assert!(Month::named("month", "2026-13").is_err() && Month::named("month", "26-1").is_err());
    }
}
