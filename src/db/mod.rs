//! The two-engine database layer: closures sent to threads that own connections.

pub mod backup;
mod change_notifier;
mod conn;
pub mod copy;
mod counts;
mod damage;
mod erasure;
pub mod foreign;
mod job;
mod kept;
pub mod list;
pub mod migrate;
pub mod pending;
mod place;
#[cfg(feature = "postgres")]
mod postgres;
pub mod provision;
mod queue;
mod reader;
mod rewrite;
mod slow;
mod sqlite;
mod target;
pub mod upkeep;
mod value;
pub mod words;
mod write;
mod writer;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    error::{Error, Result},
    types::{Actor, Scope},
};
pub use conn::Conn;
pub use counts::Cost;
use counts::Counts;
use job::{Answer, ReadJob, ReadWork, Task, WriteJob, WriteWork, unpack};
use place::Place;
use queue::{Lane, Queue};
pub use rewrite::{Engine, tenant_tables};
pub use slow::log_slower_than;
pub use target::{Server, Target};
use upkeep::{Prepare, Upkeep};
pub use value::{FromValue, Row, Value};
pub use write::{Write, moves};

/// How long a lock that another process holds is waited for, and how long a person's change may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a change of a job, a command, or of what goes on without whoever asked for it may wait for its turn: giving up
/// would throw away what it has done so far.
const UNATTENDED_PATIENCE: Duration = Duration::from_mins(1);
/// How long a question still waits for a lock when its request has waited long already.
const LAST_PATIENCE: Duration = Duration::from_millis(250);
/// How many threads read a file; SQLite readers do not block one another.
const READERS: usize = 4;
/// How many writes of one caller wait for the writer at once; they share transactions.
const WRITES: usize = 4;
/// What is said while the file of the database is gone.
const DISPLACED: &str = "the file of the database was deleted or replaced while Codex used it; nothing was done (see the log)";
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
    place: Arc<OnceLock<Place>>,
    ready: Arc<Ready>,
    damage: Arc<damage::Damage>,
    counts: Arc<Counts>,
    kept: Arc<kept::Kept>,
    slowed: Arc<pending::Slowed>,
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
        self.still_there()?;
        let opened = self.target.open(query_only).inspect_err(|cause| self.damage.note(cause))?;
        let conn = Conn::new(opened, Arc::clone(&self.damage)).counted(Arc::clone(&self.counts));
        Ok(if query_only { conn.keeping(Arc::clone(&self.kept), Arc::clone(&self.slowed)) } else { conn })
    }

    /// # Errors
    /// `Unavailable` when the file of the database is no longer the one that was opened.
    fn still_there(&self) -> Result<()> {
        if self.place.get().is_none_or(Place::is_there) {
            return Ok(());
        }
        let file = &self.target;
        tracing::error!(
            %file,
            "deleted or replaced while it was used: put it back, or copy what it held from /proc/PID/fd before Codex ends, \
             or restore a backup"
        );
        Err(Error::Unavailable(DISPLACED.to_owned()))
    }
}

struct Shared {
    target: Target,
    reads: Arc<Queue<ReadJob>>,
    writes: Arc<Queue<WriteJob>>,
    ready: Arc<Ready>,
    /// Where the file was when it was opened.
    place: Arc<OnceLock<Place>>,
    change_notifier: Arc<change_notifier::ChangeNotifier>,
    damage: Arc<damage::Damage>,
    /// Questions that were answered.
    answered: Arc<AtomicU64>,
    counts: Arc<Counts>,
    kept: Arc<kept::Kept>,
    slowed: Arc<pending::Slowed>,
    /// Held while damage is searched for, and while the database is opened.
    searching: Mutex<()>,
    closing: AtomicBool,
    /// Tells who wants to restore a file that we are here.
    _in_use: Option<std::fs::File>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// The databases of this process, so that none is left open when it ends; handles may lie in tasks that never do.
static OPEN: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// Whether this process is ending. Whoever opens a file holds it for reading until the end of the process would find and
/// wait for what was opened, or until it is closed again.
static ENDING: RwLock<bool> = RwLock::new(false);

/// Lets somebody open a file, unless the process is ending. Nothing is left of a connection to a server, which may take long.
fn begin_opening(target: &Target) -> Result<Option<RwLockReadGuard<'static, bool>>> {
    if target.is_server() {
        return Ok(None);
    }
    let ending = ENDING.read().unwrap_or_else(PoisonError::into_inner);
    if *ending { Err(stopped()) } else { Ok(Some(ending)) }
}

/// Finishes what is queued and closes every connection of this process: SQLite then has no log beside its file. Who calls
/// it while another thread does waits for that one. Nothing is opened afterwards.
pub fn close_all() {
    static CLOSING: Mutex<()> = Mutex::new(());
    let _closed_after = CLOSING.lock().unwrap_or_else(PoisonError::into_inner);
    *ENDING.write().unwrap_or_else(PoisonError::into_inner) = true;
    let open = std::mem::take(&mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner));
    for shared in open.iter().filter_map(Weak::upgrade) {
        shared.close();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn close(&self) {
        self.reads.close();
        self.writes.close();
        self.change_notifier.stop();
        self.closing.store(true, Ordering::SeqCst);
        drop(self.searching.lock().unwrap_or_else(PoisonError::into_inner));
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let had_threads = !threads.is_empty();
        for thread in threads {
            if thread.thread().id() != std::thread::current().id() {
                let _panicked = thread.join();
            }
        }
        if let Target::Sqlite(path) = &self.target
            && had_threads
            && self.place.get().is_none_or(Place::is_there)
        {
            sqlite::tidy(path);
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
        Self::open_with(target, queue_capacity, &upkeep::nothing())
    }

    /// The same; `prepare` is done once the schema is in place, before the first call is let in.
    ///
    /// # Errors
    /// As [`Db::open`], and those of `prepare`.
    pub fn open_with(target: Target, queue_capacity: usize, prepare: &Prepare) -> Result<Self> {
        Self::open_or_wait(target, queue_capacity, prepare, true)
    }

    /// The same without waiting for a server that is away.
    ///
    /// # Errors
    /// As [`Db::open_with`]; `Unavailable` when the server cannot be reached.
    pub fn open_now(target: Target, queue_capacity: usize, prepare: &Prepare) -> Result<Self> {
        Self::open_or_wait(target, queue_capacity, prepare, false)
    }

    fn open_or_wait(target: Target, queue_capacity: usize, prepare: &Prepare, wait: bool) -> Result<Self> {
        let ready = Arc::new(Ready::default());
        let in_use = match &target {
            Target::Sqlite(path) => Some(backup::hold(path, false)?),
            Target::Postgres(_) => None,
        };
        let db = Self(Arc::new(Shared {
            reads: Arc::new(Queue::new(queue_capacity)),
            writes: Arc::new(Queue::new(queue_capacity)),
            ready: Arc::clone(&ready),
            place: Arc::default(),
            change_notifier: Arc::new(change_notifier::ChangeNotifier::new()),
            damage: Arc::default(),
            answered: Arc::default(),
            counts: Arc::default(),
            kept: Arc::default(),
            slowed: Arc::default(),
            searching: Mutex::default(),
            closing: AtomicBool::new(false),
            _in_use: in_use,
            threads: Mutex::new(Vec::new()),
            target: target.clone(),
        }));
        // Who closes meanwhile waits until nothing is open that nobody knows of.
        let opening = begin_opening(&target)?;
        let closed_after = db.0.searching.lock().unwrap_or_else(PoisonError::into_inner);
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&db.0));
        drop(opening);
        match std::thread::scope(|scope| scope.spawn(|| bring_up(&target, prepare)).join()) {
            Ok(Ok(_)) => ready.open.store(true, Ordering::Release),
            Ok(Err(Error::Unavailable(reason))) if wait && target.is_server() => {
                tracing::warn!(%reason, "the database is not reachable yet; trying again in the background");
                ready.set_reason(reason);
                retry(target.clone(), Arc::downgrade(&ready), prepare.clone());
            }
            Ok(Err(cause)) => return Err(cause),
            Err(_) => return Err(Error::Internal("the migration panicked".to_owned())),
        }
        db.spawn()?;
        drop(closed_after);
        Ok(db)
    }

    fn spawn(&self) -> Result<()> {
        let _first = self.0.place.set(Place::of(&self.0.target));
        let mut threads = self.0.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for index in 0..self.readers() {
            let (queue, answered) = (Arc::clone(&self.0.reads), Arc::clone(&self.0.answered));
            let opener = self.opener();
            threads.push(thread(&format!("db-read-{index}"), move || reader::run(&queue, &opener, &answered))?);
        }
        let queue = Arc::clone(&self.0.writes);
        let (opener, change_notifier) = (self.opener(), Arc::clone(&self.0.change_notifier));
        threads.push(thread("db-write", move || writer::run(&queue, &opener, &change_notifier))?);
        // Whoever listens asks all the time, and for nobody.
        let opener = Opener { counts: Arc::default(), ..self.opener() };
        let change_notifier = Arc::clone(&self.0.change_notifier);
        threads.push(thread("db-changes", move || change_notifier::listen(&change_notifier, &opener))?);
        Ok(())
    }

    fn opener(&self) -> Opener {
        let Shared { target, place, ready, damage, counts, kept, slowed, .. } = &*self.0;
        let (place, ready, damage) = (Arc::clone(place), Arc::clone(ready), Arc::clone(damage));
        let (counts, kept, slowed) = (Arc::clone(counts), Arc::clone(kept), Arc::clone(slowed));
        Opener { target: target.clone(), place, ready, damage, counts, kept, slowed }
    }

    /// What is known to be damaged, for an administrator; nothing when all is well.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        self.0.damage.found()
    }

    /// Reads the whole database in search of damage, on a connection of its own and within `patience`;
    /// [`Db::damage`] then tells. A server looks after itself.
    ///
    /// # Errors
    /// `Unavailable` when time ran out; `Storage`.
    pub fn search_for_damage(&self, patience: Duration) -> Result<()> {
        let _closed_after = self.0.searching.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.closing.load(Ordering::SeqCst) {
            return Err(stopped());
        }
        match self.0.target.damage(patience, &self.0.closing) {
            Ok(found) => {
                self.0.damage.set(found);
                Ok(())
            }
            Err(cause) => {
                self.0.damage.note(&cause);
                Err(cause)
            }
        }
    }

    /// How many questions were answered so far: while it grows, a long wait means many who ask.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.0.answered.load(Ordering::Relaxed)
    }

    /// What all of them, and all changes, have cost so far.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.0.counts.cost()
    }

    /// Every question is put to the database from now on, however dear it is and however little has changed.
    pub fn keep_nothing(&self) {
        self.0.kept.turn_off();
    }

    /// Whether the last change could not be stored: a full disk, a file that may only be read.
    #[must_use]
    pub fn is_unstorable(&self) -> bool {
        self.0.damage.is_unstorable()
    }

    /// Whether the file of the database is no longer the one that was opened: nothing can be stored in it.
    #[must_use]
    pub fn is_displaced(&self) -> bool {
        self.0.place.get().is_some_and(|place| !place.is_there())
    }

    /// A number that stays the same as long as nothing is committed, by whomever; `None` when that cannot be
    /// told without asking the database. What this process commits moves it before whoever wrote is answered.
    #[must_use]
    pub fn change_notifier(&self) -> Option<u64> {
        self.0.change_notifier.commits()
    }

    /// The same of these entities alone, and of what stands in lists of all of them: it moves when [`versions`] do.
    #[must_use]
    pub fn changes_of(&self, entities: &[&str]) -> Option<u64> {
        self.0.change_notifier.changes_of(entities.iter().chain(&ADDED).copied())
    }

    /// How many questions are answered at once.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.0.target.readers()
    }

    /// How many questions and changes wait for their turn.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        (self.0.reads.len(), self.0.writes.len())
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
        unpack(self.ask(scope, Box::new(move |conn| Ok(Box::new(work(conn)?)))).await?)
    }

    async fn ask(&self, scope: &Scope, work: ReadWork) -> Result<Answer> {
        let _turn = Portion::turn(|portion| &portion.reads).await?;
        let (task, answer) = Task::new(work);
        let asked = Instant::now();
        let until = REQUESTED.try_with(|since| (*since + PATIENCE).max(asked + LAST_PATIENCE)).unwrap_or(asked + PATIENCE);
        let job = ReadJob { scope: scope.clone(), asked, until, task };
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
        unpack(self.send(Lane::Interactive, false, scope, actor, packed(work)).await?)
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
        unpack(self.send(Lane::Bulk, false, scope, actor, packed(work)).await?)
    }

    /// Runs `work` as [`Db::write`] would and undoes it: every check, no effect.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn dry_run<T, F>(&self, scope: &Scope, actor: &Actor, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static,
    {
        unpack(self.send(Lane::Interactive, true, scope, actor, packed(work)).await?)
    }

    async fn send(&self, lane: Lane, dry_run: bool, scope: &Scope, actor: &Actor, work: WriteWork) -> Result<Answer> {
        let since = Instant::now();
        let patience = REQUESTED.try_with(|_| PATIENCE).unwrap_or(UNATTENDED_PATIENCE);
        let turn = tokio::time::timeout(patience, Portion::turn(|portion| &portion.writes)).await;
        let _turn = turn.map_err(|_| busy())??;
        let (task, mut answer) = Task::new(work);
        let turn = task.turn();
        let job = WriteJob { scope: scope.clone(), actor: actor.clone(), dry_run, lane, task };
        self.0.writes.push(lane, job).map_err(|_| full())?;
        // A sync may wait behind everybody; somebody who waits for an answer gets one.
        if lane == Lane::Interactive {
            match tokio::time::timeout(patience.saturating_sub(since.elapsed()), &mut answer).await {
                Ok(answered) => return answered.map_err(|_| stopped())?,
                Err(_) if turn.give_up() => return Err(busy()),
                Err(_) => {}
            }
        }
        answer.await.map_err(|_| stopped())?
    }
}

fn packed<T: Send + 'static>(work: impl FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static) -> WriteWork {
    Box::new(move |w| Ok(Box::new(work(w)?)))
}

/// Brings a database to this program's schema, and its rows to what belongs to that.
///
/// # Errors
/// Those of [`migrate::run`] and of `prepare`.
pub fn bring_up(target: &Target, prepare: &Prepare) -> Result<migrate::Report> {
    let report = migrate::run(target)?;
    match Upkeep::open(target).and_then(|mut upkeep| prepare(&mut upkeep)) {
        // What can still be read is served, and the next start tries again.
        Err(Error::Damaged(why)) => tracing::warn!(why, "the rows could not be brought up to date"),
        done => done?,
    }
    Ok(report)
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(Error::internal)
}

/// Waits for the server in the background; ends when the handle is gone or the schema is in place.
fn retry(target: Target, ready: Weak<Ready>, prepare: Prepare) {
    let _detached = std::thread::Builder::new().name("db-retry".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(RETRY);
            let Some(ready) = ready.upgrade() else { return };
            match bring_up(&target, &prepare) {
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

fn busy() -> Error {
    Error::Unavailable(
        "the database is busy: other writes keep it, or another program holds its lock; nothing was done, try again".to_owned(),
    )
}

fn stopped() -> Error {
    Error::Unavailable("the database is closing".to_owned())
}

tokio::task_local! {
    /// Since when the request of this task waits.
    static REQUESTED: Instant;
    /// What its caller may have.
    static PORTION: Portion;
}

/// What one caller may have of the database at once: there is always a reader for somebody else, and a write waits
/// behind few of another caller's.
#[derive(Clone, Debug)]
pub struct Portion {
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
}

impl Portion {
    /// Half of so many readers.
    #[must_use]
    pub fn of(readers: usize) -> Self {
        Self { reads: Arc::new(Semaphore::new((readers / 2).max(1))), writes: Arc::new(Semaphore::new(WRITES)) }
    }

    /// Waits behind the caller's own questions; at once outside of [`for_caller`].
    async fn turn(of: fn(&Self) -> &Arc<Semaphore>) -> Result<Option<OwnedSemaphorePermit>> {
        let Ok(turns) = PORTION.try_with(|portion| Arc::clone(of(portion))) else { return Ok(None) };
        turns.acquire_owned().await.map(Some).map_err(Error::internal)
    }
}

/// Answers a request of a caller, who has this part of the database.
pub async fn for_caller<T>(portion: Portion, answer: impl Future<Output = T>) -> T {
    PORTION.scope(portion, answer).await
}

/// Answers a request: all its questions together wait for locks no longer than one alone would.
pub async fn for_request<T>(answer: impl Future<Output = T>) -> T {
    REQUESTED.scope(Instant::now(), answer).await
}

/// The smallest question there is, to see whether the database answers.
pub fn ping(conn: &mut Conn) -> Result<()> {
    conn.first("SELECT 1", &[]).map(|_| ())
}

/// The entities that stand in lists of records of any kind.
const ADDED: [&str; 2] = ["custom_field", "tag"];

/// A token that moves exactly when one of these entities' rows or observations changed: the heart of
/// list `ETag`s and response caches, at the cost of one point read.
pub fn versions(conn: &mut Conn, entities: &[&str]) -> Result<String> {
    let mut token = String::new();
    for (entity, (version, observed)) in &*conn.versions()? {
        // What administrators add to nouns stands in the lists of all of them.
        if entities.contains(&entity.as_str()) || ADDED.contains(&entity.as_str()) {
            token.extend([format!("{version}.{observed}-")]);
        }
    }
    Ok(token)
}

#[cfg(test)]
mod tests;
