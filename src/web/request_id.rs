//! One name for each request, so that an answer, a log line and a neighbour's log can be matched.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, request::Parts},
};
use std::{
    convert::Infallible,
    fmt,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// The header that names the request, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What the platform's older services call the same thing.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// The part of a fresh name in which a process counts; the rest is its own.
const COUNTED: u64 = (1 << 48) - 1;

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
            .map_or_else(Self::next, |value| Self(value.into()))
    }

    /// One that nobody had: random is where this process begins to count.
    fn next() -> Self {
        static START: LazyLock<(u64, u64)> = LazyLock::new(|| uuid::Uuid::new_v4().as_u64_pair());
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (high, low) = *START;
        let number = low.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed)) & COUNTED;
        Self(uuid::Uuid::from_u64_pair(high, low & !COUNTED | number).to_string().into())
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
