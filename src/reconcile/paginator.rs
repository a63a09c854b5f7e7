//! Walking a paged list to its true end. Pages are offsets into a live list: they may repeat, shift,
//! come short, come empty by mistake, or never end. Pure: it is told pages and says what to ask next.

use std::collections::{HashMap, HashSet};

/// Pages of one list beyond which we no longer believe in its end.
const MOST_PAGES: u32 = 20_000;
/// How often a page that looks wrong is asked for again.
const REPEATS: u32 = 3;
/// Pages in a row without a single new record after which the list is going round in circles.
const STALE_PAGES: u32 = 3;

/// What to do after a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Keep the page and ask for this one.
    Next(u32),
    /// Do not keep it; ask for this one (again), after a pause.
    Again(u32),
    /// The list is complete.
    Done,
    /// The list cannot be trusted.
    Broken(String),
}

/// How far a walk has come.
#[derive(Debug, Default)]
pub struct Paginator {
    /// Every vendor id met.
    seen: HashSet<String>,
    /// The pages kept: their ids in order → page number.
    pages: HashMap<Vec<String>, u32>,
    /// The last page kept: its number, ids and whether it was as long as the longest.
    last: Option<(u32, Vec<String>)>,
    longest: usize,
    repeats: u32,
    stale: u32,
    /// Where an empty page was met, and how often it was confirmed.
    end: Option<(u32, u32)>,
    disturbed: bool,
}

impl Paginator {
    /// Every vendor id met.
    #[must_use]
    pub fn seen(&self) -> &HashSet<String> {
        &self.seen
    }

    /// Whether the list moved, repeated or had holes while we walked: then it may lack records.
    #[must_use]
    pub fn disturbed(&self) -> bool {
        self.disturbed
    }

    /// The number and ids of the last page with records.
    #[must_use]
    pub fn last_page(&self) -> Option<(u32, &[String])> {
        self.last.as_ref().map(|(number, ids)| (*number, ids.as_slice()))
    }

    /// Whether the last page was as long as any, so that its being the last is not visible in it.
    #[must_use]
    pub fn last_is_full(&self) -> bool {
        self.last.as_ref().is_some_and(|(_, ids)| ids.len() >= self.longest)
    }

    /// Takes page `number` with the ids of its records (`None` for a record without a usable one).
    pub fn take(&mut self, number: u32, ids: &[Option<String>]) -> Step {
        if ids.is_empty() {
            return self.empty(number);
        }
        if self.end.take().is_some_and(|(at, _)| number > at) {
            // The page before was empty and this one is not: it was no end, and there is a hole.
            self.disturbed = true;
        }
        let known: Vec<String> = ids.iter().flatten().cloned().collect();
        if let Some(earlier) = self.pages.get(&known).filter(|_| !known.is_empty()) {
            self.repeats += 1;
            if self.repeats < REPEATS {
                return Step::Again(number);
            }
            return Step::Broken(format!("page {number} repeats page {earlier}"));
        }
        self.repeats = 0;
        if number >= MOST_PAGES {
            return Step::Broken(format!("the list has no end: {MOST_PAGES} pages were read"));
        }
        let before = self.seen.len();
        self.seen.extend(known.iter().cloned());
        let new = self.seen.len() - before;
        self.disturbed |= new < known.len();
        self.stale = if new == 0 && !known.is_empty() { self.stale + 1 } else { 0 };
        if self.stale >= STALE_PAGES {
            return Step::Broken(format!("{STALE_PAGES} pages up to page {number} brought nothing new"));
        }
        self.longest = self.longest.max(ids.len());
        self.pages.insert(known.clone(), number);
        self.last = Some((number, known));
        Step::Next(number + 1)
    }

    /// An empty page is believed to be the end when it is empty twice and the page after it is, too.
    fn empty(&mut self, number: u32) -> Step {
        match self.end {
            None => {
                self.end = Some((number, 1));
                Step::Again(number)
            }
            Some((at, 1)) => {
                self.end = Some((at, 2));
                Step::Again(at + 1)
            }
            Some(_) => Step::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(range: std::ops::Range<u32>) -> Vec<Option<String>> {
        range.map(|n| Some(n.to_string())).collect()
    }

    #[test]
    fn the_end_is_confirmed_twice() {
        let mut walk = Paginator::default();
        assert_eq!(walk.take(1, &ids(0..100)), Step::Next(2));
        assert_eq!(walk.take(2, &ids(100..130)), Step::Next(3));
        assert_eq!(walk.take(3, &[]), Step::Again(3));
        assert_eq!(walk.take(3, &[]), Step::Again(4));
        assert_eq!(walk.take(4, &[]), Step::Done);
        assert!(!walk.disturbed());
        assert_eq!(walk.seen().len(), 130);
    }

    #[test]
    fn a_page_that_is_empty_by_mistake_ends_nothing() {
        let mut walk = Paginator::default();
        walk.take(1, &ids(0..30));
        assert_eq!(walk.take(2, &[]), Step::Again(2));
        assert_eq!(walk.take(2, &ids(30..60)), Step::Next(3));
        assert!(!walk.disturbed());
        assert_eq!(walk.take(3, &[]), Step::Again(3));
        assert_eq!(walk.take(3, &[]), Step::Again(4));
        assert_eq!(walk.take(4, &ids(90..120)), Step::Next(5));
        assert!(walk.disturbed());
    }

    #[test]
    fn short_pages_go_on_and_shifts_are_noticed() {
        let mut walk = Paginator::default();
        walk.take(1, &ids(0..100));
        assert_eq!(walk.take(2, &ids(100..107)), Step::Next(3));
        assert!(!walk.disturbed());
        assert_eq!(walk.take(3, &ids(106..150)), Step::Next(4));
        assert!(walk.disturbed());
    }

    #[test]
    fn a_server_that_ignores_the_page_number_is_found_out() {
        let mut walk = Paginator::default();
        assert_eq!(walk.take(1, &ids(0..5)), Step::Next(2));
        assert_eq!(walk.take(2, &ids(0..5)), Step::Again(2));
        assert_eq!(walk.take(2, &ids(0..5)), Step::Again(2));
        assert!(matches!(walk.take(2, &ids(0..5)), Step::Broken(_)));
    }

    #[test]
    fn circles_end() {
        let mut walk = Paginator::default();
        walk.take(1, &ids(0..10));
        assert_eq!(walk.take(2, &ids(0..9)), Step::Next(3));
        assert_eq!(walk.take(3, &ids(0..8)), Step::Next(4));
        assert!(matches!(walk.take(4, &ids(0..7)), Step::Broken(_)));
    }

    #[test]
    fn records_without_ids_are_no_repetition() {
        let mut walk = Paginator::default();
        assert_eq!(walk.take(1, &[None, None]), Step::Next(2));
        assert_eq!(walk.take(2, &[None, None]), Step::Next(3));
        assert_eq!(walk.take(3, &[]), Step::Again(3));
    }
}
