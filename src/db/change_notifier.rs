//! Tells without a query whether anything may have changed since an answer was made.
//!
//! The writer beats after each COMMIT that changed something and before it answers, so that who has
//! written reads what they wrote; a thread of its own notices commits of other processes. When that
//! thread falls silent there is no count, and everybody asks the database itself.

use std::{
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{Opener, conn::Conn, rewrite::Engine};
use crate::{error::Result, params};

/// How often an SQLite file is looked at; costs one read of shared memory.
const SQLITE_INTERVAL: Duration = Duration::from_millis(5);
/// How often a server is asked.
const POSTGRES_INTERVAL: Duration = Duration::from_millis(200);
/// After how long without news there is no count.
const SILENCE: Duration = Duration::from_millis(500);

/// The count of commits that changed something, of all processes.
pub(super) struct ChangeNotifier {
    beats: AtomicU64,
    heard: AtomicU64,
    started: Instant,
    ended: Mutex<bool>,
    end: Condvar,
}

impl ChangeNotifier {
    pub(super) fn new() -> Self {
        Self {
            beats: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            started: Instant::now(),
            ended: Mutex::new(false),
            end: Condvar::new(),
        }
    }

    /// Something changed.
    pub(super) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::SeqCst);
    }

    /// The count; none while nobody listens for other processes.
    pub(super) fn count(&self) -> Option<u64> {
        let heard = Duration::from_millis(self.heard.load(Ordering::SeqCst));
        let fresh = !heard.is_zero() && self.started.elapsed().saturating_sub(heard) < SILENCE;
        fresh.then(|| self.beats.load(Ordering::SeqCst))
    }

    /// Ends the listening.
    pub(super) fn stop(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.end.notify_all();
    }

    /// Waits so long; true when the listening is to end.
    fn rest(&self, pause: Duration) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.end.wait_timeout_while(ended, pause, |ended| !*ended);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn hear(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now.max(1), Ordering::SeqCst);
    }
}

/// Listens until it is told to stop.
pub(super) fn listen(change_notifier: &ChangeNotifier, opener: &Opener) {
    let mut held: Option<Conn> = None;
    let mut known = None;
    let interval = if opener.target.is_server() { POSTGRES_INTERVAL } else { SQLITE_INTERVAL };
    loop {
        let seen =
            held.take().map_or_else(|| opener.open(true), Ok).and_then(|mut conn| state(&mut conn).map(|state| (conn, state)));
        let mut pause = POSTGRES_INTERVAL;
        if let Ok((conn, state)) = seen {
            if known.replace(state).is_none_or(|known| known != state) {
                change_notifier.beat();
            }
            change_notifier.hear();
            held = Some(conn);
            pause = interval;
        }
        if change_notifier.rest(pause) {
            return;
        }
    }
}

/// A number that is another one after a commit of another connection.
fn state(conn: &mut Conn) -> Result<i64> {
    let sql = match conn.engine() {
        Engine::Sqlite => "PRAGMA data_version",
        Engine::Postgres => "SELECT CAST(coalesce(sum(version + observed), 0) AS BIGINT) FROM versions",
    };
    conn.one(sql, params![])?.get(0)
}
