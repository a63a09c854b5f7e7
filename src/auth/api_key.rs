//! An API key: what a person gives a program of theirs, and how far it reaches.

use std::sync::OnceLock;

use axum::http::Method;
use serde::Serialize;

use crate::{db::Conn, error::Result};

/// What every key begins with: it tells a key from a token, and a leak scanner what it has found.
pub const PREFIX: &str = "codex_";
/// How much of a key is kept to recognise it by.
pub const BEGINNING: usize = PREFIX.len() + 4;

/// What the higher layers know of records: which kinds there are, and which a route is about. `app` hands it down.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// Every kind of record that a key can be limited to, with what people call one.
    pub types: fn() -> Vec<(&'static str, &'static str)>,
    /// The kinds that a route reads or writes; none when it is about anything beside records.
    pub of_route: fn(&str) -> Vec<&'static str>,
    /// What a key must be limited to that may stand in the address of a route, under `key`; none where keys come in headers.
    pub in_address: fn(&str) -> Option<&'static str>,
    /// The company with this account number within the reader's scope.
    pub company: fn(&mut Conn, &str) -> Result<Option<i64>>,
}

/// Kinds of records, with what people call them.
pub type Types = Vec<(&'static str, &'static str)>;

static TYPES: OnceLock<fn() -> Types> = OnceLock::new();

/// Says which kinds of records those are, before the API is described; the first call counts.
pub fn register(types: fn() -> Types) {
    TYPES.get_or_init(|| types);
}

/// The words for those kinds.
#[must_use]
pub fn types() -> Vec<&'static str> {
    TYPES.get().map(|types| types().into_iter().map(|(name, _)| name).collect()).unwrap_or_default()
}

/// What a key was limited to when it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Whether it changes anything.
    pub writes: bool,
    /// The kinds of records it reaches; none stands for all, and for everything else.
    pub types: Option<Vec<String>>,
    /// The companies whose records it reaches; none stands for all, and for everything else.
    pub companies: Option<Vec<i64>>,
}

impl Limits {
    /// Whether it reads this kind and nothing else.
    #[must_use]
    pub fn only_read(&self, kind: &str) -> bool {
        !self.writes && self.types.as_ref().is_some_and(|types| types.iter().all(|known| known == kind) && !types.is_empty())
    }

    /// Whether a request is within these limits; says why not.
    pub fn allow(&self, reach: Reach, method: &Method, route: &str) -> Result<(), String> {
        if !self.writes && !method.is_safe() {
            return Err("This API key only reads".to_owned());
        }
        if self.types.is_none() && self.companies.is_none() {
            return Ok(());
        }
        let needed = (reach.of_route)(route);
        if needed.is_empty() {
            return Err("This API key is limited to some records, and this is about more than those".to_owned());
        }
        match &self.types {
            Some(types) if !needed.iter().all(|kind| types.iter().any(|known| known == kind)) => {
                Err(format!("This API key is limited to records of these types: {}", types.join(", ")))
            }
            _ => Ok(()),
        }
    }
}

/// What has become of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ApiKeyState)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It can be used.
    Active,
    /// It is past its time.
    Expired,
    /// Somebody has revoked it.
    Revoked,
    /// Whoever made it may not use Codex any more.
    OwnerDisabled,
}

/// A key as its owner and administrators see it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ApiKey {
    pub id: i64,
    pub name: String,
    /// How the key begins.
    pub starts_with: String,
    /// Sign-in name of whoever made it.
    pub owner: String,
    /// The subject of their tokens.
    #[serde(skip)]
    pub subject: String,
    /// `read` or `read-write`.
    pub access: &'static str,
    /// The kinds of records it is limited to.
    pub types: Option<Vec<String>>,
    /// Account numbers of the companies it is limited to, as far as they are in use.
    pub companies: Option<Vec<String>>,
    pub state: State,
    pub created_at: String,
    pub expires_at: String,
    /// To the minute.
    pub last_used_at: Option<String>,
    pub revoked_at: Option<String>,
}

/// The words for what a key may do.
pub const ACCESS: [&str; 2] = ["read", "read-write"];

#[cfg(test)]
mod tests {
    use super::*;

    fn of_route(route: &str) -> Vec<&'static str> {
        match route {
            "/api/assets" => vec!["asset"],
            "/api/companies/bulk" => vec!["company", "asset"],
            _ => Vec::new(),
        }
    }

    #[test]
    fn limits_add_up() {
        let reach = Reach { types: Vec::new, of_route, in_address: |_| None, company: |_, _| Ok(None) };
        let allows = |limits: &Limits, method: Method, route: &str| limits.allow(reach, &method, route).is_ok();
        let all = Limits { writes: true, ..Limits::default() };
        assert!(allows(&all, Method::POST, "/api/sync") && allows(&Limits::default(), Method::HEAD, "/api/sync"));
        assert!(!allows(&Limits::default(), Method::DELETE, "/api/assets"));
        let assets = Limits { types: Some(vec!["asset".to_owned()]), ..all.clone() };
        assert!(allows(&assets, Method::PUT, "/api/assets"));
        assert!(!allows(&assets, Method::GET, "/api/companies/bulk") && !allows(&assets, Method::GET, "/api/changes"));
        let tenant = Limits { companies: Some(vec![1]), ..all };
        assert!(allows(&tenant, Method::GET, "/api/companies/bulk") && !allows(&tenant, Method::GET, "/api/changes"));
        let nothing = Limits { types: Some(Vec::new()), ..Limits::default() };
        assert!(!allows(&nothing, Method::GET, "/api/assets"));
    }
}
