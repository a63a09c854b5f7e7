//! Our own `Path` and `Query`, so that bad input always yields our own error.

use super::{encode_segment, form};
use crate::error::{Error, Result};
use axum::{
    extract::{FromRequestParts, RawPathParams, path::ErrorKind, rejection::PathRejection},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use std::convert::Infallible;

/// The parameter with which a write is only rehearsed.
const DRY_RUN: &str = "dry_run";

/// The parameters of the path; what cannot be one (letters for a number) is 404.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        if let Ok(raw) = RawPathParams::from_request_parts(parts, state).await
            && let Some((name, _)) = raw.iter().find(|(_, value)| value.contains('\0'))
        {
            return Err(Error::field(name, "must not contain a NUL character"));
        }
        let axum::extract::Path(value) = axum::extract::Path::from_request_parts(parts, state).await.map_err(rejected)?;
        Ok(Self(value))
    }
}

fn rejected(rejection: PathRejection) -> Error {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
        return Error::internal("a route without parameters");
    };
    match failed.into_kind() {
        ErrorKind::InvalidUtf8InPathParam { key } => Error::field(key, "must be valid UTF-8"),
        ErrorKind::ParseError { .. } | ErrorKind::ParseErrorAtIndex { .. } | ErrorKind::ParseErrorAtKey { .. } => {
            Error::NotFound { what: "Resource" }
        }
        other => Error::internal(other),
    }
}

/// One parameter of the query string: its text, or why it cannot be read.
type Param = (String, Result<String, &'static str>);

/// The query string: every parameter may be asked for, unknown ones are ignored (contract §0).
#[derive(Clone, Debug, Default)]
pub struct Query {
    params: Vec<Param>,
}

impl Query {
    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// Reads a query string; never fails, because a parameter that nobody asks for does not matter.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((form::decode(name.as_bytes()).ok()?, form::decode(value.as_bytes())))
        });
        Self { params: pairs.collect() }
    }

    /// A parameter's first value; what cannot be read counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name)?.1.as_deref().ok()
    }

    /// A parameter's first value, trimmed; empty counts as absent.
    ///
    /// # Errors
    /// When it is not UTF-8 or holds a NUL.
    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        let Some((_, value)) = self.params.iter().find(|(known, _)| known == name) else { return Ok(None) };
        let value = value.as_deref().map_err(|why| Error::field(name, *why))?.trim();
        Ok(Some(value).filter(|value| !value.is_empty()))
    }

    /// The same as it stands behind an address, with its `?`; without what cannot be read.
    #[must_use]
    pub fn encoded(&self) -> String {
        let readable = self.params.iter().filter_map(|(name, value)| Some((name, value.as_ref().ok()?)));
        let pairs: Vec<String> =
            readable.map(|(name, value)| format!("{}={}", encode_segment(name), encode_segment(value))).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }

    /// An integer as old clients send it: anything that is none is the default.
    #[must_use]
    pub fn int_or(&self, name: &str, default: i64) -> i64 {
        self.get(name).and_then(|value| value.trim().parse().ok()).unwrap_or(default)
    }

    /// A whole number that is not negative; empty counts as absent.
    ///
    /// # Errors
    /// `Invalid` for anything else, naming the parameter.
    pub fn count(&self, name: &str) -> Result<Option<i64>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let number = text.parse::<i64>().ok().filter(|number| *number >= 0);
        number.map(Some).ok_or_else(|| Error::field(name, "must be a whole number, 0 or more"))
    }

    /// Whether a switch is on: `true`, `1`, `yes` or `on`. A word that is neither yes nor no is an error,
    /// because a misspelt `dry_run` must not write.
    ///
    /// # Errors
    /// `Invalid`, naming the switch.
    pub fn is_on(&self, name: &str) -> Result<bool> {
        let said = |words: [&str; 4], value: &str| words.iter().any(|word| value.trim().eq_ignore_ascii_case(word));
        match self.text(name)? {
            None => Ok(false),
            Some(value) if said(["true", "1", "yes", "on"], value) => Ok(true),
            Some(value) if said(["false", "0", "no", "off"], value) => Ok(false),
            Some(_) => Err(Error::field(name, "must be true or false")),
        }
    }

    /// Whether what is asked for is only rehearsed: `dry_run=true`, and also `dry_run` without a word behind it, because whoever
    /// writes that does not want it done.
    ///
    /// # Errors
    /// `Invalid` for a word that is neither yes nor no.
    pub fn is_rehearsal(&self) -> Result<bool> {
        Ok(self.is_on(DRY_RUN)? || self.get(DRY_RUN).is_some_and(|value| value.trim().is_empty()))
    }

    /// Every parameter in the order sent, as [`Self::text`] would judge it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Result<&str>)> {
        self.params.iter().map(|(name, value)| (name.as_str(), value.as_deref().map_err(|why| Error::field(name.clone(), *why))))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

#[cfg(test)]
#[path = "extract_tests.rs"]
mod tests;
