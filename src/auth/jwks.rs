//! Core's public keys: fetched when first needed, kept while Core is away, asked for again rarely.
//!
//! Core's key has a constant name, so a key that was made anew shows only as a signature that fails
//! (contract §3.1). Anybody can send such a token; hence one refetch in thirty seconds, whatever comes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use super::{
    core_http,
    keys::{Jwks, Key},
    snapshot::{Board, Snapshot},
};
use crate::error::{Error, Result};

/// Keys older than this are fetched again by the next request.
const FRESH: Duration = Duration::from_mins(5);
/// The least time between two fetches once there are keys.
const REFETCH_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause between two attempts while there are no keys at all.
const LONGEST_COLD_PAUSE: Duration = Duration::from_secs(5);
/// A key set is small; more than this is none.
const LARGEST_SET: usize = 64 * 1024;

/// The keys of a Core, and the manners with which we ask for them.
#[derive(Debug)]
pub struct CoreKeys {
    url: String,
    http: reqwest::Client,
    board: Board,
    attempts: Mutex<Attempts>,
}

/// What has been tried; its lock is held while a fetch is under way, so that there is only one.
#[derive(Debug, Default)]
struct Attempts {
    fetched: Option<Instant>,
    refetched: Option<Instant>,
    cold: Option<(Instant, Duration, String)>,
}

impl CoreKeys {
    /// The keys of the Core at this address; nothing is fetched yet.
    pub fn new(core_url: &str) -> Result<Self> {
        let url = format!("{}/.well-known/jwks.json", core_url.trim_end_matches('/'));
        Ok(Self { url, http: core_http::client()?, board: Board::default(), attempts: Mutex::default() })
    }

    /// The keys to verify with. Fails only when there have never been any.
    pub async fn ready(&self) -> Result<Arc<Snapshot>> {
        let current = self.board.current();
        if current.keys.is_empty() {
            return self.first_fetch().await;
        }
        // Whoever finds the keys old fetches them; the others go on with what there is.
        let Ok(mut attempts) = self.attempts.try_lock() else { return Ok(current) };
        let old = attempts.fetched.is_none_or(|at| at.elapsed() >= FRESH);
        if old && attempts.may_refetch() {
            return Ok(self.refetch_now(&mut attempts).await.unwrap_or(current));
        }
        Ok(current)
    }

    /// Newer keys than those of this generation, if there are or may be any.
    pub async fn newer_than(&self, generation: u64) -> Option<Arc<Snapshot>> {
        let mut attempts = self.attempts.lock().await;
        let current = self.board.current();
        if current.generation != generation {
            return Some(current);
        }
        if !attempts.may_refetch() {
            return None;
        }
        self.refetch_now(&mut attempts).await
    }

    async fn first_fetch(&self) -> Result<Arc<Snapshot>> {
        let mut attempts = self.attempts.lock().await;
        let current = self.board.current();
        if !current.keys.is_empty() {
            return Ok(current);
        }
        if let Some((at, pause, reason)) = &attempts.cold
            && at.elapsed() < *pause
        {
            return Err(away(reason));
        }
        match self.fetch().await {
            Ok(keys) => {
                attempts.fetched = Some(Instant::now());
                Ok(self.board.publish(keys))
            }
            Err(reason) => {
                tracing::warn!(reason, "Core's signing keys cannot be fetched");
                let before = attempts.cold.as_ref().map_or(Duration::from_millis(500), |(_, pause, _)| *pause);
                attempts.cold = Some((Instant::now(), (before * 2).min(LONGEST_COLD_PAUSE), reason.clone()));
                Err(away(&reason))
            }
        }
    }

    async fn refetch_now(&self, attempts: &mut Attempts) -> Option<Arc<Snapshot>> {
        attempts.refetched = Some(Instant::now());
        match self.fetch().await {
            Ok(keys) => {
                attempts.fetched = Some(Instant::now());
                Some(self.board.publish(keys))
            }
            Err(reason) => {
                tracing::warn!(reason, "Core's signing keys cannot be fetched; the ones we have stay in use");
                None
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<Key>, String> {
        let mut response = self.http.get(&self.url).send().await.map_err(|e| core_http::reason(&e))?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(format!("it answered {}", response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| core_http::reason(&e))? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_SET {
                return Err("its key set is too large".to_owned());
            }
        }
        let set: Jwks = serde_json::from_slice(&body).map_err(|_| "it answered something that is no key set".to_owned())?;
        let keys = set.usable();
        if keys.is_empty() { Err("its key set holds no RS256 key".to_owned()) } else { Ok(keys) }
    }
}

impl Attempts {
    fn may_refetch(&self) -> bool {
        self.refetched.is_none_or(|at| at.elapsed() >= REFETCH_PAUSE)
    }
}

fn away(reason: &str) -> Error {
    Error::Unavailable(format!("Tokens cannot be verified: the signing keys of Core cannot be fetched ({reason})"))
}
