//! Why a vendor could not be asked: what was asked, what came back, in words without secrets.

use std::fmt;

/// What went wrong with a request for good, after all retries that are safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// 401 or 403 (400 where credentials are exchanged): the key is wrong or lacks rights; repeating would not help.
    Denied(u16, String),
    /// 404: a list is never missing, a single record may be.
    Missing,
    /// The account does not have this part of the product at all.
    Absent(String),
    /// 409: somebody else writes to the same record.
    Conflict(String),
    /// Another status that says the request itself is wrong.
    Refused(u16, String),
    /// 429 for longer than we are willing to wait.
    Limited(String),
    /// The vendor has shut us out for a while; asking again would make that longer.
    Blocked(String),
    /// No connection, or a time-out.
    Unreachable(String),
    /// An answer that is no answer: HTML, nothing, half of it, another shape, a server error.
    Broken(String),
    /// A write was sent and nobody knows what became of it: read before sending it again.
    Unknown(String),
}

/// A request that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which system ("Freshservice").
    pub service: &'static str,
    /// "GET", "PUT" or "POST".
    pub method: &'static str,
    /// The path that was asked, with its query, without host or credentials.
    pub path: String,
    /// What went wrong.
    pub cause: Cause,
    /// How often it was tried.
    pub attempts: u32,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.method, self.path)?;
        match &self.cause {
            Cause::Denied(status @ (400 | 401), said) => {
                write!(f, "was refused ({status}): the API key is not accepted{}", clause(said))?;
            }
            Cause::Denied(status, said) => write!(f, "was refused ({status}): the API key lacks the rights{}", clause(said))?,
            Cause::Missing => write!(f, "answered 404: there is nothing at this address, which for a list is an error")?,
            Cause::Absent(why) => write!(f, "found nothing: the account does not have {why}")?,
            Cause::Conflict(said) => write!(f, "answered 409: somebody else writes to the same record{}", clause(said))?,
            Cause::Refused(status, said) => write!(f, "answered {status}{}", clause(said))?,
            Cause::Limited(why) | Cause::Unreachable(why) | Cause::Broken(why) => write!(f, "failed: {why}")?,
            Cause::Blocked(why) => write!(f, "is not possible now: {why}")?,
            Cause::Unknown(why) => write!(f, "was sent, but its outcome is unknown: {why}")?,
        }
        if self.attempts > 1 {
            write!(f, " (tried {} times)", self.attempts)?;
        }
        advice(self.service, &self.cause).map_or(Ok(()), |advice| write!(f, "; {advice}"))
    }
}

/// What the person who set Codex up can do about it: which settings to look at.
#[must_use]
pub fn advice(service: &str, cause: &Cause) -> Option<&'static str> {
    let freshservice = service == "Freshservice";
    match cause {
        Cause::Denied(400 | 401, _) if freshservice => Some("check [freshservice] api_key"),
        Cause::Denied(400 | 401, _) => Some("check [datto] public_key and secret_key"),
        Cause::Unreachable(_) if freshservice => Some("check [freshservice] domain, and that this machine may reach it"),
        Cause::Unreachable(_) => Some("check [datto] api_endpoint, and that this machine may reach it"),
        _ => None,
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for crate::error::Error {
    fn from(fault: Fault) -> Self {
        Self::Upstream { service: fault.service, message: fault.to_string() }
    }
}

fn clause(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("; it said: {said}") }
}

/// A vendor's own words, short, printable and on one line, with every secret blotted out.
#[must_use]
pub fn quote(text: &str, secrets: &[&str]) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        words = words.replace(secret, "***");
    }
    words.chars().take(200).collect()
}
