//! The vendor's codes and times in our one form.

use jiff::{Timestamp, civil, tz::TimeZone};

use crate::{
    config::freshservice,
    db::Value,
    entity::{Fielded, Kind},
    error::Result,
    types::format_time,
};

/// The one vendor of tickets so far, by the name of its section in the configuration.
pub const SOURCE: &str = freshservice::SYSTEM;

/// The statuses as they are known before an account tells its own: code, word, name. The vendor documents 2 to 5;
/// from 8 on they are custom ones of the account for which the predecessor was written (contract §5.9): words that
/// old clients know, and no more.
pub const STATUSES: &[(i64, &str, &str)] = &[
    (2, "open", "Open"),
    (3, "pending", "Pending"),
    (4, "resolved", "Resolved"),
    (5, "closed", "Closed"),
    (8, "scheduled", "Scheduled"),
    (9, "waiting_customer", "Waiting on Customer"),
    (10, "waiting_third_party", "Waiting on Third Party"),
    (13, "under_investigation", "Under Investigation"),
    (15, "job_complete_bill", "Job Complete - Bill"),
    (16, "billing_complete", "Billing Complete - Close"),
    (19, "update_needed", "Update Needed"),
    (23, "on_hold", "On Hold"),
    (26, "customer_replied", "Customer Replied"),
    (27, "pending_hubspot", "Pending Hubspot"),
];

/// What a status without a word is called.
pub const UNKNOWN: &str = "unknown";

/// Statuses of tickets that nobody works on any more (contract §1.6.2).
pub const ENDED: &[&str] = &["closed", "resolved", "job_complete_bill", "billing_complete", "spam", "trash", "deleted"];

/// What old clients call work that has begun.
const IN_PROGRESS: &[&str] =
    &["in_progress", "pending", "waiting_third_party", "under_investigation", "scheduled", "update_needed", "customer_replied"];

const PRIORITIES: [&str; 4] = ["low", "medium", "high", "urgent"];

/// Words as they are compared: lower case, one underscore for blanks, hyphens and the like.
#[must_use]
pub fn normalise(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// The words that a status in a question stands for.
#[must_use]
pub fn alias(word: &str) -> Vec<String> {
    let known: &[&str] = if word == "in_progress" { IN_PROGRESS } else { &[] };
    if known.is_empty() { vec![word.to_owned()] } else { known.iter().map(|word| (*word).to_owned()).collect() }
}

/// The word of a priority's code.
#[must_use]
pub fn priority_word(code: i64) -> Option<&'static str> {
    usize::try_from(code).ok()?.checked_sub(1).and_then(|at| PRIORITIES.get(at)).copied()
}

/// The code of a priority, said as a word or a number.
#[must_use]
pub fn priority_code(text: &str) -> Option<i64> {
    let text = normalise(text);
    let at = PRIORITIES.iter().position(|word| *word == text);
    at.and_then(|at| i64::try_from(at + 1).ok()).or_else(|| text.parse().ok())
}

/// A word for people: `waiting_customer` becomes `Waiting Customer`.
#[must_use]
pub fn title(word: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
    };
    word.split('_').filter(|part| !part.is_empty()).map(capital).collect::<Vec<_>>().join(" ")
}

/// A moment as any neighbour wrote it, in our one form; one without a zone counts as UTC. What is no
/// moment is nothing.
#[must_use]
pub fn utc(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(format_time(at));
    }
    let naive = text.parse::<civil::DateTime>().ok().or_else(|| Some(text.parse::<civil::Date>().ok()?.at(0, 0, 0, 0)))?;
    Some(format_time(naive.to_zoned(TimeZone::UTC).ok()?.timestamp()))
}

/// Puts every moment of a vendor's record into that form; what is no moment is left out where it can be.
///
/// # Errors
/// `Internal` when a moment is no text.
pub fn moments_in_utc<E: Fielded>(row: &mut E) -> Result<()> {
    for field in E::FIELDS.iter().filter(|field| matches!(field.spec.kind, Kind::Moment(_))) {
        let at = (field.read)(row).text().map(utc);
        match at {
            Some(Some(at)) => (field.write)(row, &at.into())?,
            Some(None) if field.spec.is_nullable => (field.write)(row, &Value::Null)?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_status_are_one() {
        for text in ["Waiting on-Customer", " waiting_on_customer ", "WAITING ON CUSTOMER"] {
            assert_eq!(normalise(text), "waiting_on_customer");
        }
        assert_eq!(normalise("Job Complete - Bill"), "job_complete_bill");
        assert!(alias("in_progress").contains(&"scheduled".to_owned()));
        assert_eq!(alias("open"), ["open"]);
    }

    #[test]
    fn every_time_ends_in_z() {
        for (text, want) in [
            ("2026-11-21T13:46:36Z", Some("2026-11-21T13:46:36Z")),
            ("2026-11-21T13:46:36.123456+02:00", Some("2026-11-21T11:46:36Z")),
            ("2026-11-21T13:46:36", Some("2026-11-21T13:46:36Z")),
            ("2026-11-21 13:46:36.5", Some("2026-11-21T13:46:36Z")),
            ("2026-11-21", Some("2026-11-21T00:00:00Z")),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(utc(text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn priorities_are_words_and_numbers() {
        assert_eq!((priority_word(4), priority_word(0), priority_word(5)), (Some("urgent"), None, None));
        assert_eq!((priority_code("High"), priority_code("2"), priority_code("none")), (Some(3), Some(2), None));
    }
}
