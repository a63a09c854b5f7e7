//! How much one vendor account may be asked, shared by everybody who asks it: the threads of this process,
//! other processes beside it, and those that follow.

pub mod quota;
pub mod windows;
pub mod windows_store;

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{fault::Cause, retry};
use crate::{
    db::{Db, Write},
    error::Result,
    types::{Actor, Scope, format_time},
};
use quota::Quota;
use windows::{Windows, kind_of};
use windows_store as store;

/// The window over which a vendor counts that says nothing else.
const WINDOW: Duration = Duration::from_mins(1);
/// How often other processes' pauses are looked up.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Windows for which a firewall shuts us out, when it does not say.
const BLOCK_WINDOWS: u32 = 5;
/// Buckets below this size say nothing about the minute after.
const SMALLEST: i64 = 30;
/// Refusals in a row that may be a whim.
const WHIMS: u32 = 3;
/// The longest pause that is believed.
const LONGEST_PAUSE: Duration = Duration::from_millis(store::LONGEST_PAUSE.unsigned_abs());

/// What a client may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Send, after this pause (often none).
    After(Duration),
    /// Not yet: ask again after this pause.
    Later(Duration),
}

/// The budget of one vendor account.
pub struct Budget {
    account: String,
    db: Option<Db>,
    /// What answers' headers say.
    quota: Quota,
    /// What we count ourselves, for a vendor whose answers say nothing.
    windows: Option<Windows>,
    looked: Mutex<CachedBuckets>,
    /// Whether the vendor's own figures should be asked for now.
    ask_again: AtomicBool,
}

/// What was looked up last, and when.
#[derive(Default)]
struct CachedBuckets {
    at: Option<Instant>,
    /// When headers were last written down.
    wrote: Option<Instant>,
    known: Vec<store::BucketState>,
}

/// The fingerprint of an account: nothing in the database tells its key.
#[must_use]
pub fn fingerprint(service: &str, address: &str, key: &str) -> String {
    let sum = digest(&SHA256, format!("{service}\n{address}\n{key}").as_bytes());
    URL_SAFE_NO_PAD.encode(sum.as_ref().get(..16).unwrap_or_default())
}

/// Until when the vendor has shut an account out; `None` when it has not.
pub async fn blocked_until(db: &Db, account: String) -> Result<Option<String>> {
    let until = db.read(&Scope::All, move |c| store::pause(c, &account, store::ALL, millis())).await?;
    Ok(until.map(time_of))
}

/// What is known of an account's buckets and still counts.
pub async fn known(db: &Db, account: String) -> Result<Vec<store::BucketState>> {
    let now = millis();
    let since = now - i64::try_from(WINDOW.as_millis()).unwrap_or(0);
    db.read(&Scope::All, move |c| store::known(c, &account, since, now)).await
}

impl Budget {
    /// A budget of this process alone, learnt from the headers of answers: for a single question.
    #[must_use]
    pub fn alone() -> Self {
        Self::new(None, String::new(), None)
    }

    /// A budget learnt from the headers of answers.
    #[must_use]
    pub fn from_headers(db: &Db, account: String) -> Self {
        Self::new(Some(db.clone()), account, None)
    }

    /// A budget that is counted here, over the vendor's rolling window.
    #[must_use]
    pub fn counted(db: &Db, account: String, windows: Windows) -> Self {
        Self::new(Some(db.clone()), account, Some(windows))
    }

    fn new(db: Option<Db>, account: String, windows: Option<Windows>) -> Self {
        Self { account, db, quota: Quota::default(), windows, looked: Mutex::default(), ask_again: AtomicBool::new(false) }
    }

    /// Whether a request may be sent in this bucket.
    pub async fn take(&self, bucket: &str) -> Result<Grant, Cause> {
        let Some(db) = &self.db else { return Ok(Grant::After(self.quota.wait(bucket))) };
        let broken = |error| Cause::Unreachable(format!("the budget cannot be kept in our own database: {error}"));
        if let Some(windows) = &self.windows {
            return match windows.take(db, &self.account, bucket).await.map_err(broken)? {
                store::Reserved::Granted(..) => Ok(Grant::After(Duration::ZERO)),
                store::Reserved::Full(wait) => Ok(Grant::Later(span(wait).min(LOOK_EVERY.max(windows.window() / 4)))),
                store::Reserved::Paused(until) => Ok(Grant::Later(span(until - millis()))),
                store::Reserved::Blocked(until) => Err(Cause::Blocked(blocked(until))),
            };
        }
        if let Err(error) = self.look(db).await {
            tracing::debug!(%error, "what others learnt about the vendor's limits could not be looked up");
        }
        let now = millis();
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let until = |name: &str| looked.known.iter().find(|k| k.bucket == name).and_then(|k| k.paused).filter(|at| *at > now);
        if let Some(until) = until(store::ALL) {
            return Err(Cause::Blocked(blocked(until)));
        }
        if let Some(until) = until(bucket) {
            return Ok(Grant::Later(span(until - now)));
        }
        Ok(Grant::After(self.quota.wait(bucket)))
    }

    /// Looks up, once in a while, what other processes learnt; the first time also what headers said before.
    async fn look(&self, db: &Db) -> Result<()> {
        let first = {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            if looked.at.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
                return Ok(());
            }
            looked.at.replace(Instant::now()).is_none()
        };
        let (account, now) = (self.account.clone(), millis());
        let known = db.read(&Scope::All, move |c| store::known(c, &account, now - millis_of(WINDOW), now)).await?;
        let seen = known.iter().filter(|_| first).filter_map(|k| Some((&k.bucket, k.seen?)));
        for (bucket, (total, remaining)) in seen.filter(|(_, (total, _))| *total >= SMALLEST) {
            self.quota.learn(bucket, u32::try_from(total).ok(), u32::try_from(remaining).ok());
        }
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).known = known;
        Ok(())
    }

    /// What the headers of an answer said about its bucket. Written down when it gets scarce.
    pub async fn learn(&self, bucket: &str, total: Option<u32>, remaining: Option<u32>) {
        self.quota.learn(bucket, total, remaining);
        let (Some(total), Some(remaining)) = (total, remaining) else { return };
        {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            let recent = looked.wrote.is_some_and(|at| at.elapsed() < LOOK_EVERY) && remaining > total / 10;
            if recent || remaining > total / 2 {
                return;
            }
            looked.wrote = Some(Instant::now());
        }
        let (account, bucket) = (self.account.clone(), bucket.to_owned());
        let (total, remaining) = (i64::from(total), i64::from(remaining));
        self.write(move |w| store::set_seen(w, &account, &bucket, total, remaining, millis())).await;
    }

    /// The windows that are counted here, if any are.
    #[must_use]
    pub fn windows(&self) -> Option<&Windows> {
        self.windows.as_ref()
    }

    /// Whether the vendor's own figures should be asked for now; says so once.
    #[must_use]
    pub fn should_ask(&self) -> bool {
        let due = self.windows.as_ref().is_some_and(Windows::is_due);
        self.ask_again.swap(false, Ordering::Relaxed) || due
    }

    /// What the vendor announced about its limits, and how much of them is used by everybody together.
    pub async fn announced(&self, rate: &self::windows::Announced) {
        let (Some(db), Some(windows)) = (&self.db, &self.windows) else { return };
        if let Err(error) = windows.announced(db, &self.account, rate).await {
            tracing::warn!(%error, "what the vendor said about its limits could not be stored");
        }
    }

    /// How long to wait after the vendor's refusal number `count` in a row, when it does not say so itself.
    /// A refusal that our count explains lasts about as long as the window; one that it does not may be a whim.
    #[must_use]
    pub fn pause(&self, bucket: &str, count: u32) -> Duration {
        let Some(windows) = &self.windows else { return retry::backoff(count + 2) };
        let steps = if windows.is_tight(bucket) { count } else { count.saturating_sub(WHIMS) };
        match steps {
            0 => retry::backoff(count + 1),
            steps => (windows.window() / 4).saturating_mul(steps).min(windows.window()) + retry::backoff(1),
        }
    }

    /// The vendor put a request of this bucket off for so long: so it does for everybody.
    pub async fn limited(&self, bucket: &str, wait: Duration) {
        self.ask_again.store(self.windows.is_some(), Ordering::Relaxed);
        let bucket = if self.windows.is_some() { kind_of(bucket) } else { bucket };
        self.put_off(bucket, wait).await;
    }

    /// The vendor has shut us out; in words, until when.
    pub async fn block(&self, asked: Option<Duration>) -> String {
        let window = self.windows.as_ref().map_or(WINDOW, Windows::window);
        blocked(self.put_off(store::ALL, asked.unwrap_or(window * BLOCK_WINDOWS)).await)
    }

    async fn put_off(&self, bucket: &str, wait: Duration) -> i64 {
        let until = millis() + millis_of(wait.min(LONGEST_PAUSE));
        let (account, bucket) = (self.account.clone(), bucket.to_owned());
        self.write(move |w| store::set_pause(w, &account, &bucket, until)).await;
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).at = None;
        until
    }

    /// Writes something down that is worth having, but no reason to fail.
    async fn write(&self, work: impl FnOnce(&mut Write<'_>) -> Result<()> + Send + 'static) {
        let Some(db) = &self.db else { return };
        if let Err(error) = db.write(&Scope::All, &Actor::system("sync"), work).await {
            tracing::warn!(%error, "what was learnt about the vendor's limits could not be stored");
        }
    }
}

/// Now, in milliseconds since 1970.
pub(super) fn millis() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A duration in milliseconds.
pub(super) fn millis_of(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn span(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0).max(5))
}

fn time_of(millis: i64) -> String {
    // Rounded up: at the time that is said, the block is over.
    format_time(jiff::Timestamp::from_millisecond(millis + 999).unwrap_or_default())
}

fn blocked(until: i64) -> String {
    format!("the vendor shut this address out (403); nothing is asked before {}", time_of(until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_accounts_apart_and_no_secret() {
        let one = fingerprint("Datto RMM", "https://a", "key");
        assert_eq!(one.len(), 22);
        assert_ne!(one, fingerprint("Datto RMM", "https://b", "key"));
        assert_ne!(one, fingerprint("Datto RMM", "https://a", "kez"));
        assert!(!one.contains("key"));
    }

    #[tokio::test]
    async fn headers_alone_slow_us_down() {
        let budget = Budget::alone();
        assert_eq!(budget.take("x").await, Ok(Grant::After(Duration::ZERO)));
        budget.learn("x", Some(100), Some(5)).await;
        assert!(matches!(budget.take("x").await, Ok(Grant::After(wait)) if wait > Duration::ZERO));
    }
}
