//! Whole answers, kept in front of everything else for whoever asks exactly the same again a moment later.
//!
//! An answer is sent again while nothing was committed to the database by anybody and nothing was asked of this process
//! that may change something, and never after a second: it may say how long ago something was, and the time of a session
//! may run out meanwhile. "Exactly the same" is the address and every header, byte for byte (so the caller, the format, the
//! language, the theme and the path before ours), and where the request came from. Kept is only what its handler made of
//! the database and of the request alone ([`Keepable`]), what sets no cookie, and what shows nothing whose reading is noted.
//!
//! When a kept answer is over, one request makes it anew; others who ask the same at that moment wait for it.

use std::{
    collections::HashMap,
    mem,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{ConnectInfo, MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use http_body_util::BodyExt as _;
use tokio::sync::Semaphore;

use super::{
    budget::{Budget, Share},
    etag,
    peer::Encrypted,
    request_id::{CORRELATION_ID, REQUEST_ID},
    text::Accounted,
};
use crate::db::Db;

/// How long an answer may be sent again.
const LASTS: Duration = Duration::from_secs(1);
/// How long somebody waits for the same answer that another request is making.
const PATIENCE: Duration = Duration::from_secs(5);
/// From this age on one request makes it anew, while others are still sent it.
const RENEWED: Duration = Duration::from_millis(500);
/// The longest request that is remembered: its address with its headers, in bytes.
const LONGEST: usize = 16 * 1024;
/// Of longer bodies only the tag is kept; long lists have a cache of their own, packed.
const LARGEST: u64 = 1024 * 1024;
/// How many answers are kept.
const MOST: usize = 2_048;
/// What an answer takes beside its request and its body.
const ANSWER: usize = 1_024;

/// What names a request in logs, and what the caller has already: the same answer whatever they say.
const IGNORED: [HeaderName; 3] = [REQUEST_ID, CORRELATION_ID, header::IF_NONE_MATCH];
/// What an answer without a body says of the one that the caller has.
const OF_KNOWN: [HeaderName; 8] = [
    header::ETAG,
    header::CACHE_CONTROL,
    header::VARY,
    HeaderName::from_static("x-codex-data-age"),
    header::X_CONTENT_TYPE_OPTIONS,
    header::REFERRER_POLICY,
    header::CONTENT_SECURITY_POLICY,
    header::X_FRAME_OPTIONS,
];
/// What each caller who is counted is told of their own count.
const COUNTED: HeaderName = HeaderName::from_static("ratelimit-limit");

/// Marks a response that is made of the database and of its request alone.
#[derive(Clone, Copy, Debug)]
pub struct Keepable;

/// Marks a response that shows something whose reading is noted each time.
#[derive(Clone, Copy, Debug)]
pub struct Noted;

/// Commits to the database, and requests to this process that may have changed something else.
type Moment = (u64, u64);

/// An answer that may be sent again.
struct Kept {
    moment: Moment,
    made: Instant,
    renewing: AtomicBool,
    headers: HeaderMap,
    /// Those of an answer without a body.
    of_known: HeaderMap,
    /// None when only the tag is known.
    body: Option<Bytes>,
    route: Option<MatchedPath>,
    bytes: usize,
    _share: Share,
}

/// Answers by their requests: those of this second, and those of the one before, which go together.
#[derive(Default)]
struct Seconds {
    young: HashMap<Box<[u8]>, Arc<Kept>>,
    old: HashMap<Box<[u8]>, Arc<Kept>>,
    /// The answers that are being made, of those that were kept before.
    making: HashMap<Box<[u8]>, (Moment, Making)>,
    bytes: usize,
    is_swept: bool,
}

/// What all who ask share.
struct Shared {
    db: Db,
    budget: Budget,
    /// How many bytes are kept of one second's answers.
    most: usize,
    is_off: bool,
    asked_to_change: AtomicU64,
    seconds: Mutex<Seconds>,
}

/// The answers; clones share them.
#[derive(Clone)]
pub struct Answers(Arc<Shared>);

/// A request whose answer may be kept, as of before it is made.
pub struct Question {
    key: Box<[u8]>,
    moment: Moment,
    at: Instant,
    known: HeaderMap,
    _maker: Option<Maker>,
}

/// An answer that another request is making.
#[derive(Clone)]
pub struct Making(Arc<Semaphore>);

impl Making {
    /// Waits until it is made, or that request ended without one, or for long enough.
    pub async fn made(&self) {
        // It has no permits: whoever makes the answer closes it.
        let _closed = tokio::time::timeout(PATIENCE, self.0.acquire()).await;
    }
}

/// Whoever makes an answer for which others wait.
struct Maker {
    shared: Arc<Shared>,
    key: Box<[u8]>,
    making: Making,
}

impl Drop for Maker {
    fn drop(&mut self) {
        let mut seconds = self.shared.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        if seconds.making.get(&self.key).is_some_and(|(_, making)| Arc::ptr_eq(&making.0, &self.making.0)) {
            seconds.making.remove(&self.key);
        }
        drop(seconds);
        self.making.0.close();
    }
}

/// A request under way that may change something.
pub struct Changing(Arc<Shared>);

impl Drop for Changing {
    fn drop(&mut self) {
        self.0.asked_to_change.fetch_add(1, Ordering::SeqCst);
    }
}

/// An answer that is made for each request anew, although it is made of the database alone.
#[must_use]
pub fn never_kept(mut response: Response) -> Response {
    response.extensions_mut().remove::<Keepable>();
    response
}

/// What is known of a request.
pub enum Found {
    /// Its answer, and the route that made it.
    Answer(Response, Option<MatchedPath>),
    /// Nothing yet, but another request is making it.
    Soon(Making),
    /// Nothing, but it may become known.
    New(Question),
    /// Nothing, and nothing is kept of it.
    Nothing,
}

impl Answers {
    /// Over this database; of each second so many bytes are kept, within the budget. None at all while Codex is worked on.
    #[must_use]
    pub fn new(db: Db, budget: Budget, most: usize, is_off: bool) -> Self {
        Self(Arc::new(Shared { db, budget, most, is_off, asked_to_change: AtomicU64::new(0), seconds: Mutex::default() }))
    }

    /// The answer to exactly this request, if it was made a moment ago and nothing has changed since. Who has waited for one
    /// that another request was making does not wait again.
    #[must_use]
    pub fn find(&self, request: &Request, may_wait: bool) -> Found {
        if self.0.is_off || *request.method() != Method::GET || has_body(request.headers()) {
            return Found::Nothing;
        }
        let (Some(moment), Some(key)) = (self.moment(), key(request)) else { return Found::Nothing };
        let at = Instant::now();
        let mut seconds = self.seconds();
        let kept = seconds.get(&key);
        let good = kept.as_ref().filter(|kept| kept.moment == moment && at.duration_since(kept.made) < LASTS);
        if let Some(kept) = good
            && (at.duration_since(kept.made) < RENEWED || kept.renewing.swap(true, Ordering::AcqRel))
        {
            let kept = Arc::clone(kept);
            drop(seconds);
            if let Some(response) = kept.response(request.headers()) {
                return Found::Answer(response, kept.route.clone());
            }
            return Found::New(Self::question(key, moment, at, request, None));
        }
        if let Some((_, making)) = seconds.making.get(&key).filter(|(of, _)| may_wait && *of == moment) {
            return Found::Soon(making.clone());
        }
        // What was never kept may be what never is, and then nobody gains by waiting.
        let making = (may_wait && kept.is_some()).then(|| Making(Arc::new(Semaphore::new(0))));
        if let Some(making) = &making {
            seconds.making.insert(key.clone(), (moment, making.clone()));
        }
        drop(seconds);
        let maker = making.map(|making| Maker { shared: Arc::clone(&self.0), key: key.clone(), making });
        Found::New(Self::question(key, moment, at, request, maker))
    }

    fn question(key: Box<[u8]>, moment: Moment, at: Instant, request: &Request, maker: Option<Maker>) -> Question {
        let known = request.headers().get_all(header::IF_NONE_MATCH).iter();
        let known = known.map(|tag| (header::IF_NONE_MATCH, tag.clone())).collect();
        Question { key, moment, at, known, _maker: maker }
    }

    /// While a request may change something that no commit tells of; nothing older is sent again once it is dropped.
    #[must_use]
    pub fn changing(&self) -> Changing {
        Changing(Arc::clone(&self.0))
    }

    /// Keeps an answer if it is one to keep, and gives it back: with a tag, or without a body when the caller has it.
    pub async fn keep(&self, question: Question, response: Response) -> Response {
        if !is_keepable(&response) {
            return response;
        }
        let is_short = response.body().size_hint().exact().is_some_and(|size| size <= LARGEST);
        let is_known = response.status() == StatusCode::NOT_MODIFIED;
        if is_known || !is_short {
            if response.headers().contains_key(header::ETAG) {
                self.put(question.key, question.moment, question.at, &response, None);
            }
            return response;
        }
        let is_accounted = response.extensions().get::<Accounted>().is_some();
        let (mut parts, body) = response.into_parts();
        let bytes = match body.collect().await {
            Ok(body) => body.to_bytes(),
            // It would have failed while it was sent.
            Err(error) => {
                let failed = futures_util::stream::once(async { Err::<Bytes, _>(error) });
                return Response::from_parts(parts, Body::from_stream(failed));
            }
        };
        let Some(bytes) = (if is_accounted { Some(bytes.clone()) } else { self.paid(&bytes) }) else {
            return Response::from_parts(parts, Body::from(bytes));
        };
        if !parts.headers.contains_key(header::ETAG)
            && let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", etag::hash(&[&bytes])))
        {
            parts.headers.insert(header::ETAG, tag);
        }
        parts.extensions.insert(Accounted);
        let response = Response::from_parts(parts, Body::from(bytes.clone()));
        let Question { key, moment, at, known, _maker } = question;
        let kept = self.put(key, moment, at, &response, Some(bytes));
        kept.and_then(|kept| kept.unchanged(&known)).unwrap_or(response)
    }

    /// Bytes that hold their share of the budget for as long as anybody is sent them.
    fn paid(&self, bytes: &Bytes) -> Option<Bytes> {
        struct Held(Bytes, Share);
        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                debug_assert!(self.1.bytes() >= self.0.len(), "what is held is paid for");
                &self.0
            }
        }
        let share = self.0.budget.take(bytes.len())?;
        Some(Bytes::from_owner(Held(bytes.clone(), share)))
    }

    fn put(&self, key: Box<[u8]>, moment: Moment, made: Instant, of: &Response, body: Option<Bytes>) -> Option<Arc<Kept>> {
        let beside = key.len() + ANSWER;
        let bytes = beside + body.as_ref().map_or(0, Bytes::len);
        let share = if self.0.budget.is_tight() { None } else { self.0.budget.take(beside) }?;
        let route = of.extensions().get::<MatchedPath>().cloned();
        let kept = Kept {
            moment,
            made,
            renewing: AtomicBool::new(false),
            headers: of.headers().clone(),
            of_known: OF_KNOWN.into_iter().filter_map(|name| Some((name.clone(), of.headers().get(&name)?.clone()))).collect(),
            body,
            route,
            bytes,
            _share: share,
        };
        let kept = Arc::new(kept);
        let mut seconds = self.seconds();
        let before = seconds.young.get(&key);
        // Who has a body and nothing newer is worth more.
        if before.is_some_and(|before| kept.body.is_none() && before.body.is_some() && before.moment == moment) {
            return Some(kept);
        }
        let freed = before.map_or(0, |before| before.bytes);
        if seconds.bytes - freed + bytes > self.0.most || seconds.young.len() >= MOST {
            return Some(kept);
        }
        seconds.bytes = seconds.bytes - freed + bytes;
        let _older = seconds.young.insert(key, Arc::clone(&kept));
        if !mem::replace(&mut seconds.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(&self.0)));
        }
        drop(seconds);
        Some(kept)
    }

    fn moment(&self) -> Option<Moment> {
        let asked_to_change = self.0.asked_to_change.load(Ordering::SeqCst);
        Some((self.0.db.change_notifier()?, asked_to_change))
    }

    fn seconds(&self) -> MutexGuard<'_, Seconds> {
        self.0.seconds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets answers go that nobody may be sent any more, second by second, until none is left.
async fn sweep(shared: std::sync::Weak<Shared>) {
    loop {
        tokio::time::sleep(LASTS).await;
        let Some(shared) = shared.upgrade() else { return };
        let (gone, is_done) = shared.seconds.lock().unwrap_or_else(PoisonError::into_inner).pass();
        drop(gone);
        if is_done {
            return;
        }
    }
}

impl Seconds {
    fn get(&self, key: &[u8]) -> Option<Arc<Kept>> {
        self.young.get(key).or_else(|| self.old.get(key)).cloned()
    }

    /// A second is over: what goes, and whether nothing is left.
    fn pass(&mut self) -> (HashMap<Box<[u8]>, Arc<Kept>>, bool) {
        self.bytes = 0;
        let gone = mem::replace(&mut self.old, mem::take(&mut self.young));
        self.is_swept = !self.old.is_empty();
        (gone, !self.is_swept)
    }
}

impl Kept {
    /// The answer for somebody who sends these headers; none when they need a body that is not kept.
    fn response(&self, headers: &HeaderMap) -> Option<Response> {
        self.unchanged(headers).or_else(|| {
            let mut response = Response::new(Body::from(self.body.clone()?));
            *response.headers_mut() = self.headers.clone();
            Some(response)
        })
    }

    /// The answer for somebody who has it.
    fn unchanged(&self, headers: &HeaderMap) -> Option<Response> {
        let tag = self.headers.get(header::ETAG)?.to_str().ok()?;
        if !etag::is_known(headers, tag) {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.headers_mut() = self.of_known.clone();
        Some(response)
    }
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING)
}

fn is_keepable(response: &Response) -> bool {
    let (headers, extensions) = (response.headers(), response.extensions());
    let is_stored = headers.get(header::CACHE_CONTROL).is_none_or(|value| !value.as_bytes().ends_with(b"no-store"));
    matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED)
        && extensions.get::<Keepable>().is_some()
        && extensions.get::<Noted>().is_none()
        && is_stored
        && !headers.contains_key(header::SET_COOKIE)
        && !headers.contains_key(COUNTED)
}

/// Everything of a request that its answer may depend on; none when that is too long.
fn key(request: &Request) -> Option<Box<[u8]>> {
    let (uri, headers) = (request.uri(), request.headers());
    let mut key = Vec::with_capacity(512);
    let mut add = |part: &[u8]| {
        key.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        key.extend_from_slice(part);
        key.len() <= LONGEST
    };
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let is_encrypted = request.extensions().get::<Encrypted>().is_some();
    let mut fits = add(uri.path_and_query().map_or("", |target| target.as_str()).as_bytes());
    fits &= add(uri.authority().map_or("", |authority| authority.as_str()).as_bytes());
    fits &= add(uri.scheme_str().unwrap_or_default().as_bytes());
    fits &= match peer {
        Some(std::net::IpAddr::V4(ip)) => add(&ip.octets()),
        Some(std::net::IpAddr::V6(ip)) => add(&ip.octets()),
        None => add(&[]),
    };
    fits &= add(&[u8::from(is_encrypted)]);
    for (name, value) in headers.iter().filter(|(name, _)| !IGNORED.contains(name)) {
        fits = fits && add(name.as_str().as_bytes()) && add(value.as_bytes());
    }
    fits.then(|| key.into_boxed_slice())
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
