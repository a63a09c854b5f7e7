//! Reads what callers send: nothing is reserved because it was announced, strangers may send little, the
//! whole process holds so many bytes at once and no more, and whoever dawdles is told so.

use super::{
    budget::{Budget, Share},
    link::STRICTER,
};
use crate::{
    auth::Caller,
    error::{Error, Result},
};
use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::header,
};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, timeout, timeout_at};

/// The largest body that we read of somebody we know.
pub const MOST: usize = 16 * 1024 * 1024;
/// The largest body that we read of a stranger.
pub const MOST_OF_STRANGER: usize = 64 * 1024;
/// How much of a body that nobody wants we read and drop, so that the caller gets to see why.
const MOST_DRAINED: usize = 64 * 1024 * 1024;
/// How long we do that.
const DRAINING: Duration = Duration::from_secs(30);
/// Bytes that arrive in each second of a body that takes longer than our patience.
const SLOWEST: u64 = 8 * 1024;
/// What a body takes at first, and by how much at least it grows.
const STEP: usize = 4 * 1024;
/// The most that one piece of a body takes, but for what arrives in one.
const PIECE: usize = 64 * 1024;
/// What a stranger's body counts for, at least: the request that waits for it takes as much.
const WAITING: usize = 16 * 1024;
/// How long a stranger waits for others' bodies to end.
const MOMENT: Duration = Duration::from_secs(1);

/// What all bodies share.
#[derive(Clone, Debug)]
pub struct Bodies {
    known: Budget,
    strangers: Budget,
    patience: Duration,
}

impl Bodies {
    /// So many bytes at once, a quarter of which is for strangers; whoever sends nothing for so long is done.
    #[must_use]
    pub fn new(bytes: usize, patience: Duration) -> Self {
        Self { known: Budget::new(bytes - bytes / 4), strangers: Budget::new(bytes / 4), patience }
    }

    /// How long a stranger may pause: less when strangers keep us waiting already.
    fn of_stranger(&self) -> Duration {
        if self.strangers.is_tight() { self.patience / STRICTER } else { self.patience }
    }
}

/// What one request may send, and has sent.
#[derive(Clone, Debug)]
pub struct Allowance(Arc<Sent>);

#[derive(Debug)]
struct Sent {
    bodies: Bodies,
    /// Held until the request is answered: what was made of a body takes no less than the body.
    held: Mutex<Option<Share>>,
    reading: Mutex<Reading>,
    /// What is left of a body that was not read to its end.
    rest: Mutex<Option<Body>>,
}

/// How long the body has been read.
#[derive(Debug, Default)]
struct Reading {
    since: Option<Instant>,
    before: Duration,
}

impl Allowance {
    /// For one request, whose body is put under watch.
    #[must_use]
    pub fn new(bodies: &Bodies, request: Request) -> (Self, Request) {
        let reading = Mutex::default();
        let sent = Sent { bodies: bodies.clone(), held: Mutex::default(), reading, rest: Mutex::default() };
        let allowance = Self(Arc::new(sent));
        let waits = request.headers().contains_key(header::EXPECT);
        let mut request = request.map(|body| {
            if body.is_end_stream() { body } else { Body::new(Watched { body, allowance: allowance.clone(), is_sent: !waits }) }
        });
        request.extensions_mut().insert(allowance.clone());
        (allowance, request)
    }

    /// How long the caller has taken to send its body until now.
    #[must_use]
    pub fn reading(&self) -> Duration {
        let reading = self.0.reading.lock().unwrap_or_else(PoisonError::into_inner);
        reading.before + reading.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn start(&self) -> Timed<'_> {
        self.0.reading.lock().unwrap_or_else(PoisonError::into_inner).since = Some(Instant::now());
        Timed(self)
    }

    /// Reads and drops what is left of the body, in the background: who answers while the caller still
    /// sends would have the connection reset before the answer is seen. When too many have that done for them,
    /// there is nothing for it.
    pub fn drain(&self) {
        let Some(mut body) = self.0.rest.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let bodies = self.0.bodies.clone();
        let Some(share) = bodies.strangers.take(WAITING) else { return };
        tokio::spawn(timeout(DRAINING, async move {
            let (_share, mut seen) = (share, 0);
            while seen < MOST_DRAINED
                && let Ok(Some(Ok(frame))) = timeout(bodies.of_stranger(), body.frame()).await
            {
                seen += frame.data_ref().map_or(0, Bytes::len);
            }
        }));
    }
}

/// Runs while a body is read.
struct Timed<'a>(&'a Allowance);

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        let mut reading = self.0.0.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = reading.since.take() {
            reading.before += since.elapsed();
        }
    }
}

/// A body that is not lost when nobody reads it to its end.
struct Watched {
    body: Body,
    allowance: Allowance,
    /// Whether the caller sends without being asked to.
    is_sent: bool,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_sent = true;
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.is_sent && !self.body.is_end_stream() {
            let rest = std::mem::replace(&mut self.body, Body::empty());
            *self.allowance.0.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
        }
    }
}

/// A body as it arrived, in pieces that stay where they are: a buffer that grows leaves as much behind, in blocks of
/// every size.
#[derive(Debug, Default)]
pub struct Received {
    pieces: Vec<Vec<u8>>,
    length: usize,
}

impl Received {
    fn push(&mut self, data: &[u8]) {
        let room = self.pieces.last().map_or(0, |piece| piece.capacity() - piece.len());
        let (now, later) = data.split_at(room.min(data.len()));
        if let Some(piece) = self.pieces.last_mut() {
            piece.extend_from_slice(now);
        }
        if !later.is_empty() {
            let mut piece = Vec::with_capacity(later.len().max(self.length / 2).clamp(STEP, PIECE.max(later.len())));
            piece.extend_from_slice(later);
            self.pieces.push(piece);
        }
        self.length += data.len();
    }

    /// How many bytes it is.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// All of it in one.
    #[must_use]
    pub fn whole(mut self) -> Vec<u8> {
        if self.pieces.len() == 1 {
            return self.pieces.swap_remove(0);
        }
        let mut whole = Vec::with_capacity(self.length);
        self.pieces.into_iter().for_each(|piece| whole.extend_from_slice(&piece));
        whole
    }
}

/// Reads a whole body.
///
/// # Errors
/// When it is too large for this caller, comes too slowly, ends too early, or others send too much just now.
pub async fn read(request: Request) -> Result<Received> {
    let (parts, mut body) = request.into_parts();
    let allowance = parts.extensions.get::<Allowance>().ok_or_else(|| Error::internal("a request from nowhere"))?;
    let Sent { bodies, held, .. } = &*allowance.0;
    let is_known = parts.extensions.get::<Arc<Caller>>().is_some();
    let (limit, budget) = if is_known { (MOST, &bodies.known) } else { (MOST_OF_STRANGER, &bodies.strangers) };
    let too_much = || Error::Unavailable("too much is being sent at once; try again".to_owned());
    if body.size_hint().lower() > limit as u64 {
        return Err(Error::TooLarge { limit });
    }
    let _timed = allowance.start();
    let (mut share, mut read) = (budget.share(), Received::default());
    if !is_known {
        share = budget.wait(WAITING, MOMENT).await.ok_or_else(too_much)?;
    }
    let started = Instant::now();
    loop {
        // A byte now and then is no progress.
        let earned = Duration::from_secs(read.len() as u64 / SLOWEST);
        let patience = if is_known { bodies.patience } else { bodies.of_stranger() };
        let until = (started + 3 * patience + earned).min(Instant::now() + patience);
        let Some(frame) = timeout_at(until, body.frame()).await.map_err(|_| Error::TooSlow)? else { break };
        let frame = frame.map_err(|_| Error::BadRequest("the body ended before it was complete".to_owned()))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = read.len() + data.len();
        if length > limit {
            return Err(Error::TooLarge { limit });
        }
        if length > share.bytes() {
            let more = (length - share.bytes()).max(read.len() / 2).max(STEP).min(limit - share.bytes());
            if !share.grow(more) {
                return Err(too_much());
            }
        }
        read.push(&data);
    }
    *held.lock().unwrap_or_else(PoisonError::into_inner) = Some(share);
    Ok(read)
}

/// A body piece by piece, for those who keep none of it in memory: it may be longer than others, and counts against nothing.
pub struct Pieces {
    body: Body,
    allowance: Allowance,
    limit: usize,
    length: usize,
    started: Instant,
}

impl Pieces {
    /// The body of a request, of at most so many bytes.
    ///
    /// # Errors
    /// `TooLarge` for one that is announced to be longer.
    pub fn of(request: Request, limit: usize) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let allowance = parts.extensions.get::<Allowance>().ok_or_else(|| Error::internal("a request from nowhere"))?.clone();
        if body.size_hint().lower() > limit as u64 {
            return Err(Error::TooLarge { limit });
        }
        Ok(Self { body, allowance, limit, length: 0, started: Instant::now() })
    }

    /// The next one; none at the end.
    ///
    /// # Errors
    /// When the body is too large, comes too slowly, or ends too early.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let _timed = self.allowance.start();
        loop {
            let patience = self.allowance.0.bodies.patience;
            let earned = Duration::from_secs(self.length as u64 / SLOWEST);
            let until = (self.started + 3 * patience + earned).min(Instant::now() + patience);
            let frame = timeout_at(until, self.body.frame()).await.map_err(|_| Error::TooSlow)?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|_| Error::BadRequest("the body ended before it was complete".to_owned()))?;
            let Ok(data) = frame.into_data() else { continue };
            self.length += data.len();
            if self.length > self.limit {
                return Err(Error::TooLarge { limit: self.limit });
            }
            return Ok(Some(data));
        }
    }
}

/// A body as it was sent, for routes that understand it themselves.
#[derive(Clone, Debug)]
pub struct Raw(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        Ok(Self(read(request).await?.whole().into()))
    }
}
