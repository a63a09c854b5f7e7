//! From an API key to a caller: whether it stands, whether the request is within its limits, how often it asks.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, HeaderValue, Method};

use super::{
    api_key::Reach,
    api_key_store::{self as store, Found, NOTED_EVERY},
    secret,
};
use crate::{
    db::Db,
    error::Result,
    types::{Actor, Scope},
};

/// The time in which a key may ask so often.
const WINDOW: Duration = Duration::from_mins(1);
/// Keys that are remembered between two looks for those that have gone quiet.
const MANY: usize = 10_000;

/// What is left to a key of its requests of this minute, of this process.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    limit: u32,
    remaining: u32,
    /// Seconds until it begins anew.
    reset: u64,
    /// Whether this request is one too many.
    pub is_spent: bool,
}

impl Allowance {
    /// Seconds to wait.
    #[must_use]
    pub fn retry_after(self) -> u64 {
        self.reset
    }

    /// Tells the caller.
    pub fn write(self, headers: &mut HeaderMap) {
        headers.insert("ratelimit-limit", HeaderValue::from(self.limit));
        headers.insert("ratelimit-remaining", HeaderValue::from(self.remaining));
        headers.insert("ratelimit-reset", HeaderValue::from(self.reset));
        if let Ok(policy) = HeaderValue::from_str(&format!("{};w={}", self.limit, WINDOW.as_secs())) {
            headers.insert("ratelimit-policy", policy);
        }
    }
}

/// What this process has seen of a key.
#[derive(Debug)]
struct Seen {
    since: Instant,
    requests: u32,
    noted: Option<Instant>,
}

/// The keys of everybody.
#[derive(Debug)]
pub struct ApiKeys {
    db: Db,
    reach: Reach,
    per_minute: u32,
    seen: Mutex<HashMap<i64, Seen>>,
}

impl ApiKeys {
    /// Over this database; each key may ask so often in a minute.
    #[must_use]
    pub fn new(db: Db, reach: Reach, per_minute: u32) -> Self {
        Self { db, reach, per_minute, seen: Mutex::default() }
    }

    /// What is known of records.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The key that stands behind this text, and what is left of its allowance.
    pub async fn find(&self, text: &str, stand_alone: bool) -> Result<Option<(Found, Allowance)>> {
        let digest = secret::hash(text);
        let found = self.db.read(&Scope::All, move |c| store::find(c, &digest, stand_alone)).await?;
        let Some(found) = found else { return Ok(None) };
        let (allowance, note) = self.count(&found);
        if note {
            let (db, id) = (self.db.clone(), found.id);
            tokio::spawn(async move {
                let noted = db.write(&Scope::All, &Actor::system("api keys"), move |w| store::note_use(w, id)).await;
                if let Err(error) = noted {
                    tracing::debug!(%error, "the use of an API key could not be noted");
                }
            });
        }
        Ok(Some((found, allowance)))
    }

    /// Why a request is beyond this key's limits.
    pub fn allow(&self, found: &Found, method: &Method, route: &str) -> Result<(), String> {
        found.limits.allow(self.reach, method, route)
    }

    /// Counts a request; tells whether its use is to be noted.
    fn count(&self, found: &Found) -> (Allowance, bool) {
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MANY {
            seen.retain(|_, key| now.duration_since(key.since) < WINDOW);
        }
        let key = seen.entry(found.id).or_insert(Seen { since: now, requests: 0, noted: None });
        if now.duration_since(key.since) >= WINDOW {
            (key.since, key.requests) = (now, 0);
        }
        key.requests = key.requests.saturating_add(1);
        let left = WINDOW.saturating_sub(now.duration_since(key.since));
        let allowance = Allowance {
            limit: self.per_minute,
            remaining: self.per_minute.saturating_sub(key.requests),
            reset: left.as_secs().max(1),
            is_spent: key.requests > self.per_minute,
        };
        let pause = Duration::from_secs(NOTED_EVERY.unsigned_abs());
        let note = !found.is_noted && key.noted.is_none_or(|at| now.duration_since(at) >= pause);
        if note {
            key.noted = Some(now);
        }
        (allowance, note)
    }
}
