//! The session cookie of stand-alone mode. It is never named `session`: that one is Nexus's.

use axum::http::{HeaderMap, header};

pub const NAME: &str = "codex_session";

/// The token in the session cookie. Of several, browsers send the one with the longest path first.
#[must_use]
pub fn token(headers: &HeaderMap) -> Option<&str> {
    read(headers, NAME)
}

/// The first cookie of this name that holds anything.
#[must_use]
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut named =
        lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='));
    named.find(|value| !value.is_empty())
}

/// The header value that stores a token in the browser until it ends. `path` is the prefix under which
/// the browser sees us, `secure` whether its connection is encrypted.
#[must_use]
pub fn set(token: &str, seconds: i64, path: &str, secure: bool) -> String {
    put(NAME, token, seconds, path, secure)
}

/// The same of another cookie that no script reads.
#[must_use]
pub fn put(name: &str, value: &str, seconds: i64, path: &str, secure: bool) -> String {
    let path = if path.is_empty() { "/" } else { path };
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// The header value that makes the browser forget the token.
#[must_use]
pub fn clear(path: &str, secure: bool) -> String {
    set("", 0, path, secure)
}
