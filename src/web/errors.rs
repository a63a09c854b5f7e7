//! The one place where a failure becomes a body: JSON for programs, a page for people.

use super::{prefix::Prefix, request_id::RequestId};
use crate::{auth::Caller, error::Error};
use axum::{
    Json,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Seconds after which a caller may try again when we are only busy for the moment.
const RETRY_SOON: u64 = 1;

/// A failure as a page, for whoever asked, as far as that is known.
pub type ErrorPage = fn(&About, &Error, Option<&Caller>) -> Response;

/// What a failure's body says about the request that failed.
pub struct About {
    /// The request's method.
    pub method: Method,
    /// The path as the caller sees it, with the prefix.
    pub path: String,
    /// The path and query below the prefix, for the way back after signing in.
    pub target: String,
    /// Whether a person is looking at the answer.
    pub wants_page: bool,
    /// What links start with.
    pub prefix: Prefix,
    /// The name of the request.
    pub id: RequestId,
    /// Whether pages send people without a session to our own sign-in page.
    pub sign_in: bool,
    /// What the browser sent with it, when a page is shown.
    pub headers: HeaderMap,
    /// The page.
    pub page: ErrorPage,
}

/// Whether a failure is shown as a page: a browser asks, for an address that is not a program's.
#[must_use]
pub fn wants_page(path: &str, headers: &HeaderMap) -> bool {
    let for_programs = ["/api", "/sync", "/health", "/.well-known", "/service-token", "/static"]
        .iter()
        .any(|start| path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    let accepts =
        headers.get_all(header::ACCEPT).iter().any(|accept| accept.to_str().is_ok_and(|text| text.contains("text/html")));
    accepts && !for_programs && !path.contains("/api/")
}

/// Writes the body of a response that carries an error; any other response passes unchanged.
#[must_use]
pub fn render(about: &About, response: Response) -> Response {
    let Some(error) = response.extensions().get::<Arc<Error>>().cloned() else { return response };
    log(about, &error);
    let mut rendered = if !about.wants_page {
        (error.status(), Json(body(about, &error))).into_response()
    } else if about.sign_in && matches!(*error, Error::Unauthorized(_)) {
        return to_sign_in(about);
    } else {
        (about.page)(about, &error, response.extensions().get::<Arc<Caller>>().map(AsRef::as_ref))
    };
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    if let Some(seconds) = retry_after(&error) {
        rendered.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    if matches!(*error, Error::Unauthorized(_)) {
        rendered.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    rendered.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    rendered
}

fn log(about: &About, error: &Error) {
    if error.status().is_server_error() {
        tracing::error!(request_id = %about.id, method = %about.method, path = about.path, status = error.status().as_u16(), cause = %error, "request failed");
    }
}

/// One shape with both vocabularies: `error` for old clients, RFC 9457 for the others (contract §0).
fn body(about: &About, error: &Error) -> Value {
    let message = public_message(error);
    let mut body = Map::new();
    body.insert("error".into(), json!(message));
    body.insert("type".into(), json!(format!("about:blank#{}", slug(error))));
    body.insert("title".into(), json!(title(error.status())));
    body.insert("status".into(), json!(error.status().as_u16()));
    body.insert("detail".into(), json!(message));
    body.insert("instance".into(), json!(about.path));
    body.insert("request_id".into(), json!(about.id.as_str()));
    if let Error::Invalid(fields) = error {
        body.insert("errors".into(), json!(fields));
    }
    if let Error::Conflict { details, .. } | Error::Gone { details, .. } = error {
        for (name, value) in details {
            body.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    Value::Object(body)
}

/// What a stranger may read: the causes of failures inside go to the log alone.
#[must_use]
pub fn public_message(error: &Error) -> String {
    match error {
        Error::Internal(_) => "something went wrong on our side; it has been logged under this request's id".to_owned(),
        Error::Storage(_) => "there is no room for more data, or it cannot be written; nothing was saved".to_owned(),
        Error::Damaged(_) => {
            "the database is damaged: this could not be read or saved; an administrator has to restore a backup".to_owned()
        }
        other => other.to_string(),
    }
}

/// The status in words, with a capital.
#[must_use]
pub fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

fn slug(error: &Error) -> &'static str {
    match error {
        Error::NotFound { .. } | Error::Missing(_) => "not-found",
        Error::Invalid(_) => "invalid",
        Error::BadRequest(_) => "bad-request",
        Error::Unauthorized(_) => "unauthorized",
        Error::Forbidden(_) => "forbidden",
        Error::Conflict { .. } | Error::Constraint(_) => "conflict",
        Error::Gone { .. } => "gone",
        Error::PreconditionFailed => "precondition-failed",
        Error::MethodNotAllowed => "method-not-allowed",
        Error::TooLarge { .. } => "too-large",
        Error::TooSlow => "too-slow",
        Error::UnsupportedMedia(_) => "unsupported-media-type",
        Error::TooMany { .. } => "too-many-attempts",
        Error::Unavailable(_) => "unavailable",
        Error::Storage(_) => "storage",
        Error::Damaged(_) => "damaged",
        Error::Upstream { .. } => "upstream",
        Error::Internal(_) => "internal",
    }
}

fn retry_after(error: &Error) -> Option<u64> {
    match error {
        Error::TooMany { retry_after } => Some(*retry_after),
        Error::Unavailable(_) => Some(RETRY_SOON),
        _ => None,
    }
}

/// A person without a session goes to the sign-in page, and back to where they were going.
fn to_sign_in(about: &About) -> Response {
    let mut location = format!("{}/login", about.prefix);
    if about.method == Method::GET && about.target != "/" {
        let next = percent_encoding::utf8_percent_encode(&about.target, percent_encoding::NON_ALPHANUMERIC);
        location = format!("{location}?next={next}");
    }
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;
