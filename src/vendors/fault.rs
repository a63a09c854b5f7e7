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
        match &self.cause {
            Cause::Denied(status @ (400 | 401), said) => write!(f, "did not accept the API key ({status}){}", clause(said))?,
            Cause::Denied(status, said) => {
                write!(f, "refused this ({status}): the API key lacks the rights{}", clause(said))?;
            }
            Cause::Missing => write!(f, "answered 404 where something should be")?,
            Cause::Absent(why) => write!(f, "does not have {why} in this account")?,
            Cause::Conflict(said) => write!(f, "answered 409: somebody else writes to the same record{}", clause(said))?,
            Cause::Refused(status, said) => write!(f, "refused this ({status}){}", clause(said))?,
            Cause::Limited(why) => write!(f, "is asked too often: {why}")?,
            Cause::Unreachable(why) => write!(f, "could not be reached: {why}")?,
            Cause::Broken(why) if why.starts_with("a server error") => write!(f, "had {why}")?,
            Cause::Broken(why) => write!(f, "sent no usable answer: {why}")?,
            Cause::Blocked(why) => write!(f, "cannot be asked now: {why}")?,
            Cause::Unknown(why) => write!(f, "was sent a change whose outcome is unknown: {why}")?,
        }
        if self.attempts > 1 {
            write!(f, "; gave up after {} tries", self.attempts)?;
        }
        if let Some(advice) = advice(self.service, &self.cause) {
            write!(f, "; {advice}")?;
        }
        // Behind everything that a person reads, and easy to take off.
        write!(f, " [{} {}]", self.method, self.path)
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

/// What a person reads of a failure, and the requests behind it.
#[must_use]
pub fn told(text: &str) -> (String, Vec<String>) {
    const VERBS: [&str; 10] =
        ["did not ", "refused ", "answered ", "does not ", "is asked ", "could not ", "had ", "sent ", "cannot ", "was sent "];
    let (mut words, mut requests) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    let begins = |text: &str| ["GET", "PUT", "POST"].into_iter().filter_map(|verb| text.find(&format!(" [{verb} /"))).min();
    while let Some(at) = begins(rest) {
        let (before, tail) = rest.split_at(at);
        words.push_str(before);
        let (request, after) = tail.split_once(']').unwrap_or((tail, ""));
        requests.push(request.trim_start_matches(" [").to_owned());
        rest = after;
    }
    words.push_str(rest);
    for service in ["Freshservice", "Datto RMM"] {
        for verb in VERBS {
            words = words.replace(&format!("{service}: {verb}"), &format!("{service} {verb}"));
        }
    }
    (words, requests)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_technician_reads_words_and_finds_the_request_behind_them() {
        let path = format!("/tickets?updated_since=2026&page=1{}", "x".repeat(200));
        let fault = Fault {
            service: "Freshservice",
            method: "GET",
            path: path.clone(),
            cause: Cause::Broken("a server error (502)".to_owned()),
            attempts: 14,
        };
        let error = crate::error::Error::from(fault).to_string();
        let (words, requests) = told(&format!("{error}; nothing was retired"));
        assert_eq!(words, "Freshservice had a server error (502); gave up after 14 tries; nothing was retired");
        assert_eq!(requests, [format!("GET {path}")]);
        assert_eq!(told("it broke off [sic]"), ("it broke off [sic]".to_owned(), Vec::new()));
    }
}
