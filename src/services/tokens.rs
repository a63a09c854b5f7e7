//! Core's service tokens, one for each neighbour, kept until shortly before they run out.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::config::Secret;

/// A token is renewed so long before it runs out.
const MARGIN: Duration = Duration::from_mins(1);
/// How long a token lasts that does not say so.
const USUAL: Duration = Duration::from_mins(5);

/// The tokens that one Core gave us.
pub struct Tokens {
    core: String,
    service: String,
    kept: HashMap<String, (Secret, Instant)>,
}

impl Tokens {
    /// From this Core, as this service.
    #[must_use]
    pub fn new(core: &str, service: &str) -> Self {
        Self { core: core.trim_end_matches('/').to_owned(), service: service.to_owned(), kept: HashMap::new() }
    }

    /// The token for a neighbour; none when Core does not give one.
    pub async fn get(&mut self, http: &reqwest::Client, target: &str) -> Option<Secret> {
        if let Some((token, until)) = self.kept.get(target)
            && Instant::now() < *until
        {
            return Some(token.clone());
        }
        let body = json!({ "calling_service": self.service, "target_service": target });
        let reply = http.post(format!("{}/service-token", self.core)).json(&body).send().await.ok()?;
        let told: Value = reply.error_for_status().ok()?.json().await.ok()?;
        let token = told.get("token")?.as_str()?;
        let lasts = lifetime(token).unwrap_or(USUAL);
        let token = Secret::new(token);
        // One that lasts less than the margin is used for half of its time.
        let until = Instant::now() + lasts.saturating_sub(MARGIN).max(lasts.min(MARGIN) / 2);
        self.kept.insert(target.to_owned(), (token.clone(), until));
        Some(token)
    }

    /// Lets go of a token that was refused.
    pub fn forget(&mut self, target: &str) {
        self.kept.remove(target);
    }
}

/// How long a token is still good for.
fn lifetime(token: &str) -> Option<Duration> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let until = serde_json::from_slice::<Value>(&payload).ok()?.get("exp")?.as_i64()?;
    u64::try_from(until - jiff::Timestamp::now().as_second()).ok().map(Duration::from_secs)
}
