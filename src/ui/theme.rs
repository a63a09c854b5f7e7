//! The look that a browser was last shown: for the pages that know nobody, signing in and failures.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

/// The cookie's name.
const NAME: &str = "codex_look";
/// How long a browser remembers, in seconds: a year.
const SECONDS: u32 = 365 * 24 * 60 * 60;

/// A theme and an accent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// `light`, `dark`, or empty for the system's choice.
    pub theme: String,
    /// One of the nine accents.
    pub color_theme: String,
}

impl Default for Theme {
    fn default() -> Self {
        Self { theme: String::new(), color_theme: "purple".to_owned() }
    }
}

impl Theme {
    /// What the browser remembers; anything odd is the default.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut ours =
            lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().strip_prefix(NAME)?.strip_prefix('='));
        let Some((theme, color)) = ours.find_map(|value| value.split_once('.')) else { return Self::default() };
        let known = matches!(theme, "" | "light" | "dark");
        let plain = (1..=12).contains(&color.len()) && color.bytes().all(|byte| byte.is_ascii_lowercase());
        if known && plain { Self { theme: theme.to_owned(), color_theme: color.to_owned() } } else { Self::default() }
    }

    /// The header value that makes a browser remember it.
    #[must_use]
    pub fn cookie(&self, prefix: &str) -> String {
        let path = if prefix.is_empty() { "/" } else { prefix };
        format!("{NAME}={}.{}; Path={path}; Max-Age={SECONDS}; HttpOnly; SameSite=Lax", self.theme, self.color_theme)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Theme {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(cookie: &str) -> Theme {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        Theme::of(&headers)
    }

    #[test]
    fn a_browser_remembers_what_it_was_shown() {
        let look = Theme { theme: "dark".into(), color_theme: "bee".into() };
        let cookie = look.cookie("/codex");
        assert_eq!(of(&format!("a=b; {}", cookie.split(';').next().unwrap())), look);
        for odd in ["codex_look=neon.bee", "codex_look=dark.\"x", "codex_look=dark", "codex_looks=dark.bee", "x=1"] {
            assert_eq!(of(odd), Theme::default(), "{odd}");
        }
    }
}
