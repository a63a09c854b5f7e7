//! Datto's rate limits: reads and writes in a rolling window, then a refusal, then a block.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http_server::Response;

/// Which quota a request draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    Read,
    Write,
}

/// Calls in a rolling window, counted as they come.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The length of the window: a minute at the vendor, less in tests.
    pub window: Duration,
    /// Reads in a window.
    pub reads: usize,
    /// Writes in a window.
    pub writes: usize,
    /// The account of old: one bucket for both, and nothing said of writes.
    pub one_bucket: bool,
    /// What `request_rate` says in place of the truth.
    pub announced: Option<Value>,
    /// Whether answers above nine tenths take a second longer.
    pub slows_down: bool,
    /// Whether a refusal says when to come back.
    pub retry_after: Option<u32>,
    /// Refusals within a window after which the address is blocked.
    pub patience: usize,
    /// How long a block lasts.
    pub block: Duration,
    read_at: VecDeque<Instant>,
    written_at: VecDeque<Instant>,
    refused_at: VecDeque<Instant>,
    blocked_until: Option<Instant>,
    /// How many calls were refused with 429 so far.
    pub refused: u32,
    /// How many calls met the block so far.
    pub blocked: u32,
    /// The most reads that any window held.
    pub most_reads: usize,
    /// The most writes that any window held.
    pub most_writes: usize,
}

impl Limits {
    /// Limits that no test reaches by accident, announced as such.
    pub fn generous() -> Self {
        Self::new(Duration::from_secs(60), 1_000_000, 1_000_000)
    }

    /// Limits of this size.
    pub fn new(window: Duration, reads: usize, writes: usize) -> Self {
        Self {
            window,
            reads,
            writes,
            one_bucket: false,
            announced: None,
            slows_down: false,
            retry_after: None,
            patience: 20,
            block: Duration::from_secs(300),
            read_at: VecDeque::new(),
            written_at: VecDeque::new(),
            refused_at: VecDeque::new(),
            blocked_until: None,
            refused: 0,
            blocked: 0,
            most_reads: 0,
            most_writes: 0,
        }
    }

    fn forget_the_old(&mut self) {
        let now = Instant::now();
        for times in [&mut self.read_at, &mut self.written_at, &mut self.refused_at] {
            while times.front().is_some_and(|at| now.duration_since(*at) >= self.window) {
                times.pop_front();
            }
        }
        if self.blocked_until.is_some_and(|until| now >= until) {
            self.blocked_until = None;
            self.refused_at.clear();
        }
    }

    /// Counts a call; the answer is how much slower it gets, or the refusal.
    pub fn take(&mut self, quota: Quota) -> Result<Duration, Response> {
        self.forget_the_old();
        if self.blocked_until.is_some() {
            self.blocked += 1;
            let page = "<html><head><title>403 Forbidden</title></head><body>Request blocked.</body></html>";
            return Err(Response::new(403, "text/html", page));
        }
        let quota = if self.one_bucket { Quota::Read } else { quota };
        let (times, limit) = match quota {
            Quota::Read => (&mut self.read_at, self.reads),
            Quota::Write => (&mut self.written_at, self.writes),
        };
        times.push_back(Instant::now());
        let used = times.len();
        match quota {
            Quota::Read => self.most_reads = self.most_reads.max(used),
            Quota::Write => self.most_writes = self.most_writes.max(used),
        }
        if used <= limit {
            let slow = self.slows_down && used * 10 > limit * 9;
            return Ok(if slow { Duration::from_secs(1) } else { Duration::ZERO });
        }
        self.refused += 1;
        self.refused_at.push_back(Instant::now());
        if self.refused_at.len() > self.patience {
            self.blocked_until = Some(Instant::now() + self.block);
        }
        let refusal = Response::json(429, &json!({"error": "Too many requests"}));
        Err(match self.retry_after {
            Some(seconds) => refusal.with("retry-after", seconds),
            None => refusal,
        })
    }

    /// The body of `system/request_rate`.
    pub fn request_rate(&mut self) -> Value {
        self.forget_the_old();
        if let Some(announced) = &self.announced {
            return announced.clone();
        }
        let mut told = json!({
            "slidingTimeWindowSizeSeconds": self.window.as_secs(), "accountUid": "STANDIN01", "accountCount": self.read_at.len(),
            "accountRateLimit": self.reads, "accountCutOffRatio": 0.9,
        });
        if !self.one_bucket {
            told["accountWriteRateLimit"] = json!(self.writes);
            told["accountWriteCount"] = json!(self.written_at.len());
            let operation = json!({"limit": self.writes, "count": self.written_at.len()});
            told["operationWriteStatus"] =
                json!({"site-variable-create": operation, "site-variable-update": operation, "device-udf-set": operation});
        }
        told
    }
}
