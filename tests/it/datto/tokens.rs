//! Who may ask: tokens that are granted for key and secret, and end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::json;

use super::{PUBLIC_KEY, SECRET_KEY};
use crate::http_server::{Request, Response};

/// The tokens of the account.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// How long a token lives.
    pub life: Duration,
    /// What `expires_in` says; the truth when there is none.
    pub told: Option<i64>,
    /// How many requests a token serves before it ends, whatever its age.
    pub uses: Option<u32>,
    /// Whether a new token ends those before it.
    pub one_at_a_time: bool,
    /// How many tokens were granted so far.
    pub grants: u32,
    /// How many requests for a token were refused.
    pub refused: u32,
    live: BTreeMap<String, (Instant, u32)>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            life: Duration::from_secs(360_000),
            told: None,
            uses: None,
            one_at_a_time: false,
            grants: 0,
            refused: 0,
            live: BTreeMap::new(),
        }
    }
}

impl Tokens {
    /// Ends every token that is out.
    pub fn expire(&mut self) {
        self.live.clear();
    }

    /// The answer to `POST /auth/oauth/token`.
    pub fn grant(&mut self, request: &Request) -> Response {
        let basic = base64::engine::general_purpose::STANDARD.encode("public-client:public");
        let public = request.header("authorization") == Some(&format!("Basic {basic}"));
        let form = request.header("content-type").is_some_and(|media| media.starts_with("application/x-www-form-urlencoded"));
        let fields: BTreeMap<String, String> = serde_urlencoded::from_bytes(&request.body).unwrap_or_default();
        let field = |name: &str| fields.get(name).map(String::as_str);
        let known = field("grant_type") == Some("password")
            && field("username") == Some(PUBLIC_KEY)
            && field("password") == Some(SECRET_KEY);
        if request.method != "POST" || !public || !form || !known {
            self.refused += 1;
            return Response::json(400, &json!({"error": "invalid_grant", "error_description": "Bad credentials"}));
        }
        if self.one_at_a_time {
            self.live.clear();
        }
        self.grants += 1;
        let token = format!("stand-in.token.{}", self.grants);
        self.live.insert(token.clone(), (Instant::now() + self.life, self.uses.unwrap_or(u32::MAX)));
        let seconds = self.told.unwrap_or_else(|| i64::try_from(self.life.as_secs()).unwrap_or(i64::MAX));
        let body = json!({"access_token": token, "token_type": "bearer", "expires_in": seconds, "scope": "read write"});
        Response::json(200, &body)
    }

    /// Whether this request carries a token that still lives; it is used up by one.
    pub fn knows(&mut self, request: &Request) -> bool {
        let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let Some((until, left)) = token.and_then(|token| self.live.get_mut(token)) else { return false };
        if Instant::now() >= *until || *left == 0 {
            return false;
        }
        *left -= 1;
        true
    }
}
