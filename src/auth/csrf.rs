//! Refuses changes that another site's page makes in the name of a signed-in person.
//!
//! Browsers say where a request comes from (`Sec-Fetch-Site`, or `Origin` on older or unencrypted
//! connections) and no page can change that; programs say nothing and carry no cookie.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::error::Error;

/// The middleware: every request that may change something passes here. The state is our public
/// address, for proxies that do not pass the host on.
pub async fn protect(State(public_url): State<Option<Arc<str>>>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    if safe || is_ours(request.headers(), public_url.as_deref()) {
        return next.run(request).await;
    }
    Error::Forbidden("This request comes from another site".to_owned()).into_response()
}

/// Whether nothing says that a page of another origin made this request.
#[must_use]
pub fn is_ours(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Some(origin) = origin.to_str().ok().and_then(authority) else { return false };
    // A page cannot add forwarded headers without asking first, so they may be believed here.
    let hosts = ["host", "x-forwarded-host"].into_iter().filter_map(|name| headers.get(name)?.to_str().ok());
    let hosts = hosts.filter_map(|value| value.split(',').next()).map(|host| host.trim().to_ascii_lowercase());
    hosts.chain(public_url.and_then(authority)).any(|host| without_port(&host) == without_port(&origin))
}

/// Host and port of an address in lower case; `null` and the like have none.
fn authority(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split('/').next()?.to_ascii_lowercase();
    (matches!(scheme, "http" | "https") && !authority.is_empty()).then_some(authority)
}

/// Without the port that the scheme implies.
fn without_port(authority: &str) -> &str {
    authority.strip_suffix(":443").or_else(|| authority.strip_suffix(":80")).unwrap_or(authority)
}

#[cfg(test)]
#[path = "csrf_tests.rs"]
mod tests;
