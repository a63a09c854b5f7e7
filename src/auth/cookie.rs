//! The session cookie of stand-alone mode. It is never named `session`: that one is Nexus's.

use axum::http::{HeaderMap, header};

pub const NAME: &str = "codex_session";

/// The token in the session cookie. Of several, browsers send the one with the longest path first.
#[must_use]
pub fn token(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut ours =
        lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().strip_prefix(NAME)?.strip_prefix('='));
    ours.find(|token| !token.is_empty())
}

/// The header value that stores a token in the browser until it ends. `path` is the prefix under which
/// the browser sees us, `secure` whether its connection is encrypted.
#[must_use]
pub fn set(token: &str, seconds: i64, path: &str, secure: bool) -> String {
    let path = if path.is_empty() { "/" } else { path };
    let secure = if secure { "; Secure" } else { "" };
    format!("{NAME}={token}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// The header value that makes the browser forget the token.
#[must_use]
pub fn clear(path: &str, secure: bool) -> String {
    set("", 0, path, secure)
}
