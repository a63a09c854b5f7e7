//! Under which path the browser sees us: every link and redirect starts with it.

use crate::error::Error;
use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts, uri::PathAndQuery},
};
use std::{convert::Infallible, fmt, sync::Arc};

/// Where the whole program is mounted a second time, for callers that know it by its platform address.
pub const MOUNT: &str = "/codex";

/// The path before ours, without a slash at its end: `""` or, behind Nexus, `"/codex"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix(Arc<str>);

impl Prefix {
    /// The prefix that a trusted proxy took off (if any) and the mount that we took off (if any).
    #[must_use]
    pub fn new(forwarded: &str, mount: &str) -> Self {
        let forwarded = plain(forwarded);
        if forwarded == mount { Self(mount.into()) } else { Self(format!("{forwarded}{mount}").into()) }
    }

    /// As text, ready to be put before a path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Prefix {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// A forwarded prefix as links need it, however the proxy spells it (`/codex/`, `codex`, `//codex`): nothing,
/// or a slash before each of its segments. One in which anything could lead out of a link is nothing.
fn plain(prefix: &str) -> String {
    let prefix = prefix.trim();
    let is_sane = |segment: &&str| {
        !matches!(*segment, "." | "..") && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    };
    let segments: Vec<&str> = prefix.split('/').filter(|segment| !segment.is_empty()).collect();
    // Two slashes and a name with a dot are meant as another host.
    let is_host = prefix.starts_with("//") && segments.first().is_some_and(|segment| segment.contains('.'));
    if prefix.len() > 100 || is_host || !segments.iter().all(is_sane) {
        return String::new();
    }
    segments.iter().flat_map(|segment| ["/", segment]).collect()
}

/// Takes [`MOUNT`] off the front of an address; tells what was taken off.
///
/// # Errors
/// When the shorter address is no address (cannot happen for one that the server accepted).
pub fn strip_mount(uri: &mut Uri) -> Result<&'static str, Error> {
    let path_and_query = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let Some(rest) = path_and_query.strip_prefix(MOUNT) else { return Ok("") };
    let shorter = match rest.bytes().next() {
        Some(b'/') => rest.to_owned(),
        None | Some(b'?') => format!("/{rest}"),
        Some(_) => return Ok(""),
    };
    *uri = shorter.parse().map_err(|_| Error::BadRequest("the address cannot be understood".to_owned()))?;
    Ok(MOUNT)
}

#[cfg(test)]
#[path = "prefix_tests.rs"]
mod tests;
