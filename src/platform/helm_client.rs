//! Speaks to Helm: a service token from Core, renewed before it runs out, and batches of log entries.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// How long Core and Helm may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// A token is renewed so long before it runs out.
const MARGIN: Duration = Duration::from_mins(1);
/// How long a token lasts that does not say so.
const USUAL: Duration = Duration::from_mins(5);
/// Whom the tokens are for.
const TARGET: &str = "helm";

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Helm has it.
    Kept,
    /// Helm or Core cannot be reached just now.
    Away,
    /// Helm does not want it.
    Refused(u16),
}

/// Sends batches to one Helm.
pub struct Client {
    http: reqwest::Client,
    core: String,
    helm: String,
    service: String,
    token: Option<(String, Instant)>,
}

impl Client {
    /// For these addresses, as this service.
    pub fn new(core: &str, helm: &str, service: &str) -> Option<Self> {
        let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).no_proxy();
        let trim = |url: &str| url.trim_end_matches('/').to_owned();
        Some(Self { http: builder.build().ok()?, core: trim(core), helm: trim(helm), service: service.to_owned(), token: None })
    }

    /// Sends one batch; a token that is refused is renewed once.
    pub async fn send(&mut self, entries: &[Value]) -> Outcome {
        let body = json!({ "service_name": self.service, "logs": entries });
        for last in [false, true] {
            let Some(token) = self.token().await else { return Outcome::Away };
            let request = self.http.post(format!("{}/api/logs/ingest", self.helm)).bearer_auth(token).json(&body);
            match request.send().await {
                Ok(reply) if reply.status().is_success() => return Outcome::Kept,
                Ok(reply) if reply.status() == StatusCode::UNAUTHORIZED && !last => self.token = None,
                Ok(reply) => return Outcome::Refused(reply.status().as_u16()),
                Err(_) => return Outcome::Away,
            }
        }
        Outcome::Away
    }

    async fn token(&mut self) -> Option<String> {
        if let Some((token, until)) = &self.token
            && Instant::now() < *until
        {
            return Some(token.clone());
        }
        let body = json!({ "calling_service": self.service, "target_service": TARGET });
        let reply = self.http.post(format!("{}/service-token", self.core)).json(&body).send().await.ok()?;
        let told: Value = reply.error_for_status().ok()?.json().await.ok()?;
        let token = told.get("token")?.as_str()?.to_owned();
        let lasts = lifetime(&token).unwrap_or(USUAL);
        // One that lasts less than the margin is used for half of its time.
        self.token = Some((token.clone(), Instant::now() + lasts.saturating_sub(MARGIN).max(lasts.min(MARGIN) / 2)));
        Some(token)
    }
}

/// How long a token is still good for.
fn lifetime(token: &str) -> Option<Duration> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let until = serde_json::from_slice::<Value>(&payload).ok()?.get("exp")?.as_i64()?;
    u64::try_from(until - jiff::Timestamp::now().as_second()).ok().map(Duration::from_secs)
}
