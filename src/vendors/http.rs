//! The one HTTP client for vendors: bounded in time, size and retries, and it believes nothing.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::{
    address::{self, PublicOnly},
    answer::{body, header, is_object, number, outcome, parse, reason, words},
    authorization::Credentials,
    fault::{Cause, Fault, quote},
    mend::Mended,
    rate_limit::{Budget, Grant},
    retry,
};
use crate::{
    error::{Error, Result},
    progress::Progress,
};

/// Time to establish a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for one whole request, body included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);
/// Attempts for one request that breaks or cannot be sent.
const ATTEMPTS: u32 = 7;
/// Attempts for what is merely good to know.
const PEEKS: u32 = 4;
/// Attempts for one request that the vendor puts off with 429.
const LIMITED_ATTEMPTS: u32 = 20;
/// Retries that one run may spend on everything together …
const RUN_RETRIES: u32 = 2_000;
/// … and one in so many of its requests.
const RETRIES_AMONG: u32 = 3;
/// Time-outs of one request that are worth repeating; each may have taken `REQUEST_TIMEOUT`.
const TIMEOUT_ATTEMPTS: u32 = 3;
/// Kinds of addresses refused one after the other, none allowed between, that make a block of it.
const REFUSED_ENOUGH: usize = 3;

/// A good answer: JSON of the shape asked for, and whether a `link` header names a next page.
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
    credentials: Credentials,
    budget: Budget,
    progress: Option<Arc<Progress>>,
    /// Whether a 403 may be a block of our address.
    blocks: bool,
    /// How often a broken answer is asked for.
    attempts: u32,
    /// Kinds of addresses answered with 403 since the last answer of another status.
    refused: Mutex<HashSet<String>>,
    mended: Mutex<Mended>,
    retries: AtomicU32,
    requests: AtomicU32,
}

/// What is asked.
struct RequestSpec<'a> {
    method: Method,
    /// Which of the vendor's counts it draws on.
    bucket: &'a str,
    path: &'a str,
    body: Option<&'a Value>,
    /// How often a broken answer is asked for.
    attempts: u32,
    /// How often it is asked for again after a 429.
    limited: u32,
}

/// What one attempt came to.
enum Attempt {
    Good(Reply),
    Final(Cause),
    /// Something broke; whether the vendor may have acted on the request.
    Again(Cause, bool),
    Limited(Option<Duration>),
    /// The token is not accepted (any more).
    Stale(u16, String),
}

/// A client for one host: no redirects, everything bounded. With `guarded` the host must be a public one, for
/// each connection.
pub fn wire(service: &'static str, base: &str, guarded: bool) -> Result<reqwest::Client> {
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
    if guarded {
        let root = url.origin().ascii_serialization();
        address::check(&root).map_err(|why| Error::Unavailable(format!("the address of {service} {why}")))?;
        builder = builder.https_only(true).dns_resolver(PublicOnly::of(&root));
    }
    builder.build().map_err(Error::internal)
}

impl Client {
    /// A client for the API below `base` (no slash at the end).
    pub fn new(service: &'static str, base: &str, guarded: bool, credentials: Credentials, budget: Budget) -> Result<Self> {
        Ok(Self {
            http: wire(service, base, guarded)?,
            service,
            base: base.trim_end_matches('/').to_owned(),
            credentials,
            budget,
            progress: None,
            blocks: false,
            attempts: ATTEMPTS,
            refused: Mutex::default(),
            mended: Mutex::default(),
            retries: AtomicU32::new(0),
            requests: AtomicU32::new(0),
        })
    }

    /// The same client for a vendor whose firewall blocks with 403 those who ask too much.
    #[must_use]
    pub fn with_blocks(mut self) -> Self {
        self.blocks = true;
        self
    }

    /// The same client for somebody who waits: nothing is asked twice.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.attempts = 1;
        self
    }

    /// Says from now on in `progress` when it waits for the vendor.
    pub fn show(&mut self, progress: Arc<Progress>) {
        self.progress = Some(progress);
    }

    /// The budget of the account.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// How many requests had to be repeated so far.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.retries.load(Ordering::Relaxed)
    }

    /// The records that had broken characters so far.
    #[must_use]
    pub fn mended(&self) -> Mended {
        self.mended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for `path` (with its query) until there is JSON that `shape` accepts, or a reason to stop.
    /// `shape` says what is wrong with an answer that is not the one asked for.
    pub async fn get(&self, bucket: &str, path: &str, shape: impl Fn(&Value) -> Result<(), String>) -> Result<Reply, Fault> {
        self.ask(
            RequestSpec { method: Method::GET, bucket, path, body: None, attempts: self.attempts, limited: self.limited() },
            shape,
        )
        .await
    }

    /// As [`Client::get`], but with little patience: for what is good to know and no reason to fail.
    pub async fn peek(&self, bucket: &str, path: &str, shape: impl Fn(&Value) -> Result<(), String>) -> Result<Reply, Fault> {
        self.ask(
            RequestSpec { method: Method::GET, bucket, path, body: None, attempts: self.attempts.min(PEEKS), limited: PEEKS },
            shape,
        )
        .await
    }

    /// Sends a write, once. It is repeated only when the vendor certainly did not act on it: no connection,
    /// a rate limit, a token that had run out. Otherwise the outcome is [`Cause::Unknown`], and the caller
    /// has to look before it sends again.
    pub async fn send(&self, method: Method, bucket: &str, path: &str, body: &Value) -> Result<Value, Fault> {
        let ask = RequestSpec { method, bucket, path, body: Some(body), attempts: self.attempts, limited: self.limited() };
        self.ask(ask, |_| Ok(())).await.map(|reply| reply.json)
    }

    fn limited(&self) -> u32 {
        LIMITED_ATTEMPTS.min(self.attempts * 3)
    }

    async fn ask(&self, ask: RequestSpec<'_>, shape: impl Fn(&Value) -> Result<(), String>) -> Result<Reply, Fault> {
        let (mut tried, mut limited, mut timed_out) = (0_u32, 0_u32, 0_u32);
        let mut stale: Option<String> = None;
        let path = ask.path;
        loop {
            let fault = |cause| self.fault(&ask, cause, tried + limited + 1);
            self.wait_for_budget(ask.bucket).await.map_err(fault)?;
            let token = self.credentials.token(stale.as_deref()).await?;
            let started = Instant::now();
            self.requests.fetch_add(1, Ordering::Relaxed);
            let wait = match self.attempt(&ask, token.as_deref(), &shape).await {
                Attempt::Good(reply) => return Ok(reply),
                Attempt::Final(cause) => return Err(fault(cause)),
                Attempt::Stale(..) if stale.is_none() => {
                    stale = token;
                    Duration::ZERO
                }
                Attempt::Stale(status, said) => return Err(fault(Cause::Denied(status, said))),
                Attempt::Again(cause, true) if ask.body.is_some() => return Err(fault(Cause::Unknown(told(cause)))),
                Attempt::Again(cause, _) => {
                    tried += 1;
                    timed_out += u32::from(started.elapsed() >= REQUEST_TIMEOUT);
                    if tried >= ask.attempts || timed_out >= TIMEOUT_ATTEMPTS {
                        return Err(self.fault(&ask, cause, tried + limited));
                    }
                    tracing::debug!(service = self.service, path, ?cause, "asking again");
                    retry::backoff(tried)
                }
                Attempt::Limited(asked) => {
                    limited += 1;
                    let wait = asked.unwrap_or_else(|| self.budget.pause(ask.bucket, limited));
                    if limited >= ask.limited || wait > retry::LONGEST_ASKED {
                        let why = format!("the vendor's rate limit asks for another wait of {} seconds", wait.as_secs());
                        return Err(self.fault(&ask, Cause::Limited(why), tried + limited));
                    }
                    tracing::info!(service = self.service, path, seconds = wait.as_secs_f32(), "rate limit reached, waiting");
                    self.budget.limited(ask.bucket, wait).await;
                    wait.max(Duration::from_millis(50)) + retry::backoff(1) / 4
                }
            };
            let (retries, requests) = (self.retries.fetch_add(1, Ordering::Relaxed), self.requests.load(Ordering::Relaxed));
            if retries >= RUN_RETRIES.max(requests / RETRIES_AMONG) {
                let why = format!("{retries} of {requests} requests of this run had to be repeated");
                return Err(self.fault(&ask, Cause::Broken(why), tried + limited));
            }
            self.pause(wait).await;
        }
    }

    fn fault(&self, ask: &RequestSpec<'_>, cause: Cause, attempts: u32) -> Fault {
        let method = match ask.method {
            Method::PUT => "PUT",
            Method::POST => "POST",
            _ => "GET",
        };
        Fault { service: self.service, method, path: ask.path.to_owned(), cause, attempts }
    }

    /// Waits until the account's budget has room for one more request.
    async fn wait_for_budget(&self, bucket: &str) -> Result<(), Cause> {
        loop {
            match self.budget.take(bucket).await? {
                Grant::After(pause) => {
                    self.pause(pause).await;
                    return Ok(());
                }
                Grant::Later(pause) => self.pause(pause).await,
            }
        }
    }

    /// Sleeps, and says so when it takes long.
    async fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        if let Some(progress) = self.progress.as_ref().filter(|_| wait >= Duration::from_secs(1)) {
            let mut left = wait;
            while left > Duration::ZERO {
                progress.waiting(Some(left));
                tokio::time::sleep(left.min(Duration::from_secs(1))).await;
                left = until.saturating_duration_since(Instant::now());
            }
            progress.waiting(None);
        } else {
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(
        &self,
        ask: &RequestSpec<'_>,
        token: Option<&str>,
        shape: &impl Fn(&Value) -> Result<(), String>,
    ) -> Attempt {
        let request = self.http.request(ask.method.clone(), format!("{}{}", self.base, ask.path));
        let mut request = self.credentials.sign(request, token).header("accept", "application/json");
        if let Some(body) = ask.body {
            request = request.json(body);
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Attempt::Again(Cause::Unreachable(reason(&error)), !error.is_connect()),
        };
        let headers = response.headers();
        let (total, remaining) = (number(headers, "x-ratelimit-total"), number(headers, "x-ratelimit-remaining"));
        let next = header(headers, "link").is_some_and(|link| link.contains("rel=\"next\"") || link.contains("rel=next"));
        let asked = header(headers, "retry-after").and_then(|text| retry::retry_after(text, jiff::Timestamp::now()));
        self.budget.learn(ask.bucket, total, remaining).await;
        let status = response.status();
        let body = match body(&mut response).await {
            Ok(body) => body,
            Err(cause) if status.is_success() => return Attempt::Again(cause, true),
            Err(_) => Vec::new(),
        };
        if status != StatusCode::FORBIDDEN {
            self.refused.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        if status.is_success() {
            let json = if ask.body.is_some() { outcome(&body) } else { parse(&body, shape) };
            return match json {
                Ok((json, mended)) => {
                    self.mended.lock().unwrap_or_else(PoisonError::into_inner).add(mended);
                    Attempt::Good(Reply { json, next })
                }
                Err(why) => Attempt::Again(Cause::Broken(why), true),
            };
        }
        let said = quote(&words(&body), &self.credentials.secrets(token));
        match status {
            StatusCode::TOO_MANY_REQUESTS => Attempt::Limited(asked),
            StatusCode::UNAUTHORIZED if token.is_some() => Attempt::Stale(401, said),
            StatusCode::FORBIDDEN if self.is_block(ask.path, &body, asked.is_some()) => {
                Attempt::Final(Cause::Blocked(self.budget.block(asked).await))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Attempt::Final(Cause::Denied(status.as_u16(), said)),
            StatusCode::NOT_FOUND => Attempt::Final(Cause::Missing),
            StatusCode::CONFLICT if ask.body.is_some() => Attempt::Final(Cause::Conflict(said)),
            // Of a write it does not say whether it was done: whoever asked has to look.
            StatusCode::SERVICE_UNAVAILABLE if asked.is_some() && ask.body.is_none() => Attempt::Limited(asked),
            StatusCode::REQUEST_TIMEOUT => Attempt::Again(Cause::Broken("408: the vendor lost patience".to_owned()), true),
            s if s.is_server_error() => Attempt::Again(Cause::Broken(format!("a server error ({})", s.as_u16())), true),
            s if s.is_redirection() => {
                let why = "a redirect, which is not followed: is the configured address the vendor's own?";
                Attempt::Final(Cause::Refused(s.as_u16(), why.to_owned()))
            }
            s => Attempt::Final(Cause::Refused(s.as_u16(), said)),
        }
    }

    /// A 403 is about rights when it says so in JSON and other addresses are allowed; a firewall says
    /// it otherwise, and for every address.
    fn is_block(&self, path: &str, body: &[u8], asked: bool) -> bool {
        if !self.blocks {
            return false;
        }
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.insert(kind_of(path));
        asked || !is_object(body) || refused.len() >= REFUSED_ENOUGH
    }
}

/// A path without its query, ids and uids: the same for all records of a kind.
fn kind_of(path: &str) -> String {
    let words = path.split('?').next().unwrap_or(path).split('/');
    words.filter(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')).collect::<Vec<_>>().join("/")
}

/// What a broken attempt says of itself.
fn told(cause: Cause) -> String {
    match cause {
        Cause::Unreachable(why) | Cause::Broken(why) => why,
        other => format!("{other:?}"),
    }
}
