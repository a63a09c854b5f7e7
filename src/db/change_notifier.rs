//! Tells without a query whether anything may have changed since an answer was made, and whether certain entities have.
//!
//! The writer publishes after each COMMIT and before it answers, so that who has written reads what they wrote; a thread
//! of its own notices commits of other processes. When that thread falls silent there are no counts, and everybody asks
//! the database itself. What another process has committed is therefore seen after `SQLITE_INTERVAL` or
//! `POSTGRES_INTERVAL` as a rule, and after `SILENCE` at most.

use std::{
    collections::HashMap,
    sync::{
        Condvar, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{Opener, conn::Conn};
use crate::{error::Result, params};

/// How often an SQLite file is looked at; costs one read of shared memory.
const SQLITE_INTERVAL: Duration = Duration::from_millis(5);
/// How often a server is asked.
const POSTGRES_INTERVAL: Duration = Duration::from_millis(50);
/// The pause after a database that did not answer.
const AGAIN: Duration = Duration::from_millis(200);
/// After how long without news there are no counts.
const SILENCE: Duration = Duration::from_millis(500);

/// The counts of commits of all processes: of all together, and of those that changed an entity.
pub(super) struct ChangeNotifier {
    commits: AtomicU64,
    /// What may have changed anything at all stands in the counts of all entities.
    everything: AtomicU64,
    entities: RwLock<HashMap<String, AtomicU64>>,
    heard: AtomicU64,
    started: Instant,
    ended: Mutex<bool>,
    end: Condvar,
}

impl ChangeNotifier {
    pub(super) fn new() -> Self {
        Self {
            commits: AtomicU64::new(0),
            everything: AtomicU64::new(0),
            entities: RwLock::default(),
            heard: AtomicU64::new(0),
            started: Instant::now(),
            ended: Mutex::new(false),
            end: Condvar::new(),
        }
    }

    /// Something was committed that changed these entities, if any.
    pub(super) fn publish<'a>(&self, changed: impl IntoIterator<Item = &'a str>) {
        for entity in changed {
            self.count_entity(entity);
        }
        self.commits.fetch_add(1, Ordering::SeqCst);
    }

    /// Something was committed, and nobody knows what.
    pub(super) fn publish_everything(&self) {
        self.everything.fetch_add(1, Ordering::SeqCst);
        self.commits.fetch_add(1, Ordering::SeqCst);
    }

    fn count_entity(&self, entity: &str) {
        {
            let known = self.entities.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = known.get(entity) {
                count.fetch_add(1, Ordering::SeqCst);
                return;
            }
        }
        let mut known = self.entities.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(entity.to_owned()).or_default().fetch_add(1, Ordering::SeqCst);
    }

    /// The count of all commits; none while nobody listens for other processes.
    pub(super) fn commits(&self) -> Option<u64> {
        self.is_listening().then(|| self.commits.load(Ordering::SeqCst))
    }

    /// A number that stays the same as long as none of these entities changes; none while nobody listens.
    pub(super) fn changes_of<'a>(&self, entities: impl IntoIterator<Item = &'a str>) -> Option<u64> {
        if !self.is_listening() {
            return None;
        }
        let known = self.entities.read().unwrap_or_else(PoisonError::into_inner);
        let counts = entities.into_iter().filter_map(|entity| known.get(entity)).map(|count| count.load(Ordering::SeqCst));
        // Each of them only grows, and so their sum tells of every one.
        Some(counts.fold(self.everything.load(Ordering::SeqCst), u64::wrapping_add))
    }

    fn is_listening(&self) -> bool {
        let heard = Duration::from_millis(self.heard.load(Ordering::SeqCst));
        !heard.is_zero() && self.started.elapsed().saturating_sub(heard) < SILENCE
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

/// The version and the observations of each entity.
type Versions = HashMap<String, (i64, i64)>;

/// What a connection has seen of the database; what another one saw cannot be compared with it.
struct Listener {
    conn: Conn,
    state: String,
    versions: Versions,
}

/// Listens until it is told to stop.
pub(super) fn listen(change_notifier: &ChangeNotifier, opener: &Opener) {
    let mut held: Option<Listener> = None;
    let interval = if opener.target.is_server() { POSTGRES_INTERVAL } else { SQLITE_INTERVAL };
    loop {
        let seen = match held.take() {
            Some(listener) => look(listener, change_notifier),
            None => begin(opener).inspect(|_| change_notifier.publish_everything()),
        };
        let mut pause = AGAIN;
        if let Ok(listener) = seen {
            change_notifier.hear();
            held = Some(listener);
            pause = interval;
        }
        if change_notifier.rest(pause) {
            return;
        }
    }
}

fn begin(opener: &Opener) -> Result<Listener> {
    let mut conn = opener.open(true)?;
    let state = conn.state()?;
    let versions = versions(&mut conn)?;
    Ok(Listener { conn, state, versions })
}

/// Publishes what has changed since the last look.
fn look(mut listener: Listener, change_notifier: &ChangeNotifier) -> Result<Listener> {
    let state = listener.conn.state()?;
    if state != listener.state {
        let now = versions(&mut listener.conn)?;
        let changed = now.iter().filter(|(entity, version)| listener.versions.get(*entity) != Some(*version));
        let gone = listener.versions.keys().any(|entity| !now.contains_key(entity));
        if gone {
            change_notifier.publish_everything();
        }
        change_notifier.publish(changed.map(|(entity, _)| entity.as_str()));
        (listener.state, listener.versions) = (state, now);
    }
    Ok(listener)
}

fn versions(conn: &mut Conn) -> Result<Versions> {
    let rows = conn.map("SELECT entity, version, observed FROM versions", params![], |row| {
        Ok((row.get::<String>(0)?, (row.get(1)?, row.get(2)?)))
    })?;
    Ok(rows.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_is_counted_for_itself_and_everything_for_all() {
        let changes = ChangeNotifier::new();
        assert_eq!((changes.commits(), changes.changes_of(["asset"])), (None, None), "nobody listens yet");
        changes.hear();
        let (asset, both) = (changes.changes_of(["asset"]), changes.changes_of(["asset", "company"]));
        changes.publish(["company"]);
        assert_eq!(changes.changes_of(["asset"]), asset);
        assert_ne!(changes.changes_of(["asset", "company"]), both);
        let both = changes.changes_of(["asset", "company"]);
        changes.publish([]);
        assert_eq!((changes.commits(), changes.changes_of(["asset", "company"])), (Some(2), both));
        changes.publish_everything();
        assert_ne!(changes.changes_of(["asset"]), asset);
        assert_eq!(changes.commits(), Some(3));
    }
}
