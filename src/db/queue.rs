//! A bounded queue with two lanes, many senders and many receivers: interactive work goes first.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Which line a job stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// A person or a neighbour waits for the answer.
    Interactive,
    /// A sync or an import: taken only when nobody waits.
    Bulk,
}

struct Lanes<T> {
    interactive: VecDeque<T>,
    bulk: VecDeque<T>,
    closed: bool,
}

impl<T> Lanes<T> {
    fn next(&mut self) -> Option<(Lane, T)> {
        let interactive = self.interactive.pop_front().map(|job| (Lane::Interactive, job));
        interactive.or_else(|| self.bulk.pop_front().map(|job| (Lane::Bulk, job)))
    }
}

/// What waiting for a job has come to.
pub(super) enum Popped<T> {
    Job(Lane, T),
    /// Nobody has sent one.
    Nothing,
    /// Nobody will.
    Closed,
}

pub(super) struct Queue<T> {
    lanes: Mutex<Lanes<T>>,
    filled: Condvar,
    capacity: usize,
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let lanes = Lanes { interactive: VecDeque::new(), bulk: VecDeque::new(), closed: false };
        Self { lanes: Mutex::new(lanes), filled: Condvar::new(), capacity }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes<T>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job; gives it back when the lane is full or the queue is closed.
    pub(super) fn push(&self, lane: Lane, job: T) -> Result<(), T> {
        let mut lanes = self.lanes();
        let closed = lanes.closed;
        let line = match lane {
            Lane::Interactive => &mut lanes.interactive,
            Lane::Bulk => &mut lanes.bulk,
        };
        if closed || line.len() >= self.capacity {
            return Err(job);
        }
        line.push_back(job);
        drop(lanes);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for a job; `None` when the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<(Lane, T)> {
        let mut lanes = self.lanes();
        loop {
            if let Some(job) = lanes.next() {
                return Some(job);
            }
            if lanes.closed {
                return None;
            }
            lanes = self.filled.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The same, for so long at most.
    pub(super) fn pop_within(&self, patience: Duration) -> Popped<T> {
        let mut lanes = self.lanes();
        let end = Instant::now() + patience;
        loop {
            if let Some((lane, job)) = lanes.next() {
                return Popped::Job(lane, job);
            }
            let left = end.saturating_duration_since(Instant::now());
            if lanes.closed || left.is_zero() {
                return if lanes.closed { Popped::Closed } else { Popped::Nothing };
            }
            lanes = self.filled.wait_timeout(lanes, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// An interactive job that is already waiting, to join the batch under way.
    pub(super) fn try_pop_interactive(&self) -> Option<T> {
        self.lanes().interactive.pop_front()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        let lanes = self.lanes();
        lanes.interactive.len() + lanes.bulk.len()
    }

    /// Whether anybody interactive waits.
    pub(super) fn interactive_waits(&self) -> bool {
        !self.lanes().interactive.is_empty()
    }

    /// Lets the receivers finish what is queued and then stop.
    pub(super) fn close(&self) {
        self.lanes().closed = true;
        self.filled.notify_all();
    }
}
