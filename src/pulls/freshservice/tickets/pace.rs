//! How long the rest of a long piece of work will take, told honestly: from the pace measured, not hoped for.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The pace is that of the last so many pieces.
const REMEMBERED: usize = 300;
/// Nothing is told before so many are done.
const ENOUGH: usize = 5;

/// The pace of the last pieces of work.
#[derive(Debug)]
pub struct Pace {
    identifiers: VecDeque<Instant>,
}

impl Pace {
    /// Work begins now.
    #[must_use]
    pub fn new() -> Self {
        Self { identifiers: VecDeque::from([Instant::now()]) }
    }

    /// One piece is done.
    pub fn done(&mut self) {
        self.identifiers.push_back(Instant::now());
        if self.identifiers.len() > REMEMBERED {
            self.identifiers.pop_front();
        }
    }

    /// How long so many more pieces will take; `None` while that is anybody's guess.
    #[must_use]
    pub fn left(&self, pieces: u64) -> Option<Duration> {
        let (first, last) = (self.identifiers.front()?, self.identifiers.back()?);
        let count = u32::try_from(self.identifiers.len() - 1).ok().filter(|count| *count as usize >= ENOUGH)?;
        let each = last.duration_since(*first) / count;
        Some(each.saturating_mul(u32::try_from(pieces).unwrap_or(u32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_without_a_measure() {
        let mut pace = Pace::new();
        assert_eq!(pace.left(100), None);
        for _ in 0..ENOUGH {
            pace.done();
        }
        assert!(pace.left(100).is_some_and(|left| left < Duration::from_secs(5)));
        let mut slow = Pace::new();
        let start = Instant::now();
        slow.identifiers = (0..=10).map(|n| start + Duration::from_secs(n)).collect();
        assert_eq!(slow.left(3600), Some(Duration::from_hours(1)));
    }
}
