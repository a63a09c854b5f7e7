//! One name for each request, so that an answer, a log line and a neighbour's log can be matched.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, request::Parts},
};
use std::{convert::Infallible, fmt, sync::Arc};

/// The header that names the request, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What the platform's older services call the same thing.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// The longest name that we take over from a caller.
const MAX_LENGTH: usize = 128;

/// The name of a request: the caller's when it is sane, otherwise a fresh one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The caller's name for the request, or a new one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        [REQUEST_ID, CORRELATION_ID]
            .iter()
            .filter_map(|name| headers.get(name)?.to_str().ok())
            .find(|value| is_sane(value))
            .map_or_else(|| Self(uuid::Uuid::new_v4().to_string().into()), |value| Self(value.into()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_sane(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= MAX_LENGTH
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self::of(&parts.headers)))
    }
}
