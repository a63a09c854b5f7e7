//! What a read wants besides its path: query string, format, prefix, and what the caller already has.

use super::{Prefix, Query, answers::Keepable, etag, shape};
use crate::{
    auth::Caller,
    config::Config,
    error::{Error, Result},
};
use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Serialize;
use std::{convert::Infallible, sync::Arc};

/// The circumstances of a `GET`.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// The query string.
    pub query: Query,
    /// The path below the prefix.
    pub path: String,
    /// What links start with.
    pub prefix: Prefix,
    pub(super) headers: HeaderMap,
    caller: Option<Arc<Caller>>,
}

impl<S: Send + Sync> FromRequestParts<S> for ReadRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let query = Query::from_request_parts(parts, state).await?;
        let prefix = Prefix::from_request_parts(parts, state).await?;
        Ok(Self {
            query,
            path: parts.uri.path().to_owned(),
            prefix,
            headers: parts.headers.clone(),
            caller: parts.extensions.get().cloned(),
        })
    }
}

impl ReadRequest {
    /// Whether the caller may see everything of every record, and has not asked for less.
    #[must_use]
    pub fn sees_all(&self, config: &Config) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.is_cleared(config)) && !matches!(self.query.text("filter"), Ok(Some(_)))
    }

    /// Answers with one record, or 304 when the caller has exactly this answer.
    ///
    /// # Errors
    /// When the record cannot be written as JSON.
    pub fn row<T: Serialize>(&self, id: i64, rev: i64, record: &T) -> Result<Response> {
        let body = serde_json::to_vec(record).map_err(Error::internal)?;
        let etag = etag::of_row(id, rev, &body);
        self.tagged(&etag, || json(body))
    }

    /// Answers with any value, or 304 when the caller has exactly this answer.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn value<T: Serialize>(&self, value: &T) -> Result<Response> {
        let body = serde_json::to_vec(value).map_err(Error::internal)?;
        let etag = format!("\"{}\"", etag::hash(&[&body]));
        self.tagged(&etag, || counted(body))
    }

    /// Whether the caller has the answer of this tag.
    #[must_use]
    pub fn has(&self, etag: &str) -> bool {
        etag::is_known(&self.headers, &self.tag(etag))
    }

    /// Whether the caller has answers, by their tags. One who has any at all (`*`) has to be made one to know whether there is.
    pub(super) fn has_some(&self) -> bool {
        self.headers.get(header::IF_NONE_MATCH).is_some_and(|tags| tags != "*")
    }

    /// The tag of an answer in the shape that is asked for: with other fields, or as CSV, it is another one.
    fn tag(&self, etag: &str) -> String {
        let shape = shape::tag(&self.query, &self.headers);
        shape.map_or_else(|| etag.to_owned(), |shape| format!("{}{shape}\"", etag.trim_end_matches('"')))
    }

    /// An answer with its tag, or 304 when the caller has it.
    ///
    /// # Errors
    /// When the tag is no header value (it always is).
    pub fn tagged(&self, etag: &str, answer: impl FnOnce() -> Response) -> Result<Response> {
        let mut response = if self.has(etag) { StatusCode::NOT_MODIFIED.into_response() } else { answer() };
        response.headers_mut().insert(header::ETAG, HeaderValue::from_str(&self.tag(etag)).map_err(Error::internal)?);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept, Authorization, Cookie"));
        response.extensions_mut().insert(Keepable);
        Ok(response)
    }

    /// Whether the caller wants CSV rather than JSON.
    ///
    /// # Errors
    /// When `format` is neither.
    pub fn wants_csv(&self) -> Result<bool> {
        match self.query.text("format")? {
            Some("csv") => Ok(true),
            Some("json") => Ok(false),
            Some(_) => Err(Error::field("format", "must be json or csv")),
            None => Ok(shape::accepts_csv(&self.headers)),
        }
    }
}

/// Bytes that are JSON, as a response that says how many elements it has when they are an array.
#[must_use]
pub fn counted(body: impl Into<Bytes>) -> Response {
    let body = body.into();
    let count = shape::elements(&body);
    let mut response = json(body);
    if let Some(count) = count {
        response.headers_mut().insert("x-total-count", count.into());
    }
    response
}

/// Bytes that are JSON, as a response.
#[must_use]
pub fn json(body: impl Into<Bytes>) -> Response {
    json_body(Body::from(body.into()))
}

/// A body that is JSON, as a response.
#[must_use]
pub fn json_body(body: Body) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
