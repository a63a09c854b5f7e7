//! The retirement guard: a run that would retire more than a little waits for a person.

use crate::plan::{Action, Kind, Plan, State};

/// How much a run may retire without asking.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// This many rows of a kind are always allowed.
    pub minimum: u64,
    /// This share of the live rows is allowed, in percent.
    pub percent: u64,
}

impl Limits {
    /// The most that may go from so many live rows.
    #[must_use]
    pub fn of(self, live: u64) -> u64 {
        self.minimum.max(live.saturating_mul(self.percent) / 100)
    }
}

/// Rows that would vanish together with those that are retired, and how many such rows there are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dependants {
    /// Rows of another kind that hang on the retired ones alone.
    pub lost: u64,
    /// Live rows of that kind.
    pub live: u64,
    /// Their kind, in the plural.
    pub what: &'static str,
}

/// Holds this kind's retirements when they, or what depends on them, exceed the limit. Returns the reason.
pub fn close(plan: &mut Plan, kind: Kind, live: u64, dependants: &[Dependants], limits: Limits) -> Option<String> {
    let retiring = plan.items.iter().filter(|item| item.kind == kind && item.action == Action::Retire).count() as u64;
    if retiring == 0 {
        return None;
    }
    let allowed = limits.of(live);
    let reason = if retiring > allowed {
        Some(format!("{retiring} of {live} {} would be retired (limit {allowed})", kind.plural()))
    } else {
        let over = dependants.iter().find(|d| d.lost > limits.of(d.live));
        over.map(|d| {
            let allowed = limits.of(d.live);
            format!(
                "{retiring} {} would be retired and take {} of {} {} along (limit {allowed})",
                kind.plural(),
                d.lost,
                d.live,
                d.what
            )
        })
    }?;
    for item in &mut plan.items {
        if item.kind == kind && item.action == Action::Retire {
            item.state = State::Held;
        }
    }
    Some(reason)
}
