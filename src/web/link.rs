//! One connection: who on the other end reads or sends nothing is cut off, and who waits for nothing makes
//! room for others when there are too many, or when the heads of requests that are not whole take too much.

use super::{budget::Budget, memory, wire::Wire};
use std::{
    collections::HashMap,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{Notify, Semaphore},
    time::{Instant, Sleep, sleep},
};

/// Bytes that a reader takes in each second, at least.
const SLOWEST: u64 = 4 * 1024;
/// How many times stricter we are when too much waits to be sent.
pub const STRICTER: u32 = 6;
/// What the system may keep of an answer that its reader has not taken (it takes twice as much). It says that there is
/// room again when a third of that is free, so this is also how much a slow reader must take before we see that it reads:
/// what systems choose by themselves, megabytes, takes one minutes.
pub const UNSENT: usize = 64 * 1024;
/// The same for those who have taken [`MUCH`] without letting us wait: far readers are slow when it is little.
const UNSENT_WIDE: usize = 208 * 1024;
const MUCH: u64 = 1024 * 1024;
/// Whoever takes more within this time does not let us wait.
const SOON: Duration = Duration::from_millis(200);
/// Whoever takes more after this time reads, slowly: what the systems between us take by themselves, they take sooner.
const SLOWLY: Duration = Duration::from_secs(1);
/// Connections that may keep what HTTP takes while they wait for a request. Of more, each gives it back.
const FEW: usize = 256;
/// Requests that are under way at once; others wait for their turn. Each takes what HTTP reads and writes with, its head
/// and its handler: some 30 KiB beside bodies and answers, which have budgets of their own.
const UNDER_WAY: usize = 1_536;
/// All bytes of the heads of requests that are not whole yet, or wait for their turn.
const HEADS: usize = 16 * 1024 * 1024;

/// How long somebody may keep us waiting.
#[derive(Clone, Debug)]
pub struct Patience {
    /// Between the first and the last byte of a request's head.
    pub head: Duration,
    /// While an answer waits for its reader.
    pub send: Duration,
    /// The budget of what waits to be sent.
    pub waiting: Budget,
}

/// What a connection is doing.
const IDLE: u8 = 0;
const HEAD: u8 = 1;
const BUSY: u8 = 2;

/// What is known of an open connection.
#[derive(Debug, Default)]
pub struct Link {
    phase: AtomicU8,
    /// When it last began to wait for a request, or for the rest of one, by a count of such moments.
    since: AtomicU64,
    /// Whether all that was written has left HTTP's hands.
    flushed: AtomicBool,
    /// Whether a body was left in the middle: what comes next is no request.
    broken: AtomicBool,
    /// Whoever is told here ends, if nothing is under way.
    pub evicted: Notify,
}

impl Link {
    /// Whether it waits for a request, and nothing of it is anywhere.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.phase.load(Ordering::Acquire) == IDLE && self.flushed.load(Ordering::Acquire) && !self.broken.load(Ordering::Acquire)
    }

    /// A body was not read to its end.
    pub fn broke(&self) {
        self.broken.store(true, Ordering::Release);
    }
}

/// All open connections.
#[derive(Debug)]
pub struct Links {
    open: Mutex<HashMap<u64, Arc<Link>>>,
    count: AtomicU64,
    number: AtomicUsize,
    /// The bytes of heads.
    pub heads: Budget,
    /// The turns of requests.
    pub turns: Arc<Semaphore>,
}

impl Default for Links {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            count: AtomicU64::new(0),
            number: AtomicUsize::new(0),
            heads: Budget::new(HEADS),
            turns: Arc::new(Semaphore::new(UNDER_WAY)),
        }
    }
}

/// An open connection's place among all; it is given up when this is dropped.
#[derive(Debug)]
pub struct Place {
    links: Arc<Links>,
    number: u64,
    link: Arc<Link>,
}

impl Links {
    /// A place for one more connection: if there are too many, the one that has waited longest for a
    /// request goes; if all are busy, there is none.
    pub fn take(self: &Arc<Self>, most: usize) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= most {
            let waiting = open.iter().filter(|(_, link)| link.phase.load(Ordering::Acquire) != BUSY);
            let (longest, _) = waiting.min_by_key(|(_, link)| link.since.load(Ordering::Relaxed))?;
            let longest = *longest;
            open.remove(&longest)?.evicted.notify_one();
        }
        self.number.store(open.len() + 1, Ordering::Relaxed);
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let link = Arc::new(Link::default());
        link.since.store(number, Ordering::Relaxed);
        open.insert(number, Arc::clone(&link));
        Some(Place { links: Arc::clone(self), number, link })
    }

    /// Whether so many are open that each must take little.
    #[must_use]
    pub fn are_many(&self) -> bool {
        self.number.load(Ordering::Relaxed) > FEW
    }

    /// Whether three quarters of what may be open is.
    #[must_use]
    pub fn are_nearly(&self, most: usize) -> bool {
        self.number.load(Ordering::Relaxed) > most / 4 * 3
    }

    /// Whether three quarters of the turns are taken.
    #[must_use]
    pub fn are_busy(&self) -> bool {
        self.turns.available_permits() < UNDER_WAY / 4
    }

    /// The head that has been on its way for longest goes: those of honest callers come in one piece.
    pub fn make_room(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let slow = open.iter().filter(|(_, link)| link.phase.load(Ordering::Acquire) == HEAD);
        let slowest = slow.min_by_key(|(_, link)| link.since.load(Ordering::Relaxed)).map(|(number, _)| *number);
        if let Some(link) = slowest.and_then(|number| open.remove(&number)) {
            link.evicted.notify_one();
        }
    }
}

impl Place {
    /// What is known of the connection.
    #[must_use]
    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// All connections.
    #[must_use]
    pub fn links(&self) -> &Arc<Links> {
        &self.links
    }

    /// The first bytes of a request have come.
    pub fn begins(&self) {
        self.link.since.store(self.links.count.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        self.link.phase.store(HEAD, Ordering::Release);
    }

    /// A request has come; it is under way until this is dropped.
    #[must_use]
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.link.phase.store(BUSY, Ordering::Release);
        Busy(Arc::clone(self))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let left = {
            let mut open = self.links.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.remove(&self.number);
            open.len()
        };
        if self.links.number.swap(left, Ordering::Relaxed) > FEW {
            memory::tidy_later();
        }
    }
}

/// A request under way.
#[derive(Debug)]
pub struct Busy(Arc<Place>);

impl Drop for Busy {
    fn drop(&mut self) {
        let now = self.0.links.count.fetch_add(1, Ordering::Relaxed);
        self.0.link.since.store(now, Ordering::Relaxed);
        self.0.link.phase.store(IDLE, Ordering::Release);
    }
}

/// A connection's bytes, watched.
pub struct Stream {
    socket: Wire,
    /// What was read of it before, from where it is still to be given on.
    front: (Vec<u8>, usize),
    place: Arc<Place>,
    patience: Patience,
    /// Until when the head of a request has to be here.
    head: Option<Pin<Box<Sleep>>>,
    /// Since when the reader has taken nothing.
    stalled: Option<(Instant, Pin<Box<Sleep>>)>,
    /// How long it has kept us waiting, less what its progress has earned.
    debt: Duration,
    /// How many bytes it has taken.
    taken: u64,
    /// Whether it was seen to take some after a while.
    reads: bool,
    /// Whether the system keeps much for it.
    is_wide: bool,
}

impl Stream {
    /// Watches a connection, of which this was read already.
    #[must_use]
    pub fn new(socket: Wire, front: Vec<u8>, place: Arc<Place>, patience: Patience) -> Self {
        place.link.flushed.store(true, Ordering::Release);
        let (debt, head, stalled) = (Duration::ZERO, None, None);
        Self { socket, front: (front, 0), place, patience, head, stalled, debt, taken: 0, reads: false, is_wide: false }
    }

    /// The connection itself, watched no more.
    #[must_use]
    pub fn into_socket(self) -> Wire {
        self.socket
    }

    /// After something was sent, or could not be.
    fn sent(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.place.link.flushed.store(false, Ordering::Release);
        match &done {
            Poll::Ready(Ok(count)) => {
                self.taken += *count as u64;
                if let Some((since, _)) = self.stalled.take() {
                    let waited = since.elapsed();
                    self.debt += waited;
                    self.reads |= waited >= SLOWLY;
                    if waited < SOON && self.taken > MUCH && !self.is_wide {
                        self.is_wide = rustix::net::sockopt::set_socket_send_buffer_size(self.socket.tcp(), UNSENT_WIDE).is_ok();
                    }
                }
                self.debt = self.debt.saturating_sub(Duration::from_millis(*count as u64 * 1_000 / SLOWEST));
                done
            }
            Poll::Ready(Err(_)) => done,
            Poll::Pending => self.waited(cx).map(Err),
        }
    }

    fn waited(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let strict = self.patience.send / STRICTER;
        let (since, look) = self.stalled.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(strict))));
        while look.as_mut().poll(cx).is_ready() {
            let is_tight = self.patience.waiting.is_tight() || self.place.links.are_busy();
            let patience = if is_tight && !self.reads {
                strict
            } else if self.is_wide {
                // So long the slowest reader is busy with what the system has for it.
                self.patience.send + Duration::from_secs(UNSENT_WIDE as u64 / SLOWEST)
            } else {
                self.patience.send
            };
            if self.debt + since.elapsed() >= patience {
                return Poll::Ready(late("the answer was not read"));
            }
            look.as_mut().reset(Instant::now() + strict);
        }
        Poll::Pending
    }

    /// What was read before, as if it came now.
    fn poll_front(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let (bytes, at) = &mut self.front;
        let rest = bytes.get(*at..).unwrap_or_default();
        let some = rest.get(..buffer.remaining()).unwrap_or(rest);
        if some.is_empty() {
            return false;
        }
        buffer.put_slice(some);
        *at += some.len();
        if *at == bytes.len() {
            self.front = (Vec::new(), 0);
        }
        true
    }
}

fn late(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let done = if self.poll_front(buffer) { Poll::Ready(Ok(())) } else { Pin::new(&mut self.socket).poll_read(cx, buffer) };
        let (phase, has_more) = (self.place.link.phase.load(Ordering::Acquire), buffer.filled().len() > before);
        match phase {
            // HTTP may not have asked for anything while the last request was under way.
            BUSY => self.head = None,
            IDLE if !has_more => self.head = None,
            IDLE => {
                self.place.begins();
                self.head = Some(Box::pin(sleep(self.patience.head)));
            }
            _ if self.head.is_none() => self.head = Some(Box::pin(sleep(self.patience.head))),
            _ => {}
        }
        let is_late = done.is_pending() && self.head.as_mut().is_some_and(|end| end.as_mut().poll(cx).is_ready());
        if is_late { Poll::Ready(Err(late("the request did not come to its end"))) } else { done }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.sent(cx, done)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // HTTP asks for this when it has nothing left to write.
        self.place.link.flushed.store(true, Ordering::Release);
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.socket).poll_write_vectored(cx, bytes);
        self.sent(cx, done)
    }
}
