//! How much one vendor account may be asked, and what that leaves for the next request.

use std::time::Duration;

use super::{fault::Cause, quota::Quota, retry};

/// What a client may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Send, after this pause (often none).
    After(Duration),
    /// Not yet: ask again after this pause.
    Later(Duration),
}

/// The budget of one vendor account.
#[derive(Debug, Default)]
pub struct Budget {
    quota: Quota,
}

impl Budget {
    /// A budget that is learnt from the headers of answers alone.
    #[must_use]
    pub fn from_headers() -> Self {
        Self::default()
    }

    /// Whether a request may be sent in this bucket.
    pub async fn take(&self, bucket: &str) -> Result<Grant, Cause> {
        Ok(Grant::After(self.quota.wait(bucket)))
    }

    /// What the headers of an answer said about its bucket.
    pub async fn learn(&self, bucket: &str, total: Option<u32>, remaining: Option<u32>) {
        self.quota.learn(bucket, total, remaining);
    }

    /// How long to wait after the vendor's refusal number `count` in a row, when it does not say so itself.
    #[must_use]
    pub fn pause(&self, count: u32) -> Duration {
        retry::backoff(count + 2)
    }

    /// The vendor put a request of this bucket off for so long.
    pub async fn limited(&self, bucket: &str, wait: Duration) {
        let _ = (bucket, wait);
    }

    /// The vendor has shut us out; in words, until when.
    pub async fn block(&self, asked: Option<Duration>) -> String {
        let minutes = asked.unwrap_or(Duration::from_mins(5)).as_secs().div_ceil(60);
        format!("the vendor blocks this address (403) for about {minutes} minutes")
    }
}
