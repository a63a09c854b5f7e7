//! Speaks to Helm: batches of log entries.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::services::Tokens;

/// How long Core and Helm may take.
const PATIENCE: Duration = Duration::from_secs(2);
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
    helm: String,
    service: String,
    tokens: Tokens,
}

impl Client {
    /// For these addresses, as this service.
    pub fn new(core: &str, helm: &str, service: &str) -> Option<Self> {
        let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).no_proxy();
        let (helm, service_name) = (helm.trim_end_matches('/').to_owned(), service.to_owned());
        Some(Self { http: builder.build().ok()?, helm, service: service_name, tokens: Tokens::new(core, service) })
    }

    /// Sends one batch; a token that is refused is renewed once.
    pub async fn send(&mut self, entries: &[Value]) -> Outcome {
        let body = json!({ "service_name": self.service, "logs": entries });
        for last in [false, true] {
            let Some(token) = self.tokens.get(&self.http, TARGET).await else { return Outcome::Away };
            let request = self.http.post(format!("{}/api/logs/ingest", self.helm)).bearer_auth(token.expose()).json(&body);
            match request.send().await {
                Ok(reply) if reply.status().is_success() => return Outcome::Kept,
                Ok(reply) if reply.status() == StatusCode::UNAUTHORIZED && !last => self.tokens.forget(TARGET),
                Ok(reply) => return Outcome::Refused(reply.status().as_u16()),
                Err(_) => return Outcome::Away,
            }
        }
        Outcome::Away
    }
}
