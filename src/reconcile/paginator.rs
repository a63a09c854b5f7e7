//! Finding the true end of a paged list. Pages are offsets into a live list: they may repeat, shift,
//! come short, come empty by mistake, or never end. Pure: it is told pages and says what to ask next.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

/// Pages of one list beyond which we no longer believe in its end.
const MOST_PAGES: u32 = 20_000;
/// How often a page that looks wrong is asked for again, and how many pages in a row may bring nothing new.
const REPEATS: u32 = 3;

/// How a list says where it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// By an empty page, which is believed when it is empty twice and the page after it is, too.
    #[default]
    Empty,
    /// By how many records there are, and whether another page follows.
    Told,
}

/// One page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The usable vendor ids in it.
    pub ids: Vec<String>,
    /// How many records it has, with and without a usable id.
    pub count: usize,
    /// How many the whole list is said to have.
    pub total: Option<u64>,
    /// Whether another page is said to follow.
    pub next: bool,
}

impl Shown {
    /// Of the ids of its records, `None` for one without a usable id.
    pub fn of(ids: impl Iterator<Item = Option<String>>) -> Self {
        let mut shown = Self::default();
        for id in ids {
            shown.count += 1;
            shown.ids.extend(id);
        }
        shown
    }
}

/// What to do after a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Keep the page and ask for this one.
    Next(u32),
    /// Do not keep it; ask for this one (again), after a pause.
    Again(u32),
    /// Do not keep it; it may be the end, which this page says.
    Confirm(u32),
    /// The list is complete; keep the page.
    Done,
    /// The list cannot be trusted.
    Broken(String),
}

/// How far a walk has come.
#[derive(Debug, Default)]
pub struct Paginator {
    end: End,
    /// Every vendor id met.
    seen: HashSet<String>,
    /// The pages kept, by a mark of their ids in order.
    pages: HashMap<u64, u32>,
    /// Records met, repetitions too.
    records: u64,
    /// The last page kept: its number and ids.
    last: Option<(u32, Vec<String>)>,
    longest: usize,
    repeats: u32,
    stale: u32,
    /// Where an empty page was met, and how often it was confirmed.
    empty: Option<(u32, u32)>,
    disturbed: bool,
    short: bool,
}

impl Paginator {
    /// Over a list that ends so.
    #[must_use]
    pub fn new(end: End) -> Self {
        Self { end, ..Self::default() }
    }

    /// Every vendor id met.
    #[must_use]
    pub fn seen(&self) -> &HashSet<String> {
        &self.seen
    }

    /// Whether the list is as long as the vendor says it is.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.short
    }

    /// Whether the list moved, repeated, had holes or came short while we walked: then it may lack records.
    #[must_use]
    pub fn is_disturbed(&self) -> bool {
        self.disturbed || self.short
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

    /// Takes a page.
    pub fn take(&mut self, number: u32, shown: &Shown) -> Step {
        let Shown { ids, count, total, next } = shown;
        if *count == 0 {
            return if self.end == End::Told { self.came_short(number, *total, *next) } else { self.came_empty(number) };
        }
        if self.empty.take().is_some_and(|(at, _)| number > at) {
            // The page before was empty and this one is not: it was no end, and there is a hole.
            self.disturbed = true;
        }
        let mark = mark(ids);
        if let Some(earlier) = self.pages.get(&mark).filter(|earlier| !ids.is_empty() && **earlier != number) {
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
        self.seen.extend(ids.iter().cloned());
        let new = self.seen.len() - before;
        self.disturbed |= new < ids.len();
        self.stale = if new == 0 && !ids.is_empty() { self.stale + 1 } else { 0 };
        if self.stale >= REPEATS {
            return Step::Broken(format!("{REPEATS} pages up to page {number} brought nothing new"));
        }
        self.longest = self.longest.max(*count);
        self.records += *count as u64;
        self.pages.insert(mark, number);
        self.last = Some((number, ids.clone()));
        // The vendor's word that there is no further page counts less than its word about how many there are.
        let goes_on = self.end == End::Empty || *next || total.is_some_and(|total| total > self.records);
        if goes_on { Step::Next(number + 1) } else { Step::Done }
    }

    fn came_empty(&mut self, number: u32) -> Step {
        match self.empty {
            None => {
                self.empty = Some((number, 1));
                Step::Confirm(number)
            }
            Some((at, 1)) => {
                self.empty = Some((at, 2));
                Step::Confirm(at + 1)
            }
            Some(_) => Step::Done,
        }
    }

    fn came_short(&mut self, number: u32, total: Option<u64>, next: bool) -> Step {
        let missing = total.is_some_and(|total| total > self.records);
        if (next || missing || number == 0 && total.is_none()) && self.repeats < REPEATS - 1 {
            self.repeats += 1;
            return Step::Again(number);
        }
        self.short |= missing || next;
        Step::Done
    }
}

fn mark(ids: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    ids.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(range: std::ops::Range<u32>) -> Shown {
        Shown::of(range.map(|n| Some(n.to_string())))
    }

    #[test]
    fn the_end_is_confirmed_twice() {
        let mut walk = Paginator::default();
        assert_eq!(walk.take(1, &page(0..100)), Step::Next(2));
        assert_eq!(walk.take(2, &page(100..130)), Step::Next(3));
        assert_eq!(walk.take(3, &page(0..0)), Step::Confirm(3));
        assert_eq!(walk.take(3, &page(0..0)), Step::Confirm(4));
        assert_eq!(walk.take(4, &page(0..0)), Step::Done);
        assert!(!walk.is_disturbed());
        assert_eq!(walk.seen().len(), 130);
    }

    #[test]
    fn a_page_that_is_empty_by_mistake_ends_nothing() {
        let mut walk = Paginator::default();
        walk.take(1, &page(0..30));
        assert_eq!(walk.take(2, &page(0..0)), Step::Confirm(2));
        assert_eq!(walk.take(2, &page(30..60)), Step::Next(3));
        assert!(!walk.is_disturbed());
        assert_eq!(walk.take(3, &page(0..0)), Step::Confirm(3));
        assert_eq!(walk.take(3, &page(0..0)), Step::Confirm(4));
        assert_eq!(walk.take(4, &page(90..120)), Step::Next(5));
        assert!(walk.is_disturbed());
    }

    #[test]
    fn short_pages_go_on_and_shifts_are_noticed() {
        let mut walk = Paginator::default();
        walk.take(1, &page(0..100));
        assert_eq!(walk.take(2, &page(100..107)), Step::Next(3));
        assert!(!walk.is_disturbed());
        assert_eq!(walk.take(3, &page(106..150)), Step::Next(4));
        assert!(walk.is_disturbed());
    }

    #[test]
    fn a_server_that_ignores_the_page_number_is_found_out() {
        let mut walk = Paginator::default();
        assert_eq!(walk.take(1, &page(0..5)), Step::Next(2));
        assert_eq!(walk.take(2, &page(0..5)), Step::Again(2));
        assert_eq!(walk.take(2, &page(0..5)), Step::Again(2));
        assert!(matches!(walk.take(2, &page(0..5)), Step::Broken(_)));
    }

    #[test]
    fn circles_end() {
        let mut walk = Paginator::default();
        walk.take(1, &page(0..10));
        assert_eq!(walk.take(2, &page(0..9)), Step::Next(3));
        assert_eq!(walk.take(3, &page(0..8)), Step::Next(4));
        assert!(matches!(walk.take(4, &page(0..7)), Step::Broken(_)));
    }

    #[test]
    fn records_without_ids_are_no_repetition() {
        let mut walk = Paginator::default();
        let nameless = Shown::of([None, None].into_iter());
        assert_eq!(walk.take(1, &nameless), Step::Next(2));
        assert_eq!(walk.take(2, &nameless), Step::Next(3));
        assert_eq!(walk.take(3, &page(0..0)), Step::Confirm(3));
    }

    fn of(range: std::ops::Range<u32>, count: usize, total: u64, next: bool) -> Shown {
        Shown { count, total: Some(total), next, ..page(range) }
    }

    #[test]
    fn the_number_of_records_beats_a_missing_link() {
        let mut walk = Paginator::new(End::Told);
        assert_eq!(walk.take(0, &of(0..250, 250, 400, false)), Step::Next(1));
        assert_eq!(walk.take(1, &of(250..400, 150, 400, false)), Step::Done);
        assert!(walk.is_whole() && !walk.is_disturbed());
    }

    #[test]
    fn a_list_that_comes_short_is_not_whole() {
        let mut walk = Paginator::new(End::Told);
        assert_eq!(walk.take(0, &of(0..250, 250, 400, true)), Step::Next(1));
        assert_eq!(walk.take(1, &of(0..0, 0, 400, false)), Step::Again(1));
        assert_eq!(walk.take(1, &of(0..0, 0, 400, false)), Step::Again(1));
        assert_eq!(walk.take(1, &of(0..0, 0, 400, false)), Step::Done);
        assert!(!walk.is_whole());
    }

    #[test]
    fn records_without_ids_count_and_told_circles_end() {
        let mut walk = Paginator::new(End::Told);
        assert_eq!(walk.take(0, &of(0..8, 10, 20, true)), Step::Next(1));
        assert_eq!(walk.take(1, &of(8..16, 10, 20, false)), Step::Done);
        assert!(walk.is_whole());
        let mut walk = Paginator::new(End::Told);
        let unredacted = Shown { next: true, ..page(0..5) };
        assert_eq!(walk.take(0, &unredacted), Step::Next(1));
        assert_eq!(walk.take(1, &unredacted), Step::Again(1));
        assert_eq!(walk.take(1, &unredacted), Step::Again(1));
        assert!(matches!(walk.take(1, &unredacted), Step::Broken(_)));
    }
}
