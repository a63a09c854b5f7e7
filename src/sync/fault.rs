//! Why a vendor could not be asked: what was asked, what came back, in words without secrets.

use std::fmt;

/// What went wrong with a request for good, after all retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// 401 or 403: the key is wrong or lacks rights; repeating would not help.
    Denied(u16, String),
    /// 404 where there must be something: a list is never missing.
    Missing,
    /// Another status that says the request itself is wrong.
    Refused(u16, String),
    /// 429 for longer than we are willing to wait.
    Limited(String),
    /// No connection, or a time-out.
    Unreachable(String),
    /// An answer that is no answer: HTML, nothing, half of it, another shape, a server error.
    Broken(String),
}

/// A request that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which system ("Freshservice").
    pub service: &'static str,
    /// The path that was asked, with its query, without host or credentials.
    pub path: String,
    /// What went wrong.
    pub cause: Cause,
    /// How often it was tried.
    pub attempts: u32,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GET {} ", self.path)?;
        match &self.cause {
            Cause::Denied(401, said) => write!(f, "was refused (401): the API key is not accepted{}", clause(said))?,
            Cause::Denied(status, said) => write!(f, "was refused ({status}): the API key lacks the rights{}", clause(said))?,
            Cause::Missing => write!(f, "answered 404: there is nothing at this address, which for a list is an error")?,
            Cause::Refused(status, said) => write!(f, "answered {status}{}", clause(said))?,
            Cause::Limited(why) | Cause::Unreachable(why) | Cause::Broken(why) => write!(f, "failed: {why}")?,
        }
        if self.attempts > 1 { write!(f, " (tried {} times)", self.attempts) } else { Ok(()) }
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
pub fn quote(text: &str, secret: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let blotted = if secret.is_empty() { words } else { words.replace(secret, "***") };
    blotted.chars().take(200).collect()
}
