//! How far a run is: for the bar on a terminal, for the log, and for whoever polls the job.

use std::sync::{Mutex, PoisonError};

/// What a run is doing now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// "reading requesters", "applying".
    pub phase: String,
    /// How many records or items so far.
    pub done: u64,
    /// Of how many, as far as that is known.
    pub total: Option<u64>,
}

impl Now {
    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        match self.total {
            Some(total) => format!("{}: {} of {total}", self.phase, self.done),
            None => format!("{}: {}", self.phase, self.done),
        }
    }
}

/// Someone who watches a run.
type Watcher = Box<dyn Fn(&Now) + Send + Sync>;

/// Where a run says how far it is.
#[derive(Default)]
pub struct Progress {
    now: Mutex<Now>,
    watcher: Option<Watcher>,
}

impl Progress {
    /// Progress that calls `watcher` at each step.
    #[must_use]
    pub fn watched(watcher: impl Fn(&Now) + Send + Sync + 'static) -> Self {
        Self { now: Mutex::default(), watcher: Some(Box::new(watcher)) }
    }

    /// What the run is doing now.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A new phase begins.
    pub fn begin(&self, phase: &str, total: Option<u64>) {
        self.change(|now| *now = Now { phase: phase.to_owned(), done: 0, total });
    }

    /// So many more are done.
    pub fn add(&self, count: usize) {
        self.change(|now| now.done += count as u64);
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        let now = {
            let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut now);
            now.clone()
        };
        if let Some(watcher) = &self.watcher {
            watcher(&now);
        }
    }
}
