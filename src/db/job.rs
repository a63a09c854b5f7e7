//! A closure on its way to an owner thread, and its answer on the way back.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use tokio::sync::oneshot;

use super::conn::Conn;
use super::queue::Lane;
use super::write::Write;
use crate::error::{Error, Result};
use crate::types::{Actor, Scope};

/// What a batch that could not be committed means for its members.
pub(super) type Failure<'a> = &'a dyn Fn() -> Error;

/// What a closure has made, of whichever type: the owner threads need not know it, and so there is one way of the many
/// closures through them, compiled once.
pub(super) type Answer = Box<dyn Any + Send>;
/// What reads.
pub(super) type ReadWork = Box<dyn FnOnce(&mut Conn) -> Result<Answer> + Send>;
/// What changes something.
pub(super) type WriteWork = Box<dyn FnOnce(&mut Write<'_>) -> Result<Answer> + Send>;

/// An answer as whoever asked for it knows it.
///
/// # Errors
/// `Internal` when it is another one.
pub(super) fn unpack<T: 'static>(answer: Answer) -> Result<T> {
    answer.downcast().map(|answer| *answer).map_err(|_| Error::Internal("the answer to another question".to_owned()))
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

/// A closure with the one who waits for its answer.
pub(super) struct Task<W> {
    turn: Turn,
    work: Option<W>,
    result: Option<Result<Answer>>,
    reply: oneshot::Sender<Result<Answer>>,
}

impl<W> Task<W> {
    pub(super) fn new(work: W) -> (Self, oneshot::Receiver<Result<Answer>>) {
        let (reply, answer) = oneshot::channel();
        (Self { turn: Turn::default(), work: Some(work), result: None, reply }, answer)
    }

    /// With which the one who waits can give it up.
    pub(super) fn turn(&self) -> Turn {
        self.turn.clone()
    }

    /// The panic fence: a closure that panics is that request's failure, never the thread's.
    fn fenced(&mut self, call: impl FnOnce(W) -> Result<Answer>) -> bool {
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

    /// Sends the closure's own answer.
    pub(super) fn answer(self) {
        if let Some(result) = self.result {
            // The caller may have gone; the commit stands either way.
            let _gone = self.reply.send(result);
        }
    }

    /// Sends a failure instead: the batch was not committed.
    pub(super) fn fail(self, failure: Failure<'_>) {
        let _gone = self.reply.send(Err(failure()));
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

impl Task<ReadWork> {
    /// Runs the closure; `true` when it succeeded.
    pub(super) fn run(&mut self, conn: &mut Conn) -> bool {
        self.fenced(|work| work(conn))
    }
}

impl Task<WriteWork> {
    /// Runs the closure; `true` when it succeeded (the savepoint may be kept).
    pub(super) fn run(&mut self, write: &mut Write<'_>) -> bool {
        self.fenced(|work| work(write))
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// A read job with the tenant boundary it runs under.
pub(super) struct ReadJob {
    pub(super) scope: Scope,
    pub(super) asked: Instant,
    /// Until when it waits for locks.
    pub(super) until: Instant,
    pub(super) task: Task<ReadWork>,
}

/// A write job with its boundary, its author and whether it is only a rehearsal.
pub(super) struct WriteJob {
    pub(super) scope: Scope,
    pub(super) actor: Actor,
    pub(super) dry_run: bool,
    pub(super) lane: Lane,
    pub(super) task: Task<WriteWork>,
}
