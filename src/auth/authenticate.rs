//! The middleware that finds out who is asking and leaves the answer for the extractors.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{Verifier, api_key, cookie};
use crate::error::Error;

/// Why a request has no caller; a client learns no more than the kind.
#[derive(Clone, Debug)]
pub enum Rejected {
    /// The token is not one that we accept.
    Unauthorized,
    /// The API key is good, and this request is beyond its limits.
    Forbidden(String),
    /// Tokens cannot be verified just now.
    Unavailable(String),
    /// Something broke.
    Failed(String),
}

impl Rejected {
    /// A bad token; the reason goes to the log.
    pub(super) fn token(reason: &'static str) -> Self {
        tracing::debug!(reason, "token refused");
        Self::Unauthorized
    }
}

impl From<Error> for Rejected {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(reason) => Self::Unavailable(reason),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// The header for API keys, which also come as bearer tokens.
const API_KEY: &str = "x-api-key";

/// Puts an `Arc<Caller>` into the request's extensions, or the [`Rejected`] that says why there is
/// none. It refuses nothing itself but what an API key asks too often: the handler's extractor does, if the handler asks
/// for a caller.
pub async fn authenticate(State(verifier): State<Arc<Verifier>>, mut request: Request, next: Next) -> Response {
    let mut allowance = None;
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let in_address = (verifier.api_keys().reach().in_address)(route);
    let mut only = None;
    let shown = match (presented(request.headers(), verifier.is_stand_alone()), in_address) {
        (Presented::Nothing, Some(kind)) => {
            only = Some(kind);
            key_in(request.uri().query()).map_or(Presented::Nothing, Presented::Key)
        }
        (other, _) => other,
    };
    let found = match shown {
        Presented::Nothing => None,
        Presented::Garbage => Some(Err(Rejected::token("malformed Authorization header"))),
        Presented::Token(token) => Some(verifier.caller(&token).await),
        Presented::Key(key) => {
            let (caller, left) = verifier.caller_of_key(&key, request.method(), route, only).await;
            allowance = left;
            Some(caller)
        }
    };
    let caller = found.as_ref().and_then(|found| found.as_ref().ok()).cloned();
    match found {
        None => {}
        Some(Ok(caller)) => {
            request.extensions_mut().insert(caller);
        }
        Some(Err(rejected)) => {
            request.extensions_mut().insert(rejected);
        }
    }
    let mut response = match allowance.filter(|left| left.is_spent) {
        Some(left) => Error::TooMany { retry_after: left.retry_after() }.into_response(),
        None => next.run(request).await,
    };
    if let Some(left) = allowance {
        left.write(response.headers_mut());
    }
    if let (Some(caller), true) = (caller, response.extensions().get::<Arc<Error>>().is_some()) {
        // A failure's page is made for whoever asked.
        response.extensions_mut().insert(caller);
    }
    response
}

/// The API key in an address. It is logged nowhere: logs have addresses without what follows the path.
fn key_in(query: Option<&str>) -> Option<String> {
    let parameters: Vec<(String, String)> = serde_urlencoded::from_str(query?).ok()?;
    parameters.into_iter().find_map(|(name, value)| (name == "key").then_some(value))
}

#[derive(Debug, PartialEq, Eq)]
enum Presented {
    Nothing,
    Garbage,
    Token(String),
    Key(String),
}

/// What a request carries: an API key in its own header, what stands in `Authorization`, else (stand-alone) the cookie.
/// Two of the first are one too many, as are two headers of the same name.
fn presented(headers: &HeaderMap, cookie_counts: bool) -> Presented {
    let mut keys = headers.get_all(API_KEY).iter();
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (keys.next(), values.next(), keys.next().is_some() || values.next().is_some()) {
        (None, None, _) if cookie_counts => {
            cookie::token(headers).map_or(Presented::Nothing, |token| Presented::Token(token.to_owned()))
        }
        (None, None, _) => Presented::Nothing,
        (Some(key), None, false) => match key.to_str().map(str::trim) {
            Ok(key) if key.starts_with(api_key::PREFIX) => Presented::Key(key.to_owned()),
            _ => Presented::Garbage,
        },
        (None, Some(value), false) => match value.to_str().ok().and_then(bearer) {
            Some(key) if key.starts_with(api_key::PREFIX) => Presented::Key(key.to_owned()),
            Some(token) => Presented::Token(token.to_owned()),
            None => Presented::Garbage,
        },
        (..) => Presented::Garbage,
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty() && !token.contains(' ')).then_some(token)
}

#[cfg(test)]
#[path = "authenticate_tests.rs"]
mod tests;
