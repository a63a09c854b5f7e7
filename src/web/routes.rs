//! A router that remembers what it routes, so that tests can hold every route against a table.

use axum::{
    Router,
    extract::{RawQuery, Request},
    handler::Handler,
    http::{StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{self, MethodRouter},
};

use super::{Preconditions, Query, Web, prefix::Prefix};
use crate::error::Error;

/// One route, as registered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteInfo {
    /// The path with its parameters in braces, without a mount prefix.
    pub path: &'static str,
    /// The method in capitals.
    pub method: &'static str,
    /// Whether it can be rehearsed: `dry_run=true`.
    pub rehearses: bool,
}

/// Whether a handler takes these conditions of a write, and so can be rehearsed. `T` is the tuple of what it takes.
fn rehearses<T>() -> bool {
    std::any::type_name::<T>().contains(std::any::type_name::<Preconditions>())
}

/// Refuses to rehearse what would be done: nothing is worse than a rehearsal that acts.
async fn refuse_rehearsal(query: Query, request: Request, next: Next) -> Result<Response, Error> {
    if query.is_on("dry_run")? {
        return Err(Error::field("dry_run", "this cannot be rehearsed; nothing was done"));
    }
    Ok(next.run(request).await)
}

/// Collects routes of one room or of many; the only way in which rooms add routes.
#[derive(Default)]
pub struct Routes {
    router: Router<Web>,
    table: Vec<RouteInfo>,
}

impl Routes {
    /// No routes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `GET`, and with it `HEAD`.
    #[must_use]
    pub fn get<H: Handler<T, Web>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add("GET", path, false, routing::get(handler))
    }

    /// `POST`.
    #[must_use]
    pub fn post<H: Handler<T, Web>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.write::<T>("POST", path, routing::post(handler))
    }

    /// `PUT`.
    #[must_use]
    pub fn put<H: Handler<T, Web>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.write::<T>("PUT", path, routing::put(handler))
    }

    /// `PATCH`; never the only way to do something, because Nexus does not forward it.
    #[must_use]
    pub fn patch<H: Handler<T, Web>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.write::<T>("PATCH", path, routing::patch(handler))
    }

    /// `PUT` and `PATCH`, which mean the same here: the fields sent.
    #[must_use]
    pub fn update<H: Handler<T, Web>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.put(path, handler.clone()).patch(path, handler)
    }

    /// `DELETE`.
    #[must_use]
    pub fn delete<H: Handler<T, Web>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.write::<T>("DELETE", path, routing::delete(handler))
    }

    /// `POST` of a form that stands on another page. A refused one answers in place, at its own address, so a
    /// reload of that address leads to the page again instead of "method not allowed". `page` may name
    /// parameters of `path`.
    #[must_use]
    pub fn form<H: Handler<T, Web>, T: 'static>(mut self, path: &'static str, page: &'static str, handler: H) -> Self {
        let back = move |prefix: Prefix, uri: Uri| std::future::ready(to_page(path, page, &prefix, &uri));
        self.router = self.router.route(path, routing::get(back));
        self.post(path, handler)
    }

    /// All routes of another room as well.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.table.extend(other.table);
        self.router = self.router.merge(other.router);
        self
    }

    /// The router and the table of what is in it.
    pub fn into_parts(self) -> (Router<Web>, Vec<RouteInfo>) {
        (self.router, self.table)
    }

    fn write<T>(self, method: &'static str, path: &'static str, methods: MethodRouter<Web>) -> Self {
        let rehearses = rehearses::<T>();
        let methods = if rehearses { methods } else { methods.layer(middleware::from_fn(refuse_rehearsal)) };
        self.add(method, path, rehearses, methods)
    }

    fn add(mut self, method: &'static str, path: &'static str, rehearses: bool, methods: MethodRouter<Web>) -> Self {
        let new = !self.table.iter().any(|route| route.path == path);
        if let (true, Some(bare)) = (new, path.strip_suffix('/').filter(|bare| !bare.is_empty())) {
            self.router = self.router.route(
                bare,
                routing::get(move |prefix: Prefix, query: RawQuery| std::future::ready(with_slash(path, &prefix, query))),
            );
        }
        self.table.push(RouteInfo { path, method, rehearses });
        self.router = self.router.route(path, methods);
        self
    }
}

/// `/companies` answers with the address of `/companies/`, as the service that we replace did.
fn with_slash(path: &'static str, prefix: &Prefix, RawQuery(query): RawQuery) -> Response {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, format!("{prefix}{path}{query}"))]).into_response()
}

/// The page of a form, from the address to which the form is posted.
fn to_page(path: &str, page: &str, prefix: &Prefix, uri: &Uri) -> Response {
    let sent: Vec<(&str, &str)> = path.split('/').zip(uri.path().split('/')).collect();
    let filled: Vec<&str> = page
        .split('/')
        .map(|part| sent.iter().find(|(name, _)| *name == part && part.starts_with('{')).map_or(part, |(_, value)| value))
        .collect();
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("{prefix}{}", filled.join("/")))]).into_response()
}

/// What an address without a route answers.
pub async fn not_found() -> Error {
    Error::NotFound { what: "Page" }
}

/// What a known address answers to a method it does not have.
pub async fn method_not_allowed() -> Error {
    Error::MethodNotAllowed
}
