//! The one HTTP client for vendors: bounded in time, size and retries, and it believes nothing.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use super::{
    fault::{Cause, Fault, quote},
    quota::Quota,
    retry,
};
use crate::error::{Error, Result};

/// Time to establish a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for one whole request, body included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);
/// The largest body that is read; a page of one hundred records is far below it.
const LARGEST_BODY: usize = 8 * 1024 * 1024;
/// The most values one answer may have: in memory each takes far more room than in the body.
const MOST_VALUES: usize = 300_000;
/// Attempts for one request that breaks or cannot be sent.
const ATTEMPTS: u32 = 7;
/// Attempts for one request that the vendor puts off with 429.
const LIMITED_ATTEMPTS: u32 = 20;
/// Retries that one run may spend on everything together.
const RUN_RETRIES: u32 = 2_000;
/// Time-outs of one request that are worth repeating; each may have taken `REQUEST_TIMEOUT`.
const TIMEOUT_ATTEMPTS: u32 = 3;

/// A good answer: a JSON object, and whether a `link` header names a next page.
#[derive(Debug)]
pub struct Reply {
    /// The body.
    pub json: Value,
    /// Whether the vendor says that there is another page.
    pub next: bool,
}

/// A client for one vendor account.
pub struct Client {
    http: reqwest::Client,
    service: &'static str,
    base: String,
    user: String,
    password: String,
    quota: Quota,
    retries: AtomicU32,
}

/// What one attempt came to.
enum Attempt {
    Good(Reply),
    Final(Cause),
    Again(Cause),
    Limited(Option<Duration>),
}

impl Client {
    /// A client for the API below `base` (no slash at the end), with HTTP Basic credentials.
    pub fn new(service: &'static str, base: &str, user: &str, password: &str) -> Result<Self> {
        let url = url::Url::parse(base).map_err(|e| Error::field("domain", format!("{base:?} is not an address: {e}")))?;
        let local = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => return Err(Error::field("domain", format!("{base:?} has no host"))),
        };
        if url.scheme() == "http" && !local {
            tracing::warn!(service, host = url.host_str(), "the address is not https: the API key travels unencrypted");
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("codex/", env!("CARGO_PKG_VERSION")));
        if local {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(Error::internal)?;
        Ok(Self {
            http,
            service,
            base: base.trim_end_matches('/').to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
            quota: Quota::default(),
            retries: AtomicU32::new(0),
        })
    }

    /// How many requests had to be repeated so far.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Asks for `path` (with its query) until there is a JSON object that `shape` accepts, or a reason to stop.
    /// `shape` says what is wrong with an object that is not the one asked for.
    pub async fn get(&self, bucket: &str, path: &str, shape: impl Fn(&Value) -> Result<(), String>) -> Result<Reply, Fault> {
        let (mut tried, mut limited, mut timed_out) = (0_u32, 0_u32, 0_u32);
        loop {
            tokio::time::sleep(self.quota.wait(bucket)).await;
            let started = Instant::now();
            let wait = match self.attempt(bucket, path, &shape).await {
                Attempt::Good(reply) => return Ok(reply),
                Attempt::Final(cause) => return Err(self.fault(path, cause, tried + limited + 1)),
                Attempt::Again(cause) => {
                    tried += 1;
                    timed_out += u32::from(started.elapsed() >= REQUEST_TIMEOUT);
                    if tried >= ATTEMPTS || timed_out >= TIMEOUT_ATTEMPTS {
                        return Err(self.fault(path, cause, tried + limited));
                    }
                    tracing::debug!(service = self.service, path, ?cause, "asking again");
                    retry::backoff(tried)
                }
                Attempt::Limited(asked) => {
                    limited += 1;
                    let wait = asked.unwrap_or_else(|| retry::backoff(limited + 2));
                    if limited >= LIMITED_ATTEMPTS || wait > retry::LONGEST_ASKED {
                        let why = format!("the vendor's rate limit asks for another wait of {} seconds", wait.as_secs());
                        return Err(self.fault(path, Cause::Limited(why), tried + limited));
                    }
                    tracing::info!(service = self.service, path, seconds = wait.as_secs_f32(), "rate limit reached, waiting");
                    wait.max(Duration::from_millis(50)) + retry::backoff(1) / 4
                }
            };
            if self.retries.fetch_add(1, Ordering::Relaxed) >= RUN_RETRIES {
                let why = format!("more than {RUN_RETRIES} requests of this run had to be repeated");
                return Err(self.fault(path, Cause::Broken(why), tried + limited));
            }
            tokio::time::sleep(wait).await;
        }
    }

    fn fault(&self, path: &str, cause: Cause, attempts: u32) -> Fault {
        Fault { service: self.service, path: path.to_owned(), cause, attempts }
    }

    async fn attempt(&self, bucket: &str, path: &str, shape: &impl Fn(&Value) -> Result<(), String>) -> Attempt {
        let request = self.http.get(format!("{}{path}", self.base)).basic_auth(&self.user, Some(&self.password));
        let mut response = match request.header("accept", "application/json").send().await {
            Ok(response) => response,
            Err(error) => return Attempt::Again(Cause::Unreachable(reason(&error))),
        };
        let headers = response.headers();
        self.quota.learn(bucket, number(headers, "x-ratelimit-total"), number(headers, "x-ratelimit-remaining"));
        let next = header(headers, "link").is_some_and(|link| link.contains("rel=\"next\"") || link.contains("rel=next"));
        let asked = header(headers, "retry-after").and_then(|text| retry::retry_after(text, jiff::Timestamp::now()));
        let status = response.status();
        let body = match body(&mut response).await {
            Ok(body) => body,
            Err(cause) if status.is_success() => return Attempt::Again(cause),
            Err(_) => Vec::new(),
        };
        if status.is_success() {
            return match parse(&body, shape) {
                Ok(json) => Attempt::Good(Reply { json, next }),
                Err(why) => Attempt::Again(Cause::Broken(why)),
            };
        }
        let said = quote(&words(&body), &self.user);
        match status {
            StatusCode::TOO_MANY_REQUESTS => Attempt::Limited(asked),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Attempt::Final(Cause::Denied(status.as_u16(), said)),
            StatusCode::NOT_FOUND => Attempt::Final(Cause::Missing),
            StatusCode::SERVICE_UNAVAILABLE if asked.is_some() => Attempt::Limited(asked),
            StatusCode::REQUEST_TIMEOUT => Attempt::Again(Cause::Broken("408: the vendor lost patience".to_owned())),
            s if s.is_server_error() => Attempt::Again(Cause::Broken(format!("a server error ({})", s.as_u16()))),
            s if s.is_redirection() => {
                let why = "a redirect, which is not followed: is the domain the vendor's own (name.freshservice.com)?";
                Attempt::Final(Cause::Refused(s.as_u16(), why.to_owned()))
            }
            s => Attempt::Final(Cause::Refused(s.as_u16(), said)),
        }
    }
}

/// The body, read whole or not at all.
async fn body(response: &mut reqwest::Response) -> Result<Vec<u8>, Cause> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST_BODY => {
                return Err(Cause::Broken(format!("the answer is larger than {} MB", LARGEST_BODY / 1024 / 1024)));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => {
                return Err(Cause::Broken(format!("the answer broke off after {} bytes: {}", body.len(), reason(&error))));
            }
        }
    }
}

/// A JSON object of the right shape, or what it is instead.
fn parse(body: &[u8], shape: &impl Fn(&Value) -> Result<(), String>) -> Result<Value, String> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err("an empty answer with status 200".to_owned());
    }
    if body.trim_ascii_start().starts_with(b"<") {
        return Err("HTML instead of JSON, with status 200".to_owned());
    }
    if body.split(|byte| *byte == b',').count() > MOST_VALUES {
        return Err(format!("an answer of more than {MOST_VALUES} values"));
    }
    let json: Value = serde_json::from_slice(body).map_err(|e| format!("not JSON, or only part of it ({e})"))?;
    shape(&json)?;
    Ok(json)
}

/// The words of an error body: its `description`, `message` and `code`, whichever are there.
fn words(body: &[u8]) -> String {
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(body) else { return String::new() };
    ["description", "message", "code"].iter().filter_map(|key| object.get(*key)?.as_str()).collect::<Vec<_>>().join(", ")
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u32> {
    header(headers, name)?.trim().parse().ok()
}

/// The innermost reason of a client error, without the address (it may hold credentials).
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    quote(&cause.to_string(), "")
}
