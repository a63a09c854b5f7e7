//! A closure on its way to an owner thread, and its answer on the way back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use tokio::sync::oneshot;

use super::conn::Conn;
use super::write::Write;
use crate::error::{Error, Result};
use crate::types::{Actor, Scope};

/// What a batch that could not be committed means for its members.
pub(super) type Failure<'a> = &'a dyn Fn() -> Error;

/// A read or write whose types are erased, so that one queue holds them all.
pub(super) trait Job<Target>: Send {
    /// Runs the closure; `true` when it succeeded (the savepoint may be kept).
    fn run(&mut self, target: &mut Target) -> bool;
    /// Sends the closure's own answer.
    fn answer(self: Box<Self>);
    /// Sends a failure instead: the batch was not committed.
    fn fail(self: Box<Self>, failure: Failure<'_>);
    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
}

/// Whose turn it is: a job that has not begun can still be given up, and then has done nothing.
#[derive(Clone, Default)]
pub(super) struct Turn(Arc<AtomicU8>);

impl Turn {
    const WAITS: u8 = 0;
    const BEGUN: u8 = 1;
    const GIVEN_UP: u8 = 2;

    fn leave_waiting(&self, to: u8) -> bool {
        self.0.compare_exchange(Self::WAITS, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn begin(&self) -> bool {
        self.leave_waiting(Self::BEGUN)
    }

    /// Gives the job up; false when it has begun.
    pub(super) fn give_up(&self) -> bool {
        self.leave_waiting(Self::GIVEN_UP)
    }
}

pub(super) struct Task<F, T> {
    turn: Turn,
    work: Option<F>,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Task<F, T> {
    pub(super) fn new(work: F) -> (Self, oneshot::Receiver<Result<T>>) {
        let (reply, answer) = oneshot::channel();
        (Self { turn: Turn::default(), work: Some(work), result: None, reply }, answer)
    }

    /// With which the one who waits can give it up.
    pub(super) fn turn(&self) -> Turn {
        self.turn.clone()
    }

    /// The panic fence: a closure that panics is that request's failure, never the thread's.
    fn fenced(&mut self, call: impl FnOnce(F) -> Result<T>) -> bool {
        if !self.turn.begin() {
            return false;
        }
        let Some(work) = self.work.take() else { return false };
        let result = catch_unwind(AssertUnwindSafe(|| call(work)))
            .unwrap_or_else(|panic| Err(Error::Internal(format!("a database closure panicked: {}", panic_text(&*panic)))));
        let kept = result.is_ok();
        self.result = Some(result);
        kept
    }

    fn send(self) {
        if let Some(result) = self.result {
            // The caller may have gone; the commit stands either way.
            let _gone = self.reply.send(result);
        }
    }

    fn send_failure(self, failure: Failure<'_>) {
        let _gone = self.reply.send(Err(failure()));
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

impl<F, T> Job<Conn> for Task<F, T>
where
    F: FnOnce(&mut Conn) -> Result<T> + Send,
    T: Send,
{
    fn run(&mut self, conn: &mut Conn) -> bool {
        self.fenced(|work| work(conn))
    }
    fn answer(self: Box<Self>) {
        self.send();
    }
    fn fail(self: Box<Self>, failure: Failure<'_>) {
        self.send_failure(failure);
    }
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

impl<F, T> Job<Write<'_>> for Task<F, T>
where
    F: FnOnce(&mut Write<'_>) -> Result<T> + Send,
    T: Send,
{
    fn run(&mut self, write: &mut Write<'_>) -> bool {
        self.fenced(|work| work(write))
    }
    fn answer(self: Box<Self>) {
        self.send();
    }
    fn fail(self: Box<Self>, failure: Failure<'_>) {
        self.send_failure(failure);
    }
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

/// A read job with the tenant boundary it runs under.
pub(super) struct ReadJob {
    pub(super) scope: Scope,
    pub(super) asked: Instant,
    /// Until when it waits for locks.
    pub(super) until: Instant,
    pub(super) task: Box<dyn Job<Conn>>,
}

/// A write job with its boundary, its author and whether it is only a rehearsal.
pub(super) struct WriteJob {
    pub(super) scope: Scope,
    pub(super) actor: Actor,
    pub(super) dry_run: bool,
    pub(super) task: Box<dyn for<'a> Job<Write<'a>>>,
}
