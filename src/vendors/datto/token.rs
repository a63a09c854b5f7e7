//! The token that opens Datto RMM: fetched once, shared by everybody, renewed by whoever finds it stale.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex as Plain, PoisonError, Weak},
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use serde_json::Value;
use tokio::sync::Mutex;

use super::NAME;
use crate::{
    config::Secret,
    error::Result,
    vendors::{
        answer::{body, header, is_object, parse, reason, words},
        authorization::{Fetching, TokenSource},
        fault::{Cause, Fault, quote},
        http, retry,
    },
};

/// Where tokens are given out, below the account's address.
const PATH: &str = "/auth/oauth/token";
/// The name and password that the vendor gives to every integration.
const PUBLIC: (&str, &str) = ("public-client", "public");
/// Attempts to get one.
const ATTEMPTS: u32 = 6;

/// The token sources of this process, so that jobs that run side by side do not end one another's token.
static SOURCES: LazyLock<Plain<HashMap<String, Weak<Tokens>>>> = LazyLock::new(Plain::default);

/// The tokens of one account.
pub struct Tokens {
    http: reqwest::Client,
    address: String,
    key: Secret,
    secret: Secret,
    /// How often a broken answer is asked for.
    attempts: u32,
    current: Mutex<Option<Token>>,
}

struct Token {
    text: String,
    /// When it has run out, as far as the vendor said.
    until: Option<Instant>,
}

impl Tokens {
    /// The tokens for the account at this address (no slash at the end; whether it must be public), the same for all
    /// who ask in this process.
    pub fn shared((root, guarded): (&str, bool), key: &Secret, secret: &Secret) -> Result<Arc<Self>> {
        let name = format!("{root}\n{guarded}\n{}\n{}", key.expose(), secret.expose());
        let mut sources = SOURCES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = sources.get(&name).and_then(Weak::upgrade) {
            return Ok(source);
        }
        let source = Arc::new(Self::new((root, guarded), key, secret, ATTEMPTS)?);
        sources.retain(|_, source| source.strong_count() > 0);
        sources.insert(name, Arc::downgrade(&source));
        Ok(source)
    }

    /// A token for a single question, asked for once.
    pub fn alone(root: (&str, bool), key: &Secret, secret: &Secret) -> Result<Arc<Self>> {
        Ok(Arc::new(Self::new(root, key, secret, 1)?))
    }

    fn new((root, guarded): (&str, bool), key: &Secret, secret: &Secret, attempts: u32) -> Result<Self> {
        Ok(Self {
            http: http::wire(NAME, root, guarded)?,
            address: format!("{root}{PATH}"),
            key: key.clone(),
            secret: secret.clone(),
            attempts,
            current: Mutex::default(),
        })
    }

    async fn get(&self, refused: Option<&str>) -> Result<String, Fault> {
        let mut current = self.current.lock().await;
        let usable =
            |token: &&Token| refused != Some(token.text.as_str()) && token.until.is_none_or(|until| Instant::now() < until);
        if let Some(token) = current.as_ref().filter(usable) {
            return Ok(token.text.clone());
        }
        *current = None;
        let token = self.fetch().await?;
        let text = token.text.clone();
        *current = Some(token);
        Ok(text)
    }

    async fn fetch(&self) -> Result<Token, Fault> {
        let mut tried = 0;
        loop {
            tried += 1;
            let (cause, asked) = match self.attempt().await {
                Ok(token) => return Ok(token),
                Err(failed) => failed,
            };
            let again = matches!(cause, Cause::Broken(_) | Cause::Unreachable(_) | Cause::Limited(_));
            if !again || tried >= self.attempts || asked.is_some_and(|wait| wait > retry::LONGEST_ASKED) {
                return Err(Fault { service: NAME, method: "POST", path: PATH.to_owned(), cause, attempts: tried });
            }
            tracing::debug!(service = NAME, ?cause, "asking for a token again");
            tokio::time::sleep(asked.unwrap_or_default().max(retry::backoff(tried))).await;
        }
    }

    /// A token, or why there is none and how long the vendor wants us to wait.
    async fn attempt(&self) -> Result<Token, (Cause, Option<Duration>)> {
        let form = [("grant_type", "password"), ("username", self.key.expose()), ("password", self.secret.expose())];
        let request = self.http.post(&self.address).basic_auth(PUBLIC.0, Some(PUBLIC.1)).form(&form);
        let sent = request.header("accept", "application/json").send().await;
        let mut response = sent.map_err(|error| (Cause::Unreachable(reason(&error)), None))?;
        let status = response.status();
        let asked = header(response.headers(), "retry-after").and_then(|text| retry::retry_after(text, jiff::Timestamp::now()));
        let body = body(&mut response).await.map_err(|cause| (cause, asked))?;
        if status.is_success() {
            let (json, _) = parse(&body, &shape).map_err(|why| (Cause::Broken(format!("the token: {why}")), asked))?;
            return Ok(token(&json));
        }
        let said = quote(&words(&body), &self.secrets());
        let cause = match status {
            StatusCode::TOO_MANY_REQUESTS => Cause::Limited("too many requests (429)".to_owned()),
            StatusCode::FORBIDDEN if !is_object(&body) => {
                Cause::Blocked("the vendor refuses this address (403); it blocks those who ask too much".to_owned())
            }
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Cause::Denied(status.as_u16(), said),
            StatusCode::NOT_FOUND => Cause::Missing,
            s if s.is_server_error() => Cause::Broken(format!("a server error ({})", s.as_u16())),
            s => Cause::Refused(s.as_u16(), said),
        };
        Err((cause, asked))
    }
}

impl TokenSource for Tokens {
    fn token<'a>(&'a self, refused: Option<&'a str>) -> Fetching<'a> {
        Box::pin(self.get(refused))
    }

    fn secrets(&self) -> Vec<&str> {
        vec![self.key.expose(), self.secret.expose()]
    }
}

fn shape(json: &Value) -> Result<(), String> {
    let token = json.get("access_token").and_then(Value::as_str).map(str::trim).unwrap_or_default();
    let sendable = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    if sendable { Ok(()) } else { Err("an answer without an access_token".to_owned()) }
}

/// The token in an answer. Its life is a hint: nineteen twentieths of it are used, a refusal ends it sooner.
fn token(json: &Value) -> Token {
    let text = json["access_token"].as_str().unwrap_or_default().trim().to_owned();
    let life = match &json["expires_in"] {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let life = life.filter(|seconds| seconds.is_finite() && (0.1..1e8).contains(seconds));
    Token { text, until: life.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds * 0.95)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_a_token_only_with_something_to_send() {
        assert!(shape(&json!({ "access_token": "a.b.c", "expires_in": 360_000 })).is_ok());
        for odd in
            [json!({}), json!([]), json!({ "access_token": "" }), json!({ "access_token": 7 }), json!({ "access_token": "a b" })]
        {
            assert!(shape(&odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn the_life_of_a_token_is_a_hint() {
        assert!(token(&json!({ "access_token": "a", "expires_in": "3600" })).until.is_some());
        for unusable in [json!(null), json!(0), json!(-5), json!("soon"), json!(1e300)] {
            assert!(token(&json!({ "access_token": "a", "expires_in": unusable })).until.is_none());
        }
    }
}
