//! Listing what changed since a moment, so that neither the depth of pages nor records that move meanwhile
//! can matter: it is told pages and says what to ask next.
//!
//! When a page proves to be ordered by the time of the last change, the next one is asked for as the first
//! page since a moment near its end. When the data is not ordered, or the moment is ignored, the
//! list is walked page by page from its beginning.

use crate::{reconcile::paginator, types::format_time, vendors::retry};

/// So many records before the end of a page the next window begins: a record out of order at the very
/// end of a page must not carry the window away.
const OVERLAP: usize = 10;
/// A page with fewer records may be the last one, which the next page says for less than a new window.
const SHORT: usize = 30;
/// Pages in one window after which a new one is opened even if pages are short.
const WINDOW_PAGES: u32 = 20;
/// Requests beyond which we no longer believe in the list's end.
const MOST_REQUESTS: u32 = 20_000;

/// One record of a page, as far as the walk needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Its vendor id, when it has a usable one.
    pub id: Option<String>,
    /// When it last changed, in our one form, when it tells.
    pub updated_at: Option<String>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask for the page that [`Listing::since`] and [`Listing::page`] name.
    Ask,
    /// The same after a pause: the page looked wrong.
    Again,
    /// The list is complete.
    Done,
    /// The list cannot be trusted.
    Broken(String),
}

impl Step {
    /// Whether another page is to be asked for, after the pause that a repeated one needs.
    ///
    /// # Errors
    /// Why the list cannot be trusted.
    pub async fn goes_on(self, repeated: &mut u32) -> Result<bool, String> {
        match self {
            Self::Ask => *repeated = 0,
            Self::Again => {
                *repeated += 1;
                tokio::time::sleep(retry::backoff(*repeated)).await;
            }
            Self::Done => return Ok(false),
            Self::Broken(why) => return Err(why),
        }
        Ok(true)
    }
}

/// How far a listing has come.
#[derive(Debug)]
pub struct Listing {
    start: String,
    window: String,
    page: u32,
    /// What claims to have changed later than this neither moves the watermark nor tells the order.
    now: String,
    /// Whether the end is confirmed by asking again.
    careful: bool,
    ordered: bool,
    /// The latest time met in the pages of this window.
    latest: Option<String>,
    max_seen: Option<String>,
    walk: paginator::Paginator,
    small_pages: bool,
    walked_twice: bool,
    requests: u32,
    records: u64,
}

impl Listing {
    /// A listing of what changed at `start` or later; `now` is the latest time that can be true.
    #[must_use]
    pub fn new(start: &str, now: &str, careful: bool) -> Self {
        Self {
            start: start.to_owned(),
            window: start.to_owned(),
            page: 1,
            now: now.to_owned(),
            careful,
            ordered: true,
            latest: None,
            max_seen: None,
            walk: paginator::Paginator::default(),
            small_pages: false,
            walked_twice: false,
            requests: 0,
            records: 0,
        }
    }

    /// Goes on at the window that an interrupted listing had reached, with the latest time it had met.
    #[must_use]
    pub fn resumed(mut self, window: &str, max_seen: Option<&str>) -> Self {
        window.clone_into(&mut self.window);
        self.max_seen = max_seen.map(str::to_owned);
        self
    }

    /// The moment to ask for.
    #[must_use]
    pub fn since(&self) -> &str {
        &self.window
    }

    /// The page to ask for.
    #[must_use]
    pub fn page(&self) -> u32 {
        self.page
    }

    /// Where a listing that is interrupted now can go on; `None` when only from its beginning.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        (self.ordered && self.window > self.start).then_some(self.window.as_str())
    }

    /// The latest believable time of change met so far: the next watermark, once the listing is complete.
    #[must_use]
    pub fn max_seen(&self) -> Option<&str> {
        self.max_seen.as_deref()
    }

    /// Whether no record has been shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Takes the page that was asked for.
    pub fn take(&mut self, shown: &[Shown]) -> Step {
        self.requests += 1;
        if self.requests > MOST_REQUESTS {
            return Step::Broken(format!("the list has no end: {MOST_REQUESTS} pages were read"));
        }
        self.records += shown.len() as u64;
        let times: Vec<&str> =
            shown.iter().filter_map(|r| r.updated_at.as_deref()).filter(|at| *at <= self.now.as_str()).collect();
        if let Some(latest) = times.iter().max().filter(|at| self.max_seen.as_deref().is_none_or(|max| **at > max)) {
            self.max_seen = Some((*latest).to_owned());
        }
        if self.ordered && !self.in_order(&times) {
            self.walk_plainly();
            return Step::Ask;
        }
        // What an empty page hides by mistake has not moved the watermark: the next run lists it.
        if shown.is_empty() && self.ordered && !self.careful {
            return Step::Done;
        }
        match self.walk.take(self.page, &paginator::Shown::of(shown.iter().map(|record| record.id.clone()))) {
            paginator::Step::Next(next) => {
                self.advance(next, shown.len(), &times);
                Step::Ask
            }
            paginator::Step::Again(next) => {
                self.page = next;
                Step::Again
            }
            paginator::Step::Confirm(next) => {
                self.page = next;
                Step::Ask
            }
            paginator::Step::Done => self.end(),
            paginator::Step::Broken(why) => Step::Broken(why),
        }
    }

    /// Whether the page goes on in order, and holds nothing from before the window.
    fn in_order(&mut self, times: &[&str]) -> bool {
        let before = self.latest.as_deref().unwrap_or(&self.window);
        let ordered = times.first().is_none_or(|first| *first >= before) && times.is_sorted();
        if let Some(last) = times.last() {
            self.latest = Some((*last).to_owned());
        }
        ordered
    }

    /// Chooses between the next page and a new window.
    fn advance(&mut self, next: u32, count: usize, times: &[&str]) {
        self.small_pages |= next > 2 && count > 0;
        self.page = next;
        if !self.ordered || (count < SHORT && !self.small_pages && next < WINDOW_PAGES) {
            return;
        }
        let near_the_end = times.len().checked_sub(OVERLAP.min(times.len() / 2) + 1).and_then(|at| times.get(at));
        let Some(window) = near_the_end.and_then(|at| plus(at, -1)).filter(|at| *at > self.window) else { return };
        self.window = window;
        self.page = 1;
        self.latest = None;
        self.walk = paginator::Paginator::default();
    }

    /// From the beginning, page by page.
    fn walk_plainly(&mut self) {
        self.ordered = false;
        self.start.clone_into(&mut self.window);
        self.page = 1;
        self.walk = paginator::Paginator::default();
    }

    /// A plain walk whose records moved is made once more.
    fn end(&mut self) -> Step {
        if self.ordered || !self.walk.is_disturbed() || self.walked_twice {
            return Step::Done;
        }
        self.walked_twice = true;
        self.walk_plainly();
        Step::Ask
    }
}

/// A time in our one form, moved by seconds.
#[must_use]
pub fn plus(at: &str, seconds: i64) -> Option<String> {
    let at: jiff::Timestamp = at.parse().ok()?;
    jiff::Timestamp::from_second(at.as_second().checked_add(seconds)?).ok().map(format_time)
}

/// The watermark after a complete listing. Only the vendor's times move it, never beyond `now`, never
/// backwards, and not when the listing began after it: then what lies between has not been seen.
#[must_use]
pub fn watermark(old: Option<&str>, began_at: &str, max_seen: Option<&str>, now: &str) -> Option<String> {
    let keep = || old.map(str::to_owned);
    let Some(seen) = max_seen.map(|seen| seen.min(now)) else { return keep() };
    match old {
        Some(old) if began_at > old || seen <= old => keep(),
        _ => Some(seen.to_owned()),
    }
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
