//! How far a run is: for the bar on a terminal, for the log, and for whoever polls the job.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::types::now;

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As expected.
    Info,
    /// Worth a look.
    Warning,
    /// Went wrong.
    Error,
}

impl Level {
    /// The word stored in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One line of a job's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: String,
    /// How much it matters.
    pub level: Level,
    /// What.
    pub text: String,
}

/// What a run is doing now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// "reading requesters", "applying".
    pub phase: String,
    /// How many records or items so far.
    pub done: u64,
    /// Of how many, as far as that is known.
    pub total: Option<u64>,
    /// For how many more seconds the vendor's rate limit makes it wait.
    pub waiting: Option<u64>,
    /// For how many more seconds the phase will take, as far as that can be told.
    pub left: Option<u64>,
}

impl Now {
    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let far = match self.total {
            Some(total) => format!("{}: {} of {total}", self.phase, self.done),
            None => format!("{}: {}", self.phase, self.done),
        };
        let far = match self.left {
            Some(seconds) => format!("{far}, about {} left", minutes(seconds / 60)),
            None => far,
        };
        match self.waiting {
            Some(seconds) => format!("{far} (waiting for the vendor's rate limit, {seconds} s)"),
            None => far,
        }
    }
}

/// Minutes in words: `3 minutes`, `2 h 5 min`.
#[must_use]
pub fn minutes(minutes: u64) -> String {
    match minutes {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        2..=90 => format!("{minutes} minutes"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// Someone who watches a run.
type Watcher = Box<dyn Fn(&Now) + Send + Sync>;

/// Where a run says how far it is.
#[derive(Default)]
pub struct Progress {
    now: Mutex<Now>,
    log: Mutex<Vec<Line>>,
    watcher: Option<Watcher>,
}

impl Progress {
    /// Progress that calls `watcher` at each step.
    #[must_use]
    pub fn watched(watcher: impl Fn(&Now) + Send + Sync + 'static) -> Self {
        Self { watcher: Some(Box::new(watcher)), ..Self::default() }
    }

    /// What the run is doing now.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A new phase begins; how the one before ended goes to the log.
    pub fn begin(&self, phase: &str, total: Option<u64>) {
        self.end_phase();
        self.change(|now| *now = Now { phase: phase.to_owned(), total, ..Now::default() });
    }

    /// So many more are done.
    pub fn add(&self, count: usize) {
        self.change(|now| now.done += count as u64);
    }

    /// Adds a line to the job's log.
    pub fn say(&self, level: Level, text: impl Into<String>) {
        let line = Line { at: now(), level, text: text.into() };
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// Says how far the phase has come that ends now.
    pub fn end_phase(&self) {
        let now = self.now();
        if !now.phase.is_empty() {
            self.say(Level::Info, if now.done == 0 && now.total.is_none() { now.phase } else { now.line() });
        }
    }

    /// The lines since the last call.
    #[must_use]
    pub fn take_lines(&self) -> Vec<Line> {
        std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The vendor's rate limit makes it wait so long; `None` when it goes on.
    pub fn waiting(&self, left: Option<Duration>) {
        self.change(|now| now.waiting = left.map(|left| left.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)));
    }

    /// The phase will take so much longer; `None` when nobody can tell.
    pub fn left(&self, left: Option<Duration>) {
        self.change(|now| now.left = left.map(|left| left.as_secs()));
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
