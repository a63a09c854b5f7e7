//! The middleware that finds out who is asking and leaves the answer for the extractors.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};

use super::{Verifier, cookie};
use crate::error::Error;

/// Why a request has no caller; a client learns no more than the kind.
#[derive(Clone, Debug)]
pub enum Rejected {
    /// The token is not one that we accept.
    Unauthorized,
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

/// Puts an `Arc<Caller>` into the request's extensions, or the [`Rejected`] that says why there is
/// none. It refuses nothing itself: the handler's extractor does, if the handler asks for a caller.
pub async fn authenticate(State(verifier): State<Arc<Verifier>>, mut request: Request, next: Next) -> Response {
    let found = match presented(request.headers(), verifier.is_stand_alone()) {
        Presented::Nothing => None,
        Presented::Garbage => Some(Err(Rejected::token("malformed Authorization header"))),
        Presented::Token(token) => Some(verifier.caller(&token).await),
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
    let mut response = next.run(request).await;
    if let (Some(caller), true) = (caller, response.extensions().get::<Arc<Error>>().is_some()) {
        // A failure's page is made for whoever asked.
        response.extensions_mut().insert(caller);
    }
    response
}

#[derive(Debug, PartialEq, Eq)]
enum Presented {
    Nothing,
    Garbage,
    Token(String),
}

/// The token of a request: the `Authorization` header's, else (stand-alone) the cookie's.
fn presented(headers: &HeaderMap, cookie_counts: bool) -> Presented {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) if cookie_counts => {
            cookie::token(headers).map_or(Presented::Nothing, |token| Presented::Token(token.to_owned()))
        }
        (None, _) => Presented::Nothing,
        (Some(value), None) => {
            value.to_str().ok().and_then(bearer).map_or(Presented::Garbage, |token| Presented::Token(token.to_owned()))
        }
        (Some(_), Some(_)) => Presented::Garbage,
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
