//! How many bytes may be held at once for one purpose, in the whole process.

use super::memory;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Whoever gives back so much at once has freed it.
const LARGE: usize = 512 * 1024;
/// How often somebody who waits for room looks again.
const LOOK: Duration = Duration::from_millis(20);

/// The budget; clones share it.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    used: AtomicUsize,
}

/// Bytes that somebody holds; they are given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Inner { limit, used: AtomicUsize::new(0) }))
    }

    /// How many bytes there are in all.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Whether three quarters are in use: time to be strict with those who hold on to theirs.
    #[must_use]
    pub fn is_tight(&self) -> bool {
        self.0.used.load(Ordering::Relaxed) >= self.0.limit / 4 * 3
    }

    /// A share that can grow.
    #[must_use]
    pub fn share(&self) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }

    /// So many bytes, if they are there.
    #[must_use]
    pub fn take(&self, bytes: usize) -> Option<Share> {
        let mut share = self.share();
        share.grow(bytes).then_some(share)
    }

    /// So many bytes, as soon as others give some back; nothing when that takes longer than `patience`.
    pub async fn wait(&self, bytes: usize, patience: Duration) -> Option<Share> {
        let until = Instant::now() + patience;
        loop {
            let share = self.take(bytes);
            if share.is_some() || Instant::now() >= until {
                return share;
            }
            sleep(LOOK).await;
        }
    }
}

impl Share {
    /// So many bytes more; false, and nothing changes, when they are not there.
    pub fn grow(&mut self, more: usize) -> bool {
        let inner = &self.budget.0;
        let grown = inner.used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |used| {
            used.checked_add(more).filter(|after| *after <= inner.limit)
        });
        if grown.is_ok() {
            self.bytes += more;
        }
        grown.is_ok()
    }

    /// How many bytes it is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.used.fetch_sub(self.bytes, Ordering::AcqRel);
        if self.bytes >= LARGE {
            memory::tidy_later();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_given_back_can_be_taken_again() {
        let budget = Budget::new(100);
        let mut first = budget.take(60).unwrap();
        assert!(!first.grow(41) && budget.take(41).is_none());
        assert!(first.grow(40) && budget.is_tight());
        assert_eq!(first.bytes(), 100);
        assert!(budget.wait(1, Duration::from_millis(50)).await.is_none());
        drop(first);
        assert!(budget.wait(100, Duration::from_millis(50)).await.is_some());
        assert!(!budget.is_tight());
    }
}
