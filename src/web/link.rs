//! One connection: who on the other end reads or sends nothing is cut off, and who waits for nothing makes
//! room for others when there are too many.

use super::budget::Budget;
use std::{
    collections::HashMap,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
    time::{Instant, Sleep, sleep},
};

/// Bytes that a reader takes in each second, at least.
const SLOWEST: u64 = 4 * 1024;
/// How many times stricter we are when too much waits to be sent.
const STRICTER: u32 = 6;

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
    /// When it last began to wait for a request, by a count of such moments.
    since: AtomicU64,
    /// Whoever is told here ends, if nothing is under way.
    pub evicted: Notify,
}

/// All open connections.
#[derive(Debug, Default)]
pub struct Links {
    open: Mutex<HashMap<u64, Arc<Link>>>,
    count: AtomicU64,
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
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let link = Arc::new(Link::default());
        link.since.store(number, Ordering::Relaxed);
        open.insert(number, Arc::clone(&link));
        Some(Place { links: Arc::clone(self), number, link })
    }
}

impl Place {
    /// What is known of the connection.
    #[must_use]
    pub fn link(&self) -> &Arc<Link> {
        &self.link
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
        self.links.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
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
    socket: TcpStream,
    link: Arc<Link>,
    patience: Patience,
    /// Until when the head of a request has to be here.
    head: Option<Pin<Box<Sleep>>>,
    /// Since when the reader has taken nothing.
    stalled: Option<(Instant, Pin<Box<Sleep>>)>,
    /// How long it has kept us waiting, less what its progress has earned.
    debt: Duration,
}

impl Stream {
    /// Watches a connection.
    #[must_use]
    pub fn new(socket: TcpStream, link: Arc<Link>, patience: Patience) -> Self {
        Self { socket, link, patience, head: None, stalled: None, debt: Duration::ZERO }
    }

    /// After something was sent, or could not be.
    fn sent(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &done {
            Poll::Ready(Ok(count)) => {
                if let Some((since, _)) = self.stalled.take() {
                    self.debt += since.elapsed();
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
            let patience = if self.patience.waiting.is_tight() { strict } else { self.patience.send };
            if self.debt + since.elapsed() >= patience {
                return Poll::Ready(late("the answer was not read"));
            }
            look.as_mut().reset(Instant::now() + strict);
        }
        Poll::Pending
    }
}

fn late(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let done = Pin::new(&mut self.socket).poll_read(cx, buffer);
        if self.link.phase.load(Ordering::Acquire) == BUSY {
            self.head = None;
            return done;
        }
        if buffer.filled().len() > before && self.head.is_none() {
            self.link.phase.store(HEAD, Ordering::Release);
            self.head = Some(Box::pin(sleep(self.patience.head)));
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
