//! Tells without a query whether anything may have changed since an answer was made.
//!
//! The writer beats after each COMMIT that changed something and before it answers, so that who has
//! written reads what they wrote; a thread of its own notices commits of other processes. When that
//! thread falls silent there is no pulse, and everybody asks the database itself.

use super::{Opener, Shared, conn::Conn, rewrite::Engine};
use crate::{error::Result, params};
use std::{
    sync::{
        Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How often an SQLite file is looked at; costs one read of shared memory.
const SQLITE_INTERVAL: Duration = Duration::from_millis(5);
/// How often a server is asked.
const POSTGRES_INTERVAL: Duration = Duration::from_millis(200);
/// After how long without news there is no pulse.
const SILENCE: Duration = Duration::from_millis(500);

/// The count of commits that changed something, of all processes.
pub(super) struct Pulse {
    beats: AtomicU64,
    heard: AtomicU64,
    started: Instant,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self { beats: AtomicU64::new(0), heard: AtomicU64::new(0), started: Instant::now() }
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

    fn hear(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now.max(1), Ordering::SeqCst);
    }
}

/// Listens until the database handle is gone.
pub(super) fn listen(shared: &Weak<Shared>, opener: &Opener) {
    let mut held: Option<Conn> = None;
    let mut known = None;
    while let Some(shared) = shared.upgrade() {
        let interval = if shared.target.is_server() { POSTGRES_INTERVAL } else { SQLITE_INTERVAL };
        let seen =
            held.take().map_or_else(|| opener.open(true), Ok).and_then(|mut conn| state(&mut conn).map(|state| (conn, state)));
        let mut pause = POSTGRES_INTERVAL;
        if let Ok((conn, state)) = seen {
            if known.replace(state).is_none_or(|known| known != state) {
                shared.pulse.beat();
            }
            shared.pulse.hear();
            held = Some(conn);
            pause = interval;
        }
        drop(shared);
        std::thread::sleep(pause);
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
