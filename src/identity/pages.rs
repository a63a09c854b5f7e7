//! What the pages before signing in share: their answers, their cookie, where they lead afterwards.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};

use super::Token;
use crate::{
    auth::cookie,
    error::{Error, FieldError, Result},
    ui::{self, Field, Page, Theme, filters},
    web::{Peer, Prefix},
};

/// A page with one form in front of everything else: signing in, the first administrator.
#[derive(Debug, Template)]
#[template(path = "door.html")]
pub struct Door {
    /// What stands around it.
    pub page: Page,
    /// What the form is for.
    pub lead: &'static str,
    /// A word about what just happened.
    pub note: &'static str,
    /// What is wrong, beyond single fields.
    pub problems: Vec<String>,
    /// What is filled in.
    pub fields: Vec<Field>,
    /// What is sent along unseen.
    pub hidden: Vec<(&'static str, String)>,
    /// Where the form goes.
    pub action: String,
    /// What its button says.
    pub save: &'static str,
    /// Other ways on, each an address and what its button says.
    pub links: Vec<(String, String)>,
}

impl Door {
    /// An empty form that is sent to `path`.
    #[must_use]
    pub fn new(prefix: &Prefix, theme: &Theme, title: &'static str, path: &str, save: &'static str) -> Self {
        let page = Page::outside(prefix.as_str(), true, title).themed(theme);
        let action = page.url(path);
        Self {
            page,
            lead: "",
            note: "",
            problems: Vec::new(),
            fields: Vec::new(),
            hidden: Vec::new(),
            action,
            save,
            links: Vec::new(),
        }
    }

    /// With these fields, the first one that is wrong (or else the first) under the cursor.
    #[must_use]
    pub fn with(mut self, fields: Vec<Field>, errors: &[FieldError]) -> Self {
        self.fields = fields;
        self.problems.extend(ui::form::place_errors(&mut self.fields, errors));
        let at = self.fields.iter().position(|field| field.error.is_some()).unwrap_or(0);
        if let Some(field) = self.fields.get_mut(at) {
            field.autofocus = true;
        }
        self
    }
}

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
    to(&format!("{prefix}/login?signed_out=1"), Some(value))
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

/// Why somebody who is not known yet gets no further, in words for them.
#[must_use]
pub fn refusal(error: &Error) -> String {
    match error {
        Error::TooMany { retry_after } if *retry_after > 90 => {
            format!("Too many attempts. Try again in {} minutes.", retry_after.div_ceil(60))
        }
        Error::TooMany { retry_after } => format!("Too many attempts. Try again in {retry_after} seconds."),
        Error::Forbidden(words) => words.clone(),
        _ => "The user name or the password is wrong.".to_owned(),
    }
}

/// A path of ours to go to after signing in; anything that might lead elsewhere becomes the start page.
#[must_use]
pub fn local(next: &str) -> &str {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let inside = next.starts_with('/') && !next.starts_with("//");
    if plain && inside { next } else { "/" }
}

/// The address under which people reach us, without a slash at the end.
#[must_use]
pub fn base(prefix: &Prefix, peer: &Peer, public_url: Option<&str>) -> String {
    peer.base(prefix.as_str(), public_url)
}

/// Whether the browser reaches us over TLS.
#[must_use]
pub fn is_secure(peer: &Peer, public_url: Option<&str>) -> bool {
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
