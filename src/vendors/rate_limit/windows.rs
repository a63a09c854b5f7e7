//! Counting calls over a vendor's rolling window, in the database, a few calls ahead so that counting costs little.

use std::{
    collections::HashMap,
    sync::{Mutex as Plain, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use super::{
    millis, millis_of,
    windows_store::{self as store, Count, Reserved},
};
use crate::{
    db::Db,
    error::Result,
    types::{Actor, Scope},
};

/// The share of a limit that we use, unless the vendor slows down earlier: the rest is for others.
const SHARE: f64 = 0.9;
/// The largest and smallest grain of a count.
const SLOTS: (i64, i64) = (20, 1000);
/// A window has at least so many slots.
const SLOTS_IN_WINDOW: i64 = 40;
/// Of what a window allows, one in so many is set aside at once.
const BLOCKS_IN_WINDOW: i64 = 40;
/// How often the vendor's own figures are asked for, at most.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// The bucket of the question for the limits themselves: counted, but asked even when nothing seems left,
/// because what we take for the limit may be wrong.
pub const RATE: &str = "rate";

/// A limit, and how much of it everybody together has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// How many calls a window has.
    pub limit: u32,
    /// How many of them are used.
    pub count: u32,
}

/// Limits as a vendor announced them; `None` where it said nothing usable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Announced {
    /// The length of the rolling window.
    pub window: Option<Duration>,
    /// Reads in a window.
    pub reads: Option<Used>,
    /// Writes in a window. An account that announces reads alone counts writes among them.
    pub writes: Option<Used>,
    /// The share of a limit above which the vendor slows answers down.
    pub cut_off: Option<f64>,
    /// Writes of one kind in a window, by the vendor's name for it.
    pub operations: Vec<(String, Used)>,
}

/// The limits in force.
#[derive(Clone, Debug, PartialEq)]
struct Limits {
    window: Duration,
    share: f64,
    reads: u32,
    /// `None`: writes are counted as reads.
    writes: Option<u32>,
    operations: HashMap<String, u32>,
}

/// Calls that were set aside for this process.
#[derive(Clone, Copy, Debug)]
struct Held {
    left: i64,
    slot: i64,
    until: Instant,
    /// Whether more than half of the window was used then.
    tight: bool,
}

/// The counts of one account.
pub struct Windows {
    limits: Plain<Limits>,
    held: Mutex<HashMap<String, Held>>,
    asked: Plain<Option<Instant>>,
}

impl Windows {
    /// Counts with the limits that the vendor documents.
    #[must_use]
    pub fn documented(window: Duration, reads: u32, writes: u32) -> Self {
        let limits = Limits { window, share: SHARE, reads, writes: Some(writes), operations: HashMap::new() };
        Self { limits: Plain::new(limits), held: Mutex::default(), asked: Plain::default() }
    }

    fn limits(&self) -> Limits {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The window in force.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner).window
    }

    /// Whether our own count says that a kind of call is about to run out.
    #[must_use]
    pub fn is_tight(&self, bucket: &str) -> bool {
        let kind = kind_of(bucket);
        self.held.try_lock().is_ok_and(|held| held.get(kind).is_none_or(|held| held.tight))
    }

    /// Whether the vendor's own figures should be asked for: at the start, then once a window.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let every = self.window().max(ASK_EVERY);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = asked.is_none_or(|at| at.elapsed() >= every);
        if due {
            *asked = Some(Instant::now());
        }
        due
    }

    /// Takes what the vendor announced into force, and notes what others have used.
    pub async fn announced(&self, db: &Db, account: &str, told: &Announced) -> Result<()> {
        let (limits, changed) = {
            let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
            let before = limits.clone();
            limits.take(told);
            (limits.clone(), *limits != before)
        };
        let mut held = self.held.lock().await;
        let mut counts = Vec::new();
        let operations = told.operations.iter().map(|(name, used)| (format!("write:{name}"), *used));
        let named = [("read".to_owned(), told.reads), ("write".to_owned(), told.writes)];
        for (bucket, used) in named.into_iter().filter_map(|(name, used)| Some((name, used?))).chain(operations) {
            let left = held.get(&bucket).filter(|h| h.until > Instant::now()).map_or(0, |h| h.left);
            if used.count > 0 {
                counts.push((limits.count(account, &bucket, 0), i64::from(used.count), left));
            }
        }
        // What was set aside under other limits may be too much under these.
        held.retain(|_, held| held.left == 0 || !changed);
        if counts.is_empty() {
            return Ok(());
        }
        let note = move |w: &mut crate::db::Write<'_>| {
            counts.iter().try_for_each(|(count, vendor, left)| store::note_others(w, count, *vendor, *left, millis()))
        };
        db.write(&Scope::All, &Actor::system("sync"), note).await
    }

    /// Takes one call out of every count that this kind of call draws on. `Granted` when it may be sent.
    pub async fn take(&self, db: &Db, account: &str, bucket: &str) -> Result<Reserved> {
        let limits = self.limits();
        let mut held = self.held.lock().await;
        let draws = limits.draws(bucket);
        for (name, allowed) in &draws {
            let now = Instant::now();
            let known = held.get(name).copied();
            if known.is_some_and(|h| h.left > 0 && now < h.until) {
                continue;
            }
            let count = limits.count(account, name, *allowed);
            let (block, back) = (if bucket == RATE { 1 } else { block(*allowed) }, known.map(|h| (h.slot, h.left)));
            let valid = Duration::from_millis(u64::try_from(count.slot).unwrap_or(1));
            let reserve = move |w: &mut crate::db::Write<'_>| store::reserve(w, &count, block, back, millis());
            match db.write(&Scope::All, &Actor::system("sync"), reserve).await? {
                Reserved::Granted(left, slot, used) => {
                    held.insert(name.clone(), Held { left, slot, until: now + valid, tight: used > *allowed / 2 });
                }
                other => {
                    held.remove(name);
                    return Ok(other);
                }
            }
        }
        for (name, _) in &draws {
            if let Some(held) = held.get_mut(name) {
                held.left -= 1;
            }
        }
        Ok(Reserved::Granted(1, 0, 0))
    }
}

impl Limits {
    fn take(&mut self, told: &Announced) {
        if let Some(window) = told.window {
            self.window = window;
        }
        if let Some(cut_off) = told.cut_off {
            self.share = cut_off.min(SHARE);
        }
        if let Some(reads) = told.reads {
            self.reads = reads.limit;
            self.writes = told.writes.map(|writes| writes.limit);
        }
        if let Some(writes) = told.writes {
            self.writes = Some(writes.limit);
        }
        self.operations.extend(told.operations.iter().map(|(name, used)| (name.clone(), used.limit)));
    }

    /// The counts that a call of this kind draws on, each with what a window may have of it.
    fn draws(&self, bucket: &str) -> Vec<(String, i64)> {
        let Some(operation) = bucket.strip_prefix("write:") else {
            let allowed = if bucket == RATE { i64::from(u32::MAX) } else { self.share_of(self.reads) };
            return vec![("read".to_owned(), allowed)];
        };
        let mut draws = match self.writes {
            Some(writes) => vec![("write".to_owned(), self.share_of(writes))],
            None => vec![("read".to_owned(), self.share_of(self.reads))],
        };
        draws.extend(self.operations.get(operation).map(|limit| (bucket.to_owned(), self.share_of(*limit))));
        draws
    }

    #[expect(clippy::cast_possible_truncation, reason = "a share of a u32 fits")]
    fn share_of(&self, limit: u32) -> i64 {
        ((f64::from(limit) * self.share).floor() as i64).max(1)
    }

    fn count(&self, account: &str, bucket: &str, allowed: i64) -> Count {
        let window = millis_of(self.window);
        let slot = (window / SLOTS_IN_WINDOW).clamp(SLOTS.0, SLOTS.1);
        Count { account: account.to_owned(), bucket: bucket.to_owned(), allowed, window, slot }
    }
}

/// The kind of call that a vendor puts off as a whole: `read` or `write`.
#[must_use]
pub fn kind_of(bucket: &str) -> &str {
    if bucket == RATE { "read" } else { bucket.split(':').next().unwrap_or(bucket) }
}

/// How many calls are set aside at once.
fn block(allowed: i64) -> i64 {
    (allowed / BLOCKS_IN_WINDOW).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Windows::documented(Duration::from_mins(1), 600, 100).limits()
    }

    #[test]
    fn a_call_draws_on_every_count_that_the_vendor_keeps() {
        let mut limits = limits();
        assert_eq!(limits.draws("read"), [("read".to_owned(), 540)]);
        assert_eq!(limits.draws("write:x"), [("write".to_owned(), 90)]);
        let used = |limit| Some(Used { limit, count: 0 });
        limits.take(&Announced {
            reads: used(600),
            writes: used(50),
            operations: vec![("x".to_owned(), Used { limit: 10, count: 0 })],
            ..Announced::default()
        });
        assert_eq!(limits.draws("write:x"), [("write".to_owned(), 45), ("write:x".to_owned(), 9)]);
        limits.take(&Announced { reads: used(1_000_000), cut_off: Some(1.0), ..Announced::default() });
        assert_eq!(limits.draws("read"), [("read".to_owned(), 900_000)]);
        assert_eq!(limits.draws("write:y"), [("read".to_owned(), 900_000)], "an account without a limit for writes");
    }

    #[test]
    fn nothing_announced_changes_nothing() {
        let mut limits = limits();
        limits.take(&Announced::default());
        assert_eq!((limits.draws("write:x"), limits.window), (vec![("write".to_owned(), 90)], Duration::from_mins(1)));
    }
}
