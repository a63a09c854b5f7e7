//! From an API key to a caller: whether it stands, whether the request is within its limits, how often it asks.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, HeaderValue, Method};

use super::{
    api_key::Reach,
    api_key_request_store::{self as requests, Counted},
    api_key_store::{self as store, Found, NOTED_EVERY},
    secret,
};
use crate::{
    db::Db,
    error::Result,
    types::{Actor, Scope, now},
};

/// The time in which a key may ask so often.
const WINDOW: Duration = Duration::from_secs(requests::WINDOW.unsigned_abs());
/// How long other processes wait to hear how often keys have asked here.
const TOLD_AFTER: Duration = Duration::from_secs(1);
/// Which part of its limit a key may ask before they hear of it at once.
const UNTOLD_PART: u32 = 10;
/// Keys that are remembered between two looks for those that have gone quiet.
const MANY: usize = 10_000;

/// What is left to a key of its requests of this minute.
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
    /// The same, as other processes are told.
    began: String,
    requests: u32,
    /// How many of them others know of.
    told: u32,
    /// What other processes have seen.
    elsewhere: u32,
    noted: Option<Instant>,
}

impl Seen {
    fn new(since: Instant) -> Self {
        Self { since, began: now(), requests: 0, told: 0, elsewhere: 0, noted: None }
    }
}

/// The keys of everybody.
#[derive(Debug)]
pub struct ApiKeys {
    db: Db,
    reach: Reach,
    per_minute: u32,
    counts: Arc<Counts>,
}

/// What this process has seen of all keys.
#[derive(Debug)]
struct Counts {
    /// What it is called among those on the same database.
    process: String,
    seen: Mutex<HashMap<i64, Seen>>,
    /// Whether somebody is about to tell the others.
    is_telling: AtomicBool,
}

impl ApiKeys {
    /// Over this database; each key may ask so often in a minute.
    #[must_use]
    pub fn new(db: Db, reach: Reach, per_minute: u32) -> Self {
        let process = uuid::Uuid::new_v4().simple().to_string();
        let counts = Counts { process, seen: Mutex::default(), is_telling: AtomicBool::new(false) };
        Self { db, reach, per_minute, counts: Arc::new(counts) }
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
        let (allowance, note, untold) = self.count(&found);
        self.tell_others(untold);
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

    /// Tells the other processes, in a while, or at once when they should know.
    fn tell_others(&self, untold: u32) {
        let is_urgent = untold > 0 && untold.is_multiple_of(self.per_minute.div_ceil(UNTOLD_PART));
        if self.counts.is_telling.swap(true, Ordering::AcqRel) && !is_urgent {
            return;
        }
        let (db, counts) = (self.db.clone(), Arc::clone(&self.counts));
        tokio::spawn(async move {
            if !is_urgent {
                tokio::time::sleep(TOLD_AFTER).await;
            }
            // Who asks from now on is told of by the next one.
            counts.is_telling.store(false, Ordering::Release);
            if let Err(error) = counts.exchange(&db).await {
                tracing::debug!(%error, "other processes could not be told how often API keys ask");
            }
        });
    }

    /// Counts a request; tells whether its use is to be noted, and of how many of its requests others do not know.
    fn count(&self, found: &Found) -> (Allowance, bool, u32) {
        let now = Instant::now();
        let mut seen = self.counts.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MANY {
            seen.retain(|_, key| now.duration_since(key.since) < WINDOW);
        }
        let key = seen.entry(found.id).or_insert_with(|| Seen::new(now));
        if now.duration_since(key.since) >= WINDOW {
            *key = Seen { noted: key.noted, ..Seen::new(now) };
        }
        key.requests = key.requests.saturating_add(1);
        let all = key.requests.saturating_add(key.elsewhere);
        let left = WINDOW.saturating_sub(now.duration_since(key.since));
        let allowance = Allowance {
            limit: self.per_minute,
            remaining: self.per_minute.saturating_sub(all),
            reset: left.as_secs().max(1),
            is_spent: all > self.per_minute,
        };
        let pause = Duration::from_secs(NOTED_EVERY.unsigned_abs());
        let note = !found.is_noted && key.noted.is_none_or(|at| now.duration_since(at) >= pause);
        if note {
            key.noted = Some(now);
        }
        (allowance, note, key.requests.saturating_sub(key.told))
    }
}

impl Counts {
    /// Tells what is new here, and hears what others have seen.
    async fn exchange(&self, db: &Db) -> Result<()> {
        let counted: Vec<Counted> = {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let new = seen.iter().filter(|(_, key)| key.requests > key.told);
            new.map(|(id, key)| Counted { key: *id, since: key.began.clone(), requests: key.requests }).collect()
        };
        if counted.is_empty() {
            return Ok(());
        }
        let (process, told) = (self.process.clone(), counted.clone());
        let actor = Actor::system("api keys");
        let elsewhere = db.write(&Scope::All, &actor, move |w| requests::exchange(w, &process, &told)).await?;
        let elsewhere: HashMap<i64, u32> = elsewhere.into_iter().collect();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for one in counted {
            // A minute that has begun since is another one.
            if let Some(key) = seen.get_mut(&one.key).filter(|key| key.began == one.since) {
                key.told = key.told.max(one.requests);
                key.elsewhere = elsewhere.get(&one.key).copied().unwrap_or_default();
            }
        }
        Ok(())
    }
}
