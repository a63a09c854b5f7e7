//! What happens to every request before it is routed, and to every response before it leaves.

use super::{
    Web,
    answers::{Answers, Found},
    bodies::{Allowance, Bodies},
    cache::Cache,
    errors::{self, About, ErrorPage},
    metrics::{self, Requests},
    peer::Peer,
    prefix::{self, Prefix},
    request_id::{REQUEST_ID, RequestId},
    routes::{self, Routes},
    shape, text,
};
use crate::{config::Config, db, error::Error};
use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use std::{any::Any, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};
use tower::Layer as _;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

/// How long a handler may take; Nexus gives up on us after as long.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a browser may load on our own pages: our own files, nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Everything around the router.
pub async fn around(State(state): State<MiddlewareState>, request: Request, next: Next) -> Response {
    let (config, since) = (&state.config, std::time::Instant::now());
    let id = RequestId::of(request.headers());
    let mut found = state.answers.find(&request, true);
    if let Found::Soon(making) = &found {
        making.made().await;
        found = state.answers.find(&request, false);
    }
    let question = match found {
        Found::Answer(mut response, route) => {
            state.requests.repeated(route.as_ref(), response.status(), since);
            name(&id, response.headers_mut());
            return response;
        }
        Found::New(question) => Some(question),
        Found::Soon(_) | Found::Nothing => None,
    };
    let _changing = (!request.method().is_safe()).then(|| state.answers.changing());
    let (allowance, mut request) = Allowance::new(&state.bodies, request);
    let peer = Peer::of(&request, &config.server.trusted_proxies);
    let mount = prefix::strip_mount(request.uri_mut());
    let prefix = Prefix::new(&peer.forwarded_prefix, mount.as_ref().unwrap_or(&""));
    let wants_page = errors::wants_page(request.uri().path(), request.headers());
    let about = About {
        page: state.page,
        method: request.method().clone(),
        path: format!("{prefix}{}", request.uri().path()),
        target: request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        wants_page,
        prefix: prefix.clone(),
        id: id.clone(),
        sign_in: !config.on_platform(),
        headers: if wants_page { request.headers().clone() } else { HeaderMap::new() },
    };
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(prefix);
    let span = tracing::info_span!("request", %id, method = %about.method, path = about.path);
    let answer = async {
        match mount {
            Err(error) => error.into_response(),
            Ok(_) => in_time(about.method.is_safe(), &allowance, db::for_request(shape::around(request, next))).await,
        }
    };
    let mut response = errors::render(&about, answer.instrument(span).await);
    finish(!config.on_platform(), response.headers_mut());
    if let Some(question) = question {
        response = state.answers.keep(question, response).await;
    }
    allowance.drain();
    let response = text::account(state.cache.budget(), &*state.cache.spare(), response).await;
    let mut response = response.unwrap_or_else(|error| {
        let mut response = errors::render(&about, error.into_response());
        finish(!config.on_platform(), response.headers_mut());
        response
    });
    name(&id, response.headers_mut());
    response
}

/// Turns a panic in a handler into that request's 500.
#[must_use]
pub fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().cloned().or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    Error::internal(format!("panic: {}", text.as_deref().unwrap_or("without a message"))).into_response()
}

/// What the middleware knows of the program inside.
#[derive(Clone)]
pub struct MiddlewareState {
    config: Arc<Config>,
    bodies: Bodies,
    cache: Cache,
    answers: Answers,
    requests: Arc<Requests>,
    page: ErrorPage,
}

/// The time in which a caller sends is not the handler's.
async fn in_time(only_reads: bool, allowance: &Allowance, answer: impl Future<Output = Response>) -> Response {
    let start = Instant::now();
    tokio::pin!(answer);
    loop {
        let until = start + TIMEOUT + allowance.reading();
        match timeout_at(until, &mut answer).await {
            Ok(response) => return response,
            Err(_) if start + TIMEOUT + allowance.reading() > until => {}
            Err(_) => {
                let outcome =
                    if only_reads { "try again" } else { "whether it was done is not known: look before you repeat it" };
                return Error::Unavailable(format!("this took too long; {outcome}")).into_response();
            }
        }
    }
}

/// Each answer names its request, also one that is sent again.
fn name(id: &RequestId, headers: &mut HeaderMap) {
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
}

/// What every answer says beside its own.
fn finish(standalone: bool, headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    if standalone {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
}

/// Puts the middleware around routes, with the page that shows failures: layers of the caller's (authentication) run inside it, after the panic fence.
pub fn wrap(routes: Routes, web: Web, page: ErrorPage, layers: impl FnOnce(Router<Web>) -> Router<Web>) -> Router {
    let (rooms, table) = routes.into_parts();
    let requests = Requests::of(&table);
    let rooms = rooms.fallback(routes::not_found).method_not_allowed_fallback(routes::method_not_allowed);
    let limits = &web.config.limits;
    let state = MiddlewareState {
        config: Arc::clone(&web.config),
        bodies: Bodies::new(limits.bodies, limits.body_patience),
        cache: web.cache.clone(),
        answers: web.answers.clone(),
        requests: Arc::clone(&requests),
        page,
    };
    let counted =
        layers(rooms.layer(Extension(Arc::clone(&requests)))).layer(middleware::from_fn_with_state(requests, metrics::count));
    let fenced = counted.with_state(web).layer(CatchPanicLayer::custom(panicked));
    Router::new().fallback_service(middleware::from_fn_with_state(state, around).layer(fenced))
}

#[cfg(test)]
#[path = "middleware_tests.rs"]
mod tests;
