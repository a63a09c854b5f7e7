//! Walking one of the RMM's lists to its true end. Pure: it is told pages and says what to ask next.

use std::collections::{HashMap, HashSet};

/// Pages of one list beyond which we no longer believe in its end.
const MOST_PAGES: u32 = 20_000;
/// How often a page that looks wrong is asked for again.
const REPEATS: u32 = 3;

/// What to do after a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Keep the page and ask for this one.
    Next(u32),
    /// Do not keep it; ask for it again.
    Again,
    /// Keep the page; the list is at its end.
    Done,
    /// The list cannot be trusted.
    Broken(String),
}

/// How far a walk has come.
#[derive(Debug, Default)]
pub struct Paginator {
    seen: HashSet<String>,
    pages: HashMap<u64, u32>,
    /// Records met, with and without a usable id, repetitions too.
    records: u64,
    repeats: u32,
    stale: u32,
    disturbed: bool,
    short: bool,
}

impl Paginator {
    /// Every id met.
    pub fn seen(&self) -> &HashSet<String> {
        &self.seen
    }

    /// Whether the list is as long as the vendor says it is.
    pub fn is_whole(&self) -> bool {
        !self.short
    }

    /// Whether records moved from page to page while we walked: then it may lack some.
    pub fn is_disturbed(&self) -> bool {
        self.disturbed || self.short
    }

    /// Takes page `number`: the usable ids in it, how many records it has, how many the whole list is
    /// said to have, and whether another page is said to follow.
    pub fn take(&mut self, number: u32, ids: &[String], records: usize, total: Option<u64>, next: bool) -> Step {
        if records == 0 {
            return self.empty(number, total, next);
        }
        let mark = mark(ids);
        if let Some(earlier) = self.pages.get(&mark).filter(|earlier| !ids.is_empty() && **earlier != number) {
            let earlier = *earlier;
            return self.again(|| format!("page {number} repeats page {earlier}"));
        }
        if number >= MOST_PAGES {
            return Step::Broken(format!("the list has no end: {MOST_PAGES} pages were read"));
        }
        self.repeats = 0;
        let before = self.seen.len();
        self.seen.extend(ids.iter().cloned());
        let new = self.seen.len() - before;
        self.disturbed |= new < ids.len();
        self.stale = if new == 0 && !ids.is_empty() { self.stale + 1 } else { 0 };
        if self.stale >= REPEATS {
            return Step::Broken(format!("{REPEATS} pages up to page {number} brought nothing new"));
        }
        self.pages.insert(mark, number);
        self.records += records as u64;
        // The vendor's word that there is no further page counts less than its word about how many there are.
        if next || total.is_some_and(|total| total > self.records) { Step::Next(number + 1) } else { Step::Done }
    }

    fn empty(&mut self, number: u32, total: Option<u64>, next: bool) -> Step {
        let missing = total.is_some_and(|total| total > self.records);
        if (next || missing || number == 0 && total.is_none()) && self.repeats < REPEATS - 1 {
            self.repeats += 1;
            return Step::Again;
        }
        self.short |= missing || next;
        Step::Done
    }

    fn again(&mut self, why: impl Fn() -> String) -> Step {
        self.repeats += 1;
        if self.repeats < REPEATS { Step::Again } else { Step::Broken(why()) }
    }
}

fn mark(ids: &[String]) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    ids.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(range: std::ops::Range<u32>) -> Vec<String> {
        range.map(|n| n.to_string()).collect()
    }

    #[test]
    fn the_number_of_records_beats_a_missing_link() {
        let mut walk = Paginator::default();
        assert_eq!(walk.take(0, &ids(0..250), 250, Some(400), false), Step::Next(1));
        assert_eq!(walk.take(1, &ids(250..400), 150, Some(400), false), Step::Done);
        assert!(walk.is_whole() && !walk.is_disturbed());
    }

    #[test]
    fn a_list_that_comes_short_is_not_whole() {
        let mut walk = Paginator::default();
        assert_eq!(walk.take(0, &ids(0..250), 250, Some(400), true), Step::Next(1));
        assert_eq!(walk.take(1, &[], 0, Some(400), false), Step::Again);
        assert_eq!(walk.take(1, &[], 0, Some(400), false), Step::Again);
        assert_eq!(walk.take(1, &[], 0, Some(400), false), Step::Done);
        assert!(!walk.is_whole());
    }

    #[test]
    fn records_without_ids_count_and_circles_end() {
        let mut walk = Paginator::default();
        assert_eq!(walk.take(0, &ids(0..8), 10, Some(20), true), Step::Next(1));
        assert_eq!(walk.take(1, &ids(8..16), 10, Some(20), false), Step::Done);
        assert!(walk.is_whole());
        let mut walk = Paginator::default();
        assert_eq!(walk.take(0, &ids(0..5), 5, None, true), Step::Next(1));
        assert_eq!(walk.take(1, &ids(0..5), 5, None, true), Step::Again);
        assert_eq!(walk.take(1, &ids(0..5), 5, None, true), Step::Again);
        assert!(matches!(walk.take(1, &ids(0..5), 5, None, true), Step::Broken(_)));
    }
}
