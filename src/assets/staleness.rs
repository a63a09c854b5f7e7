//! How long an asset has been out of sight: a label that takes nothing away, worked out when it is read.
//!
//! The age is measured against the last time the RMM could be trusted, not against now: while the source
//! is silent nothing grows older, and what is seen again is active again.

use jiff::{SignedDuration, Timestamp};

use crate::{config::LifeDays, types::format_time};

/// The stages, from the youngest.
pub const STAGES: [&str; 4] = ["active", "quiet", "stale", "archived"];

/// What a label follows from.
#[derive(Clone, Debug, Default)]
pub struct Basis {
    /// Whether the RMM watches the asset at all.
    pub watched: bool,
    /// When the last good run of the RMM began; none when there has been none.
    pub as_of: Option<String>,
    /// The company's own days, in the order quiet, stale, archived.
    pub own: [Option<i64>; 3],
}

/// The days of a company: its own where it has some; a stage never begins before the one before it.
#[must_use]
pub fn days_of(general: LifeDays, own: [Option<i64>; 3]) -> LifeDays {
    let quiet = own[0].unwrap_or(general.quiet);
    let stale = own[1].unwrap_or(general.stale).max(quiet);
    let archived = own[2].unwrap_or(general.archived).max(stale);
    LifeDays { quiet, stale, archived }
}

/// The moments before which a sight makes an asset quiet, stale and archived.
#[must_use]
pub fn cuts(as_of: &str, days: LifeDays) -> Option<[String; 3]> {
    let as_of: Timestamp = as_of.parse().ok()?;
    let cut = |days: i64| Some(format_time(as_of.checked_sub(SignedDuration::from_hours(days.checked_mul(24)?)).ok()?));
    Some([cut(days.quiet)?, cut(days.stale)?, cut(days.archived)?])
}

/// The label of an asset that was last seen then, and since when it has it; an active one has always been.
#[must_use]
pub fn label(basis: &Basis, last_seen: Option<&str>, general: LifeDays) -> Option<(&'static str, Option<String>)> {
    let (as_of, last_seen) = (basis.as_of.as_deref().filter(|_| basis.watched)?, last_seen?);
    let seen: Timestamp = last_seen.parse().ok()?;
    let days = days_of(general, basis.own);
    let cuts = cuts(as_of, days)?;
    let since = |days: i64| Some(format_time(seen.checked_add(SignedDuration::from_hours(days * 24)).ok()?));
    let last_seen = format_time(seen);
    Some(match cuts.iter().rposition(|cut| last_seen <= *cut) {
        Some(2) => ("archived", since(days.archived)),
        Some(1) => ("stale", since(days.stale)),
        Some(_) => ("quiet", since(days.quiet)),
        None => ("active", None),
    })
}

#[cfg(test)]
#[path = "staleness_tests.rs"]
mod tests;
