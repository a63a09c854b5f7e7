//! The two-engine database layer: closures sent to threads that own connections.

mod conn;
mod job;
pub mod list;
pub mod migrate;
#[cfg(feature = "postgres")]
mod postgres;
mod pulse;
mod queue;
mod reader;
mod rewrite;
mod sqlite;
mod target;
mod value;
mod write;
mod writer;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::types::{Actor, Scope};
pub use conn::Conn;
use job::{ReadJob, Task, WriteJob};
use queue::{Lane, Queue};
pub use rewrite::{Engine, tenant_tables};
pub use target::Target;
pub use value::{FromValue, Row, Value};
pub use write::Write;

/// How many threads read; SQLite readers do not block one another.
const READERS: usize = 4;
/// Pause between attempts to reach a server that is away at start.
const RETRY: Duration = Duration::from_millis(500);

/// The driver's own connection.
enum Driver {
    Sqlite(rusqlite::Connection),
    #[cfg(feature = "postgres")]
    Postgres(Box<postgres::Session>),
}

/// Opens connections to the one database of this process.
struct Opener {
    target: Target,
    ready: Arc<Ready>,
}

/// Whether the schema is in place, and if not, why.
#[derive(Default)]
struct Ready {
    open: AtomicBool,
    reason: Mutex<String>,
}

impl Ready {
    fn set_reason(&self, text: String) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
    fn reason(&self) -> String {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Opener {
    fn open(&self, query_only: bool) -> Result<Conn> {
        if !self.ready.open.load(Ordering::Acquire) {
            return Err(Error::Unavailable(format!("the database is not ready: {}", self.ready.reason())));
        }
        self.target.open(query_only).map(Conn::new)
    }
}

struct Shared {
    target: Target,
    reads: Arc<Queue<ReadJob>>,
    writes: Arc<Queue<WriteJob>>,
    ready: Arc<Ready>,
    pulse: Arc<pulse::Pulse>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.reads.close();
        self.writes.close();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.thread().id() != std::thread::current().id() {
                let _panicked = thread.join();
            }
        }
    }
}

/// The handle that everybody holds; cheap to clone. The last one dropped drains the queues.
#[derive(Clone)]
pub struct Db(Arc<Shared>);

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Db").field(&self.0.target).finish()
    }
}

impl Db {
    /// Opens the database, creating and migrating it. A PostgreSQL server that cannot be reached yet
    /// is retried in the background; until then every call answers `Unavailable` with the reason.
    ///
    /// # Errors
    /// `Storage` or `Conflict` when the database is damaged, foreign, or newer than this program.
    pub fn open(target: Target, queue_capacity: usize) -> Result<Self> {
        let ready = Arc::new(Ready::default());
        let db = Self(Arc::new(Shared {
            reads: Arc::new(Queue::new(queue_capacity)),
            writes: Arc::new(Queue::new(queue_capacity)),
            ready: Arc::clone(&ready),
            pulse: Arc::new(pulse::Pulse::new()),
            threads: Mutex::new(Vec::new()),
            target: target.clone(),
        }));
        match std::thread::scope(|scope| scope.spawn(|| migrate::run(&target)).join()) {
            Ok(Ok(_)) => ready.open.store(true, Ordering::Release),
            Ok(Err(Error::Unavailable(reason))) if target.is_server() => {
                tracing::warn!(%reason, "the database is not reachable yet; trying again in the background");
                ready.set_reason(reason);
                retry(target.clone(), Arc::downgrade(&ready));
            }
            Ok(Err(cause)) => return Err(cause),
            Err(_) => return Err(Error::Internal("the migration panicked".to_owned())),
        }
        db.spawn(&target)?;
        Ok(db)
    }

    fn spawn(&self, target: &Target) -> Result<()> {
        let mut threads = self.0.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for index in 0..READERS {
            let queue = Arc::clone(&self.0.reads);
            let opener = Opener { target: target.clone(), ready: Arc::clone(&self.0.ready) };
            threads.push(thread(&format!("db-read-{index}"), move || reader::run(&queue, &opener))?);
        }
        let queue = Arc::clone(&self.0.writes);
        let opener = Opener { target: target.clone(), ready: Arc::clone(&self.0.ready) };
        let pulse = Arc::clone(&self.0.pulse);
        threads.push(thread("db-write", move || writer::run(&queue, &opener, &pulse))?);
        let (shared, opener) = (Arc::downgrade(&self.0), Opener { target: target.clone(), ready: Arc::clone(&self.0.ready) });
        let _detached = thread("db-pulse", move || pulse::listen(&shared, &opener))?;
        Ok(())
    }

    /// A number that stays the same as long as nothing changes, by whomever; `None` when that cannot be
    /// told without asking the database.
    #[must_use]
    pub fn pulse(&self) -> Option<u64> {
        self.0.pulse.count()
    }

    /// Which database this is, for people (no password).
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.0.target
    }

    /// Runs `work` in one read-only snapshot, narrowed to `scope`.
    ///
    /// # Errors
    /// Those of `work`; `Unavailable` when the queue is full or the database away.
    pub async fn read<T, F>(&self, scope: &Scope, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    {
        let (task, answer) = Task::new(work);
        let job = ReadJob { scope: scope.clone(), task: Box::new(task) };
        self.0.reads.push(Lane::Interactive, job).map_err(|_| full())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Runs `work` in one transaction: kept on `Ok`, undone on `Err` or panic; answers after COMMIT.
    ///
    /// # Errors
    /// Those of `work`; `Unavailable` or `Storage` when the transaction could not be committed.
    pub async fn write<T, F>(&self, scope: &Scope, actor: &Actor, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static,
    {
        self.send(Lane::Interactive, false, scope, actor, work).await
    }

    /// As [`Db::write`], behind everybody who waits; for syncs and imports, at most 200 rows a time.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn write_bulk<T, F>(&self, scope: &Scope, actor: &Actor, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static,
    {
        self.send(Lane::Bulk, false, scope, actor, work).await
    }

    /// Runs `work` as [`Db::write`] would and undoes it: every check, no effect.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn rehearse<T, F>(&self, scope: &Scope, actor: &Actor, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static,
    {
        self.send(Lane::Interactive, true, scope, actor, work).await
    }

    async fn send<T, F>(&self, lane: Lane, dry_run: bool, scope: &Scope, actor: &Actor, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static,
    {
        let (task, answer) = Task::new(work);
        let job = WriteJob { scope: scope.clone(), actor: actor.clone(), dry_run, task: Box::new(task) };
        self.0.writes.push(lane, job).map_err(|_| full())?;
        answer.await.map_err(|_| stopped())?
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(Error::internal)
}

/// Waits for the server in the background; ends when the handle is gone or the schema is in place.
fn retry(target: Target, ready: std::sync::Weak<Ready>) {
    let _detached = std::thread::Builder::new().name("db-retry".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(RETRY);
            let Some(ready) = ready.upgrade() else { return };
            match migrate::run(&target) {
                Ok(_) => {
                    tracing::info!("the database is reachable");
                    ready.open.store(true, Ordering::Release);
                    return;
                }
                Err(cause) => ready.set_reason(cause.to_string()),
            }
        }
    });
}

fn full() -> Error {
    Error::Unavailable("too many requests are waiting for the database; try again".to_owned())
}

fn stopped() -> Error {
    Error::Unavailable("the database is closing".to_owned())
}

/// The smallest question there is, to see whether the database answers.
///
/// # Errors
/// Those of the engine.
pub fn ping(conn: &mut Conn) -> Result<()> {
    conn.first("SELECT 1", &[]).map(|_| ())
}

/// A token that moves exactly when one of these entities' rows or observations changed: the heart of
/// list `ETag`s and response caches, at the cost of one point read.
///
/// # Errors
/// Those of the engine.
pub fn versions(conn: &mut Conn, entities: &[&str]) -> Result<String> {
    let mut token = String::new();
    let rows = conn.all("SELECT entity, version, observed FROM versions ORDER BY entity", &[])?;
    for row in rows {
        let entity: String = row.get(0)?;
        if entities.contains(&entity.as_str()) {
            token.extend([format!("{}.{}-", row.get::<i64>(1)?, row.get::<i64>(2)?)]);
        }
    }
    Ok(token)
}

#[cfg(test)]
mod tests;
