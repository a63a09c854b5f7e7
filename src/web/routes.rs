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

use std::any::type_name;

use super::{Fields, OneOrMany, Preconditions, Query, Web, openapi::Describe, prefix::Prefix};
use crate::{auth, error::Error};

/// One route, as registered.
#[derive(Clone, Debug)]
pub struct RouteInfo {
    /// The path with its parameters in braces, without a mount prefix.
    pub path: &'static str,
    /// The method in capitals.
    pub method: &'static str,
    /// Whether it can be rehearsed: `dry_run=true`.
    pub rehearses: bool,
    /// Whether it asks who is calling.
    pub needs_caller: bool,
    /// Whether it reads members of a body.
    pub reads_body: bool,
    /// What the API description says of it.
    pub about: About,
}

/// What the API description says of a route.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// What it is for, in a line.
    pub summary: &'static str,
    /// The query parameters that it has beside those of every list: name, kind of value in JSON, what it does.
    pub parameters: Vec<(&'static str, &'static str, &'static str)>,
    /// The body that it takes.
    pub body: Option<Describe>,
    /// Whether that must be sent.
    pub needs_body: bool,
    /// What it answers.
    pub answer: Option<Describe>,
    /// Whether that is 201: something was made.
    pub creates: bool,
    /// Whether it answers nothing at all: 204.
    pub is_silent: bool,
    /// The media type of what it answers, where that is no JSON.
    pub media: Option<&'static str>,
    /// The media types of a file that it takes, where the body is no JSON.
    pub files: &'static [&'static str],
    /// What it answers with other statuses in shapes of their own: the status, when, what.
    pub others: Vec<(u16, &'static str, Describe)>,
}

/// Whether a handler asks who is calling. `T` is the tuple of what it takes.
fn needs_caller<T>() -> bool {
    let takes = type_name::<T>();
    let callers = [
        type_name::<auth::Admin>(),
        type_name::<auth::AdminPerson>(),
        type_name::<auth::Anyone>(),
        type_name::<auth::BillingEditor>(),
        type_name::<auth::BillingReader>(),
        type_name::<auth::Editor>(),
        type_name::<auth::Person>(),
        type_name::<auth::Reader>(),
        type_name::<auth::Staff>(),
    ];
    callers.iter().any(|caller| takes.contains(caller))
}

/// Whether a handler takes these conditions of a write, and so can be rehearsed. `T` is the tuple of what it takes.
fn rehearses<T>() -> bool {
    type_name::<T>().contains(type_name::<Preconditions>())
}

/// Whether a handler reads members of a body. `T` is the tuple of what it takes.
fn reads_body<T>() -> bool {
    let takes = type_name::<T>();
    [type_name::<Fields>(), type_name::<OneOrMany>()].iter().any(|body| takes.contains(body))
}

/// Refuses to rehearse what would be done: nothing is worse than a rehearsal that acts.
async fn refuse_rehearsal(query: Query, request: Request, next: Next) -> Result<Response, Error> {
    if query.is_rehearsal()? {
        return Err(Error::field("dry_run", "this cannot be rehearsed; nothing was done"));
    }
    Ok(next.run(request).await)
}

/// Collects routes of one room or of many; the only way in which rooms add routes.
#[derive(Default)]
pub struct Routes {
    router: Router<Web>,
    table: Vec<RouteInfo>,
    /// Where in the table that begins which was added last.
    last: usize,
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
        self.add::<T>("GET", path, false, routing::get(handler))
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
        let mut both = self.put(path, handler.clone()).patch(path, handler);
        both.last = both.table.len() - 2;
        both
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

    /// What the route added last is for, and what it answers.
    #[must_use]
    pub fn tells(self, summary: &'static str, answer: Describe) -> Self {
        self.describe(|about| (about.summary, about.answer) = (summary, Some(answer)))
    }

    /// The same of one that makes something: 201.
    #[must_use]
    pub fn makes(self, summary: &'static str, answer: Describe) -> Self {
        self.tells(summary, answer).describe(|about| about.creates = true)
    }

    /// What it does when it answers nothing: 204.
    #[must_use]
    pub fn does(self, summary: &'static str) -> Self {
        self.describe(|about| (about.summary, about.is_silent) = (summary, true))
    }

    /// What it answers in another format than JSON.
    #[must_use]
    pub fn sends(self, summary: &'static str, media: &'static str) -> Self {
        self.describe(|about| (about.summary, about.media) = (summary, Some(media)))
    }

    /// What it answers with this status, and when, where that is no [`Error`] as others have it.
    #[must_use]
    pub fn answers(self, status: u16, when: &'static str, answer: Describe) -> Self {
        self.describe(|about| about.others.push((status, when, answer)))
    }

    /// A file as its body, of one of these media types.
    #[must_use]
    pub fn takes_file(self, media: &'static [&'static str]) -> Self {
        self.describe(|about| about.files = media)
    }

    /// The body that it takes.
    #[must_use]
    pub fn takes(self, body: Describe) -> Self {
        self.describe(|about| (about.body, about.needs_body) = (Some(body), true))
    }

    /// The body that may be sent: without one it is as if no member of it were there.
    #[must_use]
    pub fn may_take(self, body: Describe) -> Self {
        self.describe(|about| about.body = Some(body))
    }

    /// Its own query parameters: name, kind of value, what it does. A kind is one of JSON's, `count` (a whole number, not
    /// negative), `loose` (a number of old clients: what is none counts as absent), `month`, `date`, `text` (not blank), a
    /// pattern (`^device-[0-9]+$`) or the possible words (`online|offline`), with `!` after it where the parameter must be sent.
    /// A parameter of the path may stand here too, for its kind.
    #[must_use]
    pub fn asks(self, parameters: &[(&'static str, &'static str, &'static str)]) -> Self {
        self.describe(|about| about.parameters.extend_from_slice(parameters))
    }

    fn describe(mut self, change: impl Fn(&mut About)) -> Self {
        self.table.iter_mut().skip(self.last).for_each(|route| change(&mut route.about));
        self
    }

    /// All routes of another room as well.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.last = self.table.len() + other.last;
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
        self.add::<T>(method, path, rehearses, methods)
    }

    fn add<T>(mut self, method: &'static str, path: &'static str, rehearses: bool, methods: MethodRouter<Web>) -> Self {
        let new = !self.table.iter().any(|route| route.path == path);
        if let (true, Some(bare)) = (new, path.strip_suffix('/').filter(|bare| !bare.is_empty())) {
            self.router = self.router.route(
                bare,
                routing::get(move |prefix: Prefix, query: RawQuery| std::future::ready(with_slash(path, &prefix, query))),
            );
        }
        self.last = self.table.len();
        self.table.push(RouteInfo {
            path,
            method,
            rehearses,
            needs_caller: needs_caller::<T>(),
            reads_body: reads_body::<T>(),
            about: About::default(),
        });
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
