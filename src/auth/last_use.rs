//! When a session was last used, noted once a minute.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::types::now_plus;

/// How often it is noted, in seconds.
pub const NOTED_EVERY: i64 = 60;
/// The most sessions that are remembered.
const MOST: usize = 10_000;

/// The sessions whose use this process has noted, by the ids of their tokens.
#[derive(Debug, Default)]
pub struct LastUse(Mutex<HashMap<String, Instant>>);

impl LastUse {
    /// Whether the use of a session is to be noted now; `stored` is when it was last.
    pub fn is_due(&self, jti: &str, stored: Option<&str>) -> bool {
        if stored.is_some_and(|at| at > now_plus(-NOTED_EVERY).as_str()) {
            return false;
        }
        let pause = Duration::from_secs(NOTED_EVERY.unsigned_abs());
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(jti).is_some_and(|at| at.elapsed() < pause) {
            return false;
        }
        if noted.len() >= MOST {
            noted.retain(|_, at| at.elapsed() < pause);
        }
        if noted.len() >= MOST {
            noted.clear();
        }
        noted.insert(jti.to_owned(), Instant::now());
        true
    }
}
