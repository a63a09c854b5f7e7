//! What a token claims, and the rules that every claim must meet before anybody looks at the signature.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{Caller, Level, User};

/// How far two clocks may differ.
pub const LEEWAY_SECONDS: f64 = 60.0;

/// The claims of the platform's tokens (contract §3.2). A claim of the wrong JSON type, or one that
/// stands twice, makes the whole token invalid.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Claims {
    iss: String,
    sub: String,
    exp: f64,
    iat: Option<f64>,
    nbf: Option<f64>,
    /// Session id; tokens without a session have none.
    pub jti: Option<String>,
    name: Option<String>,
    email: Option<String>,
    preferred_username: Option<String>,
    permission_level: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    calling_service: Option<String>,
    target_service: Option<String>,
    #[serde(default)]
    aud: Option<Anything>,
}

/// A claim that must not be there, whatever its value.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(from = "IgnoredAny")]
struct Anything;

impl From<IgnoredAny> for Anything {
    fn from(_: IgnoredAny) -> Self {
        Self
    }
}

/// What we expect of a token.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Issuers whose tokens count.
    pub issuers: Vec<String>,
    /// Our own name among the services: another `target_service` is refused.
    pub service: String,
    /// Whether we issue them ourselves: then the session's row says whether a token stands, and nobody is
    /// signed out because our clock was set back.
    pub ours: bool,
}

impl Claims {
    /// Whether every rule but the signature is met at this moment (seconds since 1970). The reason is
    /// for the log; a client never learns it.
    pub fn check(&self, expected: &Expected, now: f64) -> Result<(), &'static str> {
        if !expected.issuers.contains(&self.iss) {
            return Err("issuer");
        }
        if self.aud.is_some() {
            return Err("audience: the platform's tokens have none");
        }
        self.check_times(expected.ours, now)?;
        if self.sub.trim().is_empty() {
            return Err("empty subject");
        }
        if self.target_service.as_ref().is_some_and(|target| *target != expected.service) {
            return Err("made for another service");
        }
        self.check_kind()
    }

    fn check_times(&self, ours: bool, now: f64) -> Result<(), &'static str> {
        let all = [Some(self.exp), self.iat, self.nbf];
        if all.into_iter().flatten().any(|time| !time.is_finite() || time < 0.0) {
            return Err("a time that is none");
        }
        if self.exp + LEEWAY_SECONDS <= now {
            return Err("expired");
        }
        let future = |time: Option<f64>| !ours && time.is_some_and(|time| time > now + LEEWAY_SECONDS);
        if future(self.iat) || self.iat.is_some_and(|iat| iat > self.exp) {
            return Err("issued in the future");
        }
        if future(self.nbf) {
            return Err("not valid yet");
        }
        Ok(())
    }

    /// A service token names its caller twice, alike, and carries no person; a person's token never
    /// looks like a service's. Whatever is in between belongs to neither.
    fn check_kind(&self) -> Result<(), &'static str> {
        let filled = |claim: &Option<String>| claim.as_ref().is_some_and(|text| !text.is_empty());
        match self.kind.as_deref() {
            Some("service") => match self.calling_service.as_deref() {
                Some(name) if is_service_name(name) && self.sub == format!("service:{name}") => {
                    let person = filled(&self.email) || filled(&self.preferred_username);
                    if person { Err("a service token that carries a person") } else { Ok(()) }
                }
                _ => Err("a service token without a consistent caller"),
            },
            None | Some("user" | "access") => {
                let service = self.sub.starts_with("service:") || filled(&self.calling_service);
                if service { Err("a user token that names a service") } else { Ok(()) }
            }
            Some(_) => Err("unknown type of token"),
        }
    }

    /// Whether this is the token's subject.
    #[must_use]
    pub fn is_about(&self, subject: &str) -> bool {
        self.sub == subject
    }

    /// The caller these claims describe, a client still without companies.
    #[must_use]
    pub fn caller(&self) -> Caller {
        if self.kind.as_deref() == Some("service") {
            return Caller::Service { name: self.calling_service.clone().unwrap_or_default() };
        }
        let text = |claim: &Option<String>| claim.clone().unwrap_or_default();
        Caller::User(User {
            sub: self.sub.clone(),
            name: text(&self.name),
            email: text(&self.email),
            username: text(&self.preferred_username),
            level: Level::from_claim(self.permission_level.as_deref()),
            jti: self.jti.clone(),
            companies: [].into(),
            known_at: self.iat.map(whole),
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a time that was checked to be finite and not negative")]
fn whole(seconds: f64) -> i64 {
    seconds as i64
}

/// Whether this may be the name of a service: letters, digits, `-`, `_` and `.`, at most 64 of them.
#[must_use]
pub fn is_service_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=64).contains(&name.len()) && name.chars().all(plain)
}

/// The claims of a token that Codex itself issues in stand-alone mode.
#[derive(Debug, Default, Serialize)]
pub struct Issued<'a> {
    /// Issuer.
    pub iss: &'a str,
    /// Stable id of the person, or `service:<name>`.
    pub sub: &'a str,
    /// The session, kept in the database.
    pub jti: &'a str,
    /// Issued at, in seconds.
    pub iat: i64,
    /// Valid until, in seconds.
    pub exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission_level: Option<Level>,
    /// `service` for a service's token.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'a str>,
    /// The service that calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calling_service: Option<&'a str>,
    /// The service that is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_service: Option<&'a str>,
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
