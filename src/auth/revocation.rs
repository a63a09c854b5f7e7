//! Asks Core whether a person's session still stands; off unless `[core] revocation_check` is on.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::core_http;
use crate::error::Result;

/// How long an answer counts.
const REMEMBERED: Duration = Duration::from_secs(45);
/// How long Core is left alone after it failed to answer.
const PAUSE: Duration = Duration::from_secs(10);
/// The answers kept; when there are more, the old ones go.
const MOST: usize = 10_000;

/// The answers so far. When Core is away, or says anything but "revoked", the token stands.
#[derive(Debug)]
pub struct Revocation {
    url: String,
    http: reqwest::Client,
    answers: Mutex<Answers>,
}

#[derive(Debug, Default)]
struct Answers {
    by_session: HashMap<String, (Instant, bool)>,
    failed: Option<Instant>,
}

impl Revocation {
    /// Asks the Core at this address.
    pub fn new(core_url: &str) -> Result<Self> {
        let url = format!("{}/api/token/validate", core_url.trim_end_matches('/'));
        Ok(Self { url, http: core_http::client()?, answers: Mutex::default() })
    }

    /// Whether the session of this verified token was revoked.
    pub async fn is_revoked(&self, session: &str, token: &str) -> bool {
        if let Some(known) = self.remembered(session) {
            return known;
        }
        let answer = self.http.post(&self.url).json(&serde_json::json!({ "token": token })).send().await;
        // The signature and the times have been checked here, so 401 can only mean the session.
        let revoked = answer.as_ref().is_ok_and(|response| response.status() == reqwest::StatusCode::UNAUTHORIZED);
        let answered = revoked || answer.as_ref().is_ok_and(|response| response.status().is_success());
        self.remember(session, revoked, answered);
        revoked
    }

    fn remembered(&self, session: &str) -> Option<bool> {
        let answers = self.lock();
        let known = answers.by_session.get(session).filter(|(at, _)| at.elapsed() < REMEMBERED);
        let paused = answers.failed.is_some_and(|at| at.elapsed() < PAUSE);
        known.map(|(_, revoked)| *revoked).or_else(|| paused.then_some(false))
    }

    fn remember(&self, session: &str, revoked: bool, answered: bool) {
        let mut answers = self.lock();
        if !answered {
            answers.failed = Some(Instant::now());
            return;
        }
        if answers.by_session.len() >= MOST {
            answers.by_session.retain(|_, (at, _)| at.elapsed() < REMEMBERED);
        }
        if answers.by_session.len() < MOST {
            answers.by_session.insert(session.to_owned(), (Instant::now(), revoked));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
