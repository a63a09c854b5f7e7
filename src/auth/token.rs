//! Takes a compact JWT apart: strict about its form, deaf to whatever its header suggests.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{Claims, keys::Key};

/// Longer tokens are refused unread; the platform's have about a thousand bytes, but name every group of a user.
const LONGEST: usize = 16 * 1024;

/// Only these members of the header are read. `jku`, `jwk`, `x5u` and `x5c` would let a token bring
/// its own key; nothing here looks at them.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    b64: Option<bool>,
    #[serde(default)]
    zip: Option<serde::de::IgnoredAny>,
}

/// A token that has the right form. Nothing in it has been proved.
#[derive(Debug)]
pub struct Token<'a> {
    /// The name of the key that is said to have signed it.
    pub kid: String,
    /// What it claims.
    pub claims: Claims,
    message: &'a str,
    signature: &'a str,
}

impl<'a> Token<'a> {
    /// Reads the three parts. The reason of a failure is for the log.
    pub fn parse(text: &'a str) -> Result<Self, &'static str> {
        if text.len() > LONGEST {
            return Err("too long");
        }
        let (message, signature) = text.rsplit_once('.').ok_or("no parts")?;
        let (header, payload) = message.split_once('.').ok_or("too few parts")?;
        if payload.contains('.') {
            return Err("too many parts");
        }
        let header: Header = part(header)?;
        if header.alg != "RS256" {
            return Err("algorithm");
        }
        if header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err("not a JWT");
        }
        if header.crit.is_some() || header.zip.is_some() || header.b64 == Some(false) {
            return Err("an extension we do not know");
        }
        Ok(Self { kid: header.kid, claims: part(payload)?, message, signature })
    }

    /// Whether this key signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &Key) -> bool {
        key.kid == self.kid && key.verifies(self.message, self.signature)
    }
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| "not base64url")?;
    if !bytes.starts_with(b"{") {
        return Err("not an object");
    }
    serde_json::from_slice(&bytes).map_err(|_| "not the JSON we expect")
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
