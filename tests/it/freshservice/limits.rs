//! The vendor's rate limits: one bucket for everything, and smaller ones for some lists.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::http_server::Response;

/// Calls that each bucket allows in a window.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The length of the window: a minute at the vendor, less in tests.
    pub window: Duration,
    /// All calls together.
    pub all: u32,
    /// Listing requesters or agents, each.
    pub people: u32,
    /// Listing tickets, or assets, each.
    pub tickets: u32,
    /// Whether a refusal says when to come back.
    pub retry_after: bool,
    /// Calls used in the present window, by bucket.
    used: BTreeMap<&'static str, u32>,
    started: Option<Instant>,
    /// How many calls were refused so far.
    pub refused: u32,
}

impl Limits {
    /// Limits that no test reaches by accident.
    pub fn generous() -> Self {
        Self::new(Duration::from_secs(60), 1_000_000, 1_000_000)
    }

    /// Limits of this size.
    pub fn new(window: Duration, all: u32, people: u32) -> Self {
        let (used, started, refused) = (BTreeMap::new(), None, 0);
        Self { window, all, people, tickets: all, retry_after: true, used, started, refused }
    }

    /// Counts a call that costs so much; the answer is the refusal when its bucket is empty.
    pub fn take(&mut self, resource: &str, cost: u32) -> Result<(u32, u32), Response> {
        let started = *self.started.get_or_insert_with(Instant::now);
        if started.elapsed() >= self.window {
            self.started = Some(Instant::now());
            self.used.clear();
        }
        let (bucket, total) = match resource {
            "requesters" => ("requesters", self.people),
            "agents" => ("agents", self.people),
            "tickets" => ("tickets", self.tickets),
            "assets" => ("assets", self.tickets),
            _ => ("all", self.all),
        };
        let everything = self.used.values().sum::<u32>();
        let used = self.used.entry(bucket).or_default();
        *used += cost;
        if *used <= total && everything < self.all {
            return Ok((total, total - *used));
        }
        self.refused += 1;
        let body = serde_json::json!({"message": "You have exceeded the limit of requests per minute"});
        let refusal = Response::json(429, &body)
            .with("x-ratelimit-total", total)
            .with("x-ratelimit-remaining", 0)
            .with("x-ratelimit-used-currentrequest", 1);
        let wait = self.window.saturating_sub(self.started.map_or(Duration::ZERO, |at| at.elapsed()));
        Err(if self.retry_after { refusal.with("retry-after", wait.as_secs() + 1) } else { refusal })
    }
}
