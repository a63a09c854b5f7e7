//! Sends a write to the database under the conditions that its request names: `If-Match`,
//! `Idempotency-Key`, `dry_run=true`, `pin=true`.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use serde::Serialize;
use serde_json::Value;

use super::{Fields, Prefix, Query, Web, disclosure::Readings, etag, idempotency_store as store, read_request};
use crate::{
    auth::Caller,
    db::Write,
    error::{Error, Result},
    types::{Actor, ActorKind, Scope},
};

/// The longest key that a caller may choose.
const MAX_KEY: usize = 200;

/// What a request writes; one type for all, so that the way there is compiled once.
type Work = Box<dyn FnOnce(&mut Write<'_>) -> Result<Reply> + Send>;

/// What a write answers once it is committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// 200 or 201.
    pub status: StatusCode,
    /// The JSON body.
    pub body: Value,
    /// The record's tag.
    pub etag: Option<String>,
    /// Where the new record is, below the prefix.
    pub location: Option<String>,
}

impl Reply {
    /// 200 with a body.
    ///
    /// # Errors
    /// When the body cannot be written as JSON.
    pub fn ok<T: Serialize>(body: &T) -> Result<Self> {
        let body = serde_json::to_value(body).map_err(Error::internal)?;
        Ok(Self { status: StatusCode::OK, body, etag: None, location: None })
    }

    /// 201 with a body, for something that is now at this path.
    ///
    /// # Errors
    /// When the body cannot be written as JSON.
    pub fn created<T: Serialize>(body: &T, location: impl Into<String>) -> Result<Self> {
        Ok(Self { status: StatusCode::CREATED, location: Some(location.into()), ..Self::ok(body)? })
    }

    /// The same with the record's id and revision as its tag.
    #[must_use]
    pub fn tagged(self, id: i64, rev: i64) -> Self {
        Self { etag: Some(etag::of_rev(id, rev)), ..self }
    }

    /// The same with one more member in the body, in front of the others.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Value::Object(members) = &mut self.body {
            members.shift_insert(0, name.to_owned(), value.into());
        }
        self
    }
}

/// The conditions that the request of a write names.
#[derive(Clone, Debug)]
pub struct Preconditions {
    key: Option<String>,
    dry_run: bool,
    pin: bool,
    route: String,
    prefix: Prefix,
    headers: HeaderMap,
    query: Query,
    /// What the caller may see, in a word: an answer that was kept for one is not given to another.
    rights: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Preconditions {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        Ok(Self {
            key: key(&parts.headers)?,
            dry_run: query.is_rehearsal()?,
            pin: query.is_on("pin")?,
            route: format!("{} {}", parts.method, parts.uri),
            prefix: parts.extensions.get::<Prefix>().cloned().unwrap_or_default(),
            headers: parts.headers.clone(),
            rights: parts.extensions.get::<Arc<Caller>>().map(|caller| rights(caller)).unwrap_or_default(),
            query,
        })
    }
}

fn rights(caller: &Caller) -> String {
    format!("{:?}{:?}", caller.level(), caller.scope())
}

fn key(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().map(str::trim).unwrap_or_default();
    if text.is_empty() || text.len() > MAX_KEY {
        return Err(Error::field("Idempotency-Key", format!("must be 1 to {MAX_KEY} printable ASCII characters")));
    }
    Ok(Some(text.to_owned()))
}

impl Preconditions {
    /// The query string of the request.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The same one, pinning what they write when that was asked for.
    #[must_use]
    pub fn pinning(&self, actor: Actor) -> Actor {
        Actor { pins: actor.pins || self.pin, ..actor }
    }

    /// Whether nothing is to be done: `dry_run=true`.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        self.dry_run
    }

    /// The revision that `If-Match` expects of a record; to be compared inside the write.
    ///
    /// # Errors
    /// `PreconditionFailed` when the header names something else.
    pub fn rev(&self, id: i64) -> Result<Option<i64>> {
        etag::expected_rev(&self.headers, id)
    }

    /// Refuses unless `If-Match`, when sent, names this version.
    ///
    /// # Errors
    /// `PreconditionFailed`.
    pub fn check(&self, id: i64, rev: i64) -> Result<()> {
        match self.rev(id)? {
            Some(expected) if expected != rev => Err(Error::PreconditionFailed),
            _ => Ok(()),
        }
    }

    /// Runs the write and answers after its commit; the same key again answers the same without a
    /// second write. The fields are those of the body, so that a key cannot stand for two requests.
    ///
    /// # Errors
    /// Those of the write; a conflict when the key stood for another request.
    pub async fn run<F>(&self, web: &Web, scope: &Scope, actor: &Actor, body: &str, work: F) -> Result<Response>
    where
        F: FnOnce(&mut Write<'_>) -> Result<Reply> + Send + 'static,
    {
        self.run_once(web, scope, actor, body, Box::new(work)).await
    }

    async fn run_once(&self, web: &Web, scope: &Scope, actor: &Actor, body: &str, work: Work) -> Result<Response> {
        let actor = self.pinning(actor.clone());
        if self.dry_run {
            let reply = web.db.dry_run(scope, &actor, work).await?;
            let reply = Reply { status: StatusCode::OK, etag: None, location: None, ..reply.with("dry_run", true) };
            return self.response(&reply, false);
        }
        let Some(key) = self.key.clone() else {
            let reply = web.db.write(scope, &actor, work).await?;
            return self.response(&reply, false);
        };
        let caller = format!("{}:{}", actor.kind.as_str(), actor.name);
        let cleared = web.config.compliance.cleared_services.contains(&actor.name.to_lowercase());
        let rights = format!("{}{}", self.rights, cleared && actor.kind == ActorKind::Service);
        let request = etag::hash(&[self.route.as_bytes(), body.as_bytes(), rights.as_bytes()]);
        let readings = Readings::current();
        let (reply, replayed) = web
            .db
            .write(scope, &actor, move |w| {
                if let Some((reply, shown)) = store::find(w, &caller, &key, &request)? {
                    shown.into_iter().for_each(|(entity, ids)| readings.note(entity, ids));
                    return Ok((reply, true));
                }
                let reply = work(w)?;
                store::keep(w, &caller, &key, &request, &reply, &readings.so_far())?;
                Ok((reply, false))
            })
            .await?;
        self.response(&reply, replayed)
    }

    fn response(&self, reply: &Reply, replayed: bool) -> Result<Response> {
        let mut response = read_request::json(serde_json::to_vec(&reply.body).map_err(Error::internal)?);
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        let value = |text: &str| HeaderValue::from_str(text).map_err(Error::internal);
        if let Some(etag) = &reply.etag {
            headers.insert(header::ETAG, value(etag)?);
        }
        if let Some(location) = &reply.location {
            headers.insert(header::LOCATION, value(&format!("{}{location}", self.prefix))?);
        }
        if replayed {
            headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        }
        Ok(response)
    }
}

impl Fields {
    /// Tells this body from others, for [`Preconditions::run`].
    #[must_use]
    pub fn digest(&self) -> String {
        etag::hash_of(self.map())
    }
}
