//! One budget per rate bucket of a vendor, learnt from the headers of its own answers.
//!
//! The vendor counts per account and per minute, and each kind of list has a bucket of its own, so the
//! headers of one list say nothing about another. People and other programs draw on the same account:
//! the last tenth of each bucket is left to them as long as possible.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The window over which the vendor counts.
const WINDOW: Duration = Duration::from_mins(1);
/// The longest single wait for a bucket to refill.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

#[derive(Clone, Copy, Debug)]
struct Bucket {
    total: u32,
    remaining: u32,
    /// How often in a row we have waited at the reserve.
    waited: u32,
}

/// The budgets of one vendor account.
#[derive(Debug, Default)]
pub struct Quota {
    buckets: Mutex<HashMap<String, Bucket>>,
}

impl Quota {
    /// How long to wait before the next request in this bucket. Nothing as long as there is room, the
    /// bucket's own pace in its last fifth, growing pauses at the reserve.
    #[must_use]
    pub fn wait(&self, bucket: &str) -> Duration {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = buckets.get_mut(bucket) else { return Duration::ZERO };
        if known.total == 0 {
            return Duration::ZERO;
        }
        let pace = WINDOW / known.total;
        if known.remaining > known.total / 5 {
            return Duration::ZERO;
        }
        if known.remaining > known.total / 10 {
            return pace.min(LONGEST_WAIT);
        }
        known.waited = known.waited.saturating_add(1);
        pace.saturating_mul(1 << known.waited.min(6)).min(LONGEST_WAIT)
    }

    /// What an answer said about its bucket.
    pub fn learn(&self, bucket: &str, total: Option<u32>, remaining: Option<u32>) {
        let (Some(total), Some(remaining)) = (total, remaining) else { return };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let before = buckets.get(bucket).copied();
        let waited = before.filter(|b| remaining <= b.remaining).map_or(0, |b| b.waited);
        buckets.insert(bucket.to_owned(), Bucket { total, remaining, waited });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_or_unlimited_bucket_never_waits() {
        let quota = Quota::default();
        assert_eq!(quota.wait("agents"), Duration::ZERO);
        quota.learn("agents", Some(0), Some(0));
        assert_eq!(quota.wait("agents"), Duration::ZERO);
        quota.learn("agents", None, Some(3));
        assert_eq!(quota.wait("agents"), Duration::ZERO);
    }

    #[test]
    fn buckets_are_separate_and_slow_down_towards_the_reserve() {
        let quota = Quota::default();
        quota.learn("requesters", Some(120), Some(60));
        assert_eq!(quota.wait("requesters"), Duration::ZERO);
        quota.learn("requesters", Some(120), Some(20));
        assert_eq!(quota.wait("requesters"), Duration::from_millis(500));
        quota.learn("requesters", Some(120), Some(5));
        let first = quota.wait("requesters");
        assert!(first >= Duration::from_secs(1) && quota.wait("requesters") > first);
        assert_eq!(quota.wait("departments"), Duration::ZERO);
        quota.learn("requesters", Some(120), Some(119));
        assert_eq!(quota.wait("requesters"), Duration::ZERO);
    }
}
