//! What the pages before signing in share: their answers, their cookie, where they lead afterwards.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};

use super::Token;
use crate::{
    auth::cookie,
    error::{Error, Result},
    web::{Peer, Prefix},
};

/// A page as an answer that no cache keeps.
pub fn page(status: StatusCode, template: &impl Template) -> Result<Response> {
    let html = template.render().map_err(Error::internal)?;
    Ok((status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response())
}

/// Leads on with the token in the session cookie.
pub fn signed_in(token: &Token, next: &str, prefix: &Prefix, peer: &Peer, public_url: Option<&str>) -> Result<Response> {
    let value = cookie::set(&token.text, token.seconds, prefix.as_str(), is_secure(peer, public_url));
    to(&format!("{prefix}{}", local(next)), Some(value))
}

/// Leads on without a session.
pub fn signed_out(prefix: &Prefix, peer: &Peer, public_url: Option<&str>) -> Result<Response> {
    let value = cookie::clear(prefix.as_str(), is_secure(peer, public_url));
    to(&format!("{prefix}/login"), Some(value))
}

/// A redirect after a form, with a cookie if there is one to set.
pub fn to(location: &str, cookie: Option<String>) -> Result<Response> {
    let location = HeaderValue::from_str(location).map_err(Error::internal)?;
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    if let Some(value) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_str(&value).map_err(Error::internal)?);
    }
    Ok(response)
}

/// A path of ours to go to after signing in; anything that might lead elsewhere becomes the start page.
#[must_use]
pub fn local(next: &str) -> &str {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let inside = next.starts_with('/') && !next.starts_with("//");
    if plain && inside { next } else { "/" }
}

/// Whether the browser reaches us over TLS.
fn is_secure(peer: &Peer, public_url: Option<&str>) -> bool {
    peer.secure || public_url.is_some_and(|url| url.starts_with("https://"))
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn leads_nowhere_else() {
        for next in ["/companies/?q=a%20b&sort=-name", "/", "/x//y"] {
            assert_eq!(local(next), next);
        }
        for next in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "x", "/a\r\nb", "/a b", "javascript:x", "/ü"]
        {
            assert_eq!(local(next), "/", "{next:?}");
        }
    }
}
