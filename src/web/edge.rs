//! What happens to every request before it is routed, and to every response before it leaves.

use super::{
    Web,
    errors::{self, About},
    peer::Peer,
    prefix::{self, Prefix},
    request_id::{REQUEST_ID, RequestId},
    routes::{self, Routes},
    view::Look,
};
use crate::{config::Config, error::Error};
use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt as _;
use std::{any::Any, sync::Arc, time::Duration};
use tower::Layer as _;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

/// The largest request body that we read.
pub const MAX_BODY: usize = 16 * 1024 * 1024;

/// How much of a refused body we read and drop, so that the caller gets to see the refusal.
const MAX_DRAIN: usize = 64 * 1024 * 1024;

/// How long a handler may take; Nexus gives up on us after as long.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a browser may load on our own pages: our own files, nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The whole edge, around the router.
pub async fn around(State(config): State<Arc<Config>>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let peer = Peer::of(&request, &config.server.trusted_proxies);
    let mount = prefix::strip_mount(request.uri_mut());
    let prefix = Prefix::new(&peer.forwarded_prefix, mount.as_ref().unwrap_or(&""));
    let about = About {
        method: request.method().clone(),
        path: format!("{prefix}{}", request.uri().path()),
        target: request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        wants_page: errors::wants_page(request.uri().path(), request.headers()),
        prefix: prefix.clone(),
        id: id.clone(),
        sign_in: !config.on_platform(),
        look: Look::of(request.headers()),
    };
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(prefix);
    let span = tracing::info_span!("request", %id, method = %about.method, path = about.path);
    let answer = async {
        match mount {
            Err(error) => error.into_response(),
            Ok(_) if is_too_large(request.headers()) => refuse_body(request.into_body()).await,
            Ok(_) => in_time(about.method.is_safe(), next.run(request)).await,
        }
    };
    let mut response = errors::render(&about, answer.instrument(span).await);
    finish(!config.on_platform(), &id, response.headers_mut());
    response
}

/// Turns a panic in a handler into that request's 500.
#[must_use]
pub fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().cloned().or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    Error::internal(format!("panic: {}", text.as_deref().unwrap_or("without a message"))).into_response()
}

async fn in_time(only_reads: bool, answer: impl Future<Output = Response>) -> Response {
    let outcome = if only_reads { "try again" } else { "whether it was done is not known: look before you repeat it" };
    let late = || Error::Unavailable(format!("this took too long; {outcome}")).into_response();
    tokio::time::timeout(TIMEOUT, answer).await.unwrap_or_else(|_| late())
}

fn is_too_large(headers: &HeaderMap) -> bool {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<usize>().ok());
    length.is_some_and(|length| length > MAX_BODY)
}

/// Answering while the caller still sends would reset its connection before it reads the answer.
async fn refuse_body(body: Body) -> Response {
    let drain = async {
        let mut body = body;
        let mut seen = 0;
        while seen < MAX_DRAIN
            && let Some(Ok(frame)) = body.frame().await
        {
            seen += frame.data_ref().map_or(0, bytes::Bytes::len);
        }
    };
    let _ = tokio::time::timeout(TIMEOUT, drain).await;
    Error::TooLarge { limit: MAX_BODY }.into_response()
}

/// Reads a whole body, or says that it is too large.
///
/// # Errors
/// When the body exceeds [`MAX_BODY`] or the connection breaks.
pub async fn read_body(body: Body) -> Result<bytes::Bytes, Error> {
    let mut body = body;
    let mut read = bytes::BytesMut::with_capacity(usize::try_from(body.size_hint().lower()).unwrap_or(0).min(MAX_BODY));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Error::BadRequest("the body ended before it was complete".to_owned()))?;
        let Ok(data) = frame.into_data() else { continue };
        if read.len() + data.len() > MAX_BODY {
            let _ = refuse_body(body).await;
            return Err(Error::TooLarge { limit: MAX_BODY });
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

fn finish(standalone: bool, id: &RequestId, headers: &mut HeaderMap) {
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    if standalone {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
}

/// Puts the edge around routes: layers of the caller's (authentication) run inside it, after the panic fence.
pub fn wrap(routes: Routes, web: Web, layers: impl FnOnce(Router<Web>) -> Router<Web>) -> Router {
    let (rooms, _) = routes.into_parts();
    let rooms = rooms.fallback(routes::not_found).method_not_allowed_fallback(routes::method_not_allowed);
    let config = Arc::clone(&web.config);
    let fenced = layers(rooms).with_state(web).layer(CatchPanicLayer::custom(panicked));
    Router::new().fallback_service(middleware::from_fn_with_state(config, around).layer(fenced))
}

#[cfg(test)]
#[path = "edge_tests.rs"]
mod tests;
