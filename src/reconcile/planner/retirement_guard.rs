//! The retirement guard: a run that would retire more than a little waits for a person.

use crate::{
    config::Config,
    plan::{Action, Item, Kind, State},
};

/// How much a run may retire, or take away, without asking.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// This many rows of a kind are always allowed.
    pub minimum: u64,
    /// This share of the live rows is allowed, in percent.
    pub percent: u64,
}

impl Limits {
    /// What the operator decided.
    #[must_use]
    pub fn configured(config: &Config) -> Self {
        Self { minimum: config.sync.retire_minimum, percent: config.sync.retire_percent }
    }

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

/// What the retirements of one kind are measured by.
#[derive(Clone, Debug, Default)]
pub struct Measure {
    /// Live rows that the vendor feeds.
    pub live: u64,
    /// Those that its lists lacked, whatever becomes of them.
    pub unlisted: u64,
    /// What would vanish with them.
    pub dependants: Vec<Dependants>,
}

/// Holds this kind's retirements when they, the rows that were not listed, or what depends on them exceed the limit.
/// Returns the reason.
pub fn close(items: &mut [Item], kind: Kind, measure: &Measure, limits: Limits) -> Option<String> {
    let retires = |item: &Item| item.kind == kind && item.action == Action::Retire;
    let retiring = items.iter().filter(|item| retires(item)).count() as u64;
    if retiring == 0 {
        return None;
    }
    let Measure { live, unlisted, dependants } = measure;
    let (rows, allowed) = (kind.plural(), limits.of(*live));
    let reason = if retiring > allowed {
        format!("{retiring} of {live} {rows} would be retired (limit {allowed})")
    } else if *unlisted > allowed {
        format!("{unlisted} of {live} {rows} were not listed (limit {allowed})")
    } else {
        let Dependants { lost, live, what } = dependants.iter().find(|some| some.lost > limits.of(some.live))?;
        format!("{retiring} {rows} would be retired and take {lost} of {live} {what} along (limit {})", limits.of(*live))
    };
    items.iter_mut().filter(|item| retires(item)).for_each(|item| item.state = State::Held);
    Some(reason)
}

/// Lets every retirement wait.
pub fn hold(items: &mut [Item]) {
    turn(items, State::Pending, State::Held, |item| item.action == Action::Retire);
}

/// Lets everything wait.
pub fn hold_everything(items: &mut [Item]) {
    turn(items, State::Pending, State::Held, |_| true);
}

/// Approves what waits.
pub fn release(items: &mut [Item]) {
    turn(items, State::Held, State::Pending, |_| true);
}

fn turn(items: &mut [Item], from: State, to: State, which: impl Fn(&Item) -> bool) {
    items.iter_mut().filter(|item| item.state == from && which(item)).for_each(|item| item.state = to);
}
