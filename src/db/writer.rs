//! The one thread that writes: several closures as savepoints of one transaction, all answered after
//! its COMMIT (group commit, design §9.1).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{
    Opener,
    change_notifier::ChangeNotifier,
    conn::Conn,
    job::WriteJob,
    pending::{self, Noted},
    queue::{Lane, Popped, Queue},
    rewrite::Engine,
    write::{self, Ledger, Write},
};
use crate::{
    error::{Error, Result},
    types::Scope,
};

/// Closures in one transaction at most.
const BATCH: usize = 128;
/// A batch is committed after this long even when more closures wait.
const BATCH_TIME: Duration = Duration::from_millis(10);
/// For how long a program that ends goes on putting in the words of rows.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// A pause after each bulk transaction, in which other processes get the lock.
const BULK_PAUSE: Duration = Duration::from_millis(2);

pub(super) fn run(queue: &Arc<Queue<WriteJob>>, opener: &Opener, change_notifier: &ChangeNotifier) {
    let mut writer = Writer { opener, change_notifier, held: None, pending: Noted::default(), is_behind: false };
    while let Some((lane, job)) = writer.next(queue) {
        if job.task.is_abandoned() {
            continue;
        }
        writer.write(queue, job);
        if lane == Lane::Bulk && !queue.interactive_waits() {
            std::thread::sleep(BULK_PAUSE);
        }
    }
    let end = Instant::now() + LAST_WORDS;
    while writer.is_behind && Instant::now() < end {
        writer.put_in_words();
    }
}

struct Writer<'a> {
    opener: &'a Opener,
    change_notifier: &'a ChangeNotifier,
    held: Option<Conn>,
    pending: Noted,
    /// Whether words are to be put in when nobody writes: some were noted, or somebody else may have left some.
    is_behind: bool,
}

impl Writer<'_> {
    /// The next job. Words are put in meanwhile, if nobody sends one for a while, or searches are slow without.
    fn next(&mut self, queue: &Queue<WriteJob>) -> Option<(Lane, WriteJob)> {
        if self.opener.slowed.take() {
            self.put_in_words();
        }
        let mut patience = pending::QUIET;
        while self.is_behind {
            match queue.pop_within(patience) {
                Popped::Job(lane, job) => return Some((lane, job)),
                Popped::Closed => return None,
                Popped::Nothing => self.put_in_words(),
            }
            // Whoever comes now waits for one such transaction; other processes get the lock between two.
            patience = BULK_PAUSE;
        }
        queue.pop()
    }

    fn write(&mut self, queue: &Queue<WriteJob>, job: WriteJob) {
        let was_closed = self.held.is_none();
        let mut conn = match self.held.take().map_or_else(|| self.opener.open(false), Ok) {
            Ok(conn) => conn,
            Err(cause) => return job.task.fail(&|| again(&cause)),
        };
        let healthy = batch(&mut conn, self.opener, queue, job, self.change_notifier, &mut self.pending);
        self.is_behind |= conn.engine() == Engine::Sqlite && (was_closed || self.pending.is_any());
        // A broken session is dropped; the next job opens a new one.
        self.held = healthy.then_some(conn);
    }

    /// Puts the words of some rows into the tables that searches ask, in a transaction of their own. What cannot be done now is
    /// done after the next change: searches find those rows all the same.
    fn put_in_words(&mut self) {
        let Some(mut conn) = self.held.take().or_else(|| self.opener.open(false).ok()) else {
            self.is_behind = false;
            return;
        };
        let put_in = begin(&mut conn).and_then(|()| pending::put_in(&mut conn)).and_then(|rows| {
            self.opener.still_there()?;
            conn.control("COMMIT").map(|()| rows)
        });
        let failed = put_in.as_ref().err();
        if let Some(cause) = failed {
            tracing::warn!(%cause, "what was changed could not be put into the tables for searches yet");
        }
        self.is_behind = put_in.is_ok_and(|rows| rows > 0);
        self.pending = Noted::default();
        if !conn.in_transaction() || conn.batch("ROLLBACK").is_ok() {
            self.held = Some(conn);
        }
    }
}

fn begin(conn: &mut Conn) -> Result<()> {
    match conn.engine() {
        Engine::Sqlite => conn.control("BEGIN IMMEDIATE"),
        // The head's row lock serialises every writer of every instance, first statement first.
        Engine::Postgres => conn.begin("BEGIN", "UPDATE head SET version = version WHERE id = 1"),
    }
}

/// The same on a new connection when the old one died while nobody used it: nothing was done on that.
fn begin_anew(conn: &mut Conn, opener: &Opener, cause: Error) -> Result<()> {
    if conn.engine() == Engine::Sqlite || conn.in_transaction() {
        return Err(cause);
    }
    *conn = opener.open(false)?;
    begin(conn)
}

/// Runs one batch; `false` when the connection is no longer fit for use.
fn batch(
    conn: &mut Conn,
    opener: &Opener,
    queue: &Queue<WriteJob>,
    first: WriteJob,
    change_notifier: &ChangeNotifier,
    pending: &mut Noted,
) -> bool {
    conn.scope = Scope::All;
    if let Err(cause) = begin(conn).or_else(|cause| begin_anew(conn, opener, cause)) {
        first.task.fail(&|| nothing_done(&cause));
        // A server that only said no to the lock keeps the session.
        let over = conn.engine() == Engine::Sqlite || conn.batch("ROLLBACK").is_ok();
        return over && (conn.engine() == Engine::Postgres || !conn.in_transaction());
    }
    let started = Instant::now();
    let mut ledger = Ledger { pending: *pending, ..Ledger::default() };
    let mut done = Vec::new();
    let mut next = Some(first);
    let mut broken = None;
    while let Some(job) = next.take() {
        match member(conn, job, &mut ledger) {
            Ok(Some(job)) => done.push(job),
            Ok(None) => {}
            Err((job, cause)) => {
                done.push(job);
                broken = Some(cause);
                break;
            }
        }
        if done.len() < BATCH && started.elapsed() < BATCH_TIME {
            next = queue.try_pop_interactive();
        }
    }
    // Also of what is not committed in the end: who finds nothing to put in has lost nothing.
    *pending = ledger.pending;
    finish(conn, done, &ledger, broken.or_else(|| opener.still_there().err()), change_notifier)
}

/// Commits and answers, or rolls back and fails every member.
fn finish(
    conn: &mut Conn,
    done: Vec<WriteJob>,
    ledger: &Ledger,
    broken: Option<Error>,
    change_notifier: &ChangeNotifier,
) -> bool {
    let failure = broken.or_else(|| write::close(conn, ledger).err());
    if let Some(cause) = failure {
        for job in done {
            job.task.fail(&|| again(&cause));
        }
        return conn.batch("ROLLBACK").is_ok() && conn.engine() == Engine::Sqlite;
    }
    match conn.control("COMMIT") {
        Ok(()) => {
            if !ledger.is_empty() {
                conn.stored();
            }
            change_notifier.publish(ledger.changed.union(&ledger.observed).copied());
            for job in done {
                job.task.answer();
            }
            true
        }
        Err(cause) => {
            change_notifier.publish_everything();
            // Unless the server itself has refused.
            let unknown = conn.engine() == Engine::Postgres && !conn.in_transaction();
            for job in done {
                job.task.fail(&|| if unknown { outcome_unknown() } else { again(&cause) });
            }
            let _already_over = conn.batch("ROLLBACK");
            conn.engine() == Engine::Sqlite && !conn.in_transaction()
        }
    }
}

/// One closure as a savepoint. `Ok(None)`: its caller had gone. `Err`: the whole transaction is lost.
#[expect(clippy::result_large_err, reason = "the job goes back to the queue; one per lost transaction is no cost")]
fn member(conn: &mut Conn, mut job: WriteJob, ledger: &mut Ledger) -> Result<Option<WriteJob>, (WriteJob, Error)> {
    if job.task.is_abandoned() {
        return Ok(None);
    }
    if let Err(cause) = conn.control("SAVEPOINT closure") {
        return Err((job, cause));
    }
    let before = ledger.clone();
    conn.scope = job.scope.clone();
    let kept = job.task.run(&mut Write::new(conn, &job.actor, ledger, job.lane == Lane::Interactive)) && !job.dry_run;
    conn.scope = Scope::All;
    if !conn.in_transaction() {
        return Err((job, Error::Unavailable("the transaction was dropped by the engine".to_owned())));
    }
    let ended = if kept {
        conn.control("RELEASE SAVEPOINT closure")
    } else {
        *ledger = before;
        conn.batch("ROLLBACK TO SAVEPOINT closure; RELEASE SAVEPOINT closure")
    };
    match ended {
        Ok(()) => Ok(Some(job)),
        Err(cause) => Err((job, cause)),
    }
}

fn again(cause: &Error) -> Error {
    match cause {
        Error::Storage(text) => Error::Storage(text.clone()),
        Error::Unavailable(text) => Error::Unavailable(text.clone()),
        Error::Damaged(text) => Error::Damaged(text.clone()),
        other => Error::Internal(format!("the transaction was rolled back: {other}")),
    }
}

/// The transaction never began.
fn nothing_done(cause: &Error) -> Error {
    match again(cause) {
        Error::Unavailable(text) => Error::Unavailable(format!("{text}; nothing was done, try again")),
        other => other,
    }
}

fn outcome_unknown() -> Error {
    Error::Unavailable(
        "the connection was lost during the commit: whether the change was kept is unknown; read before you repeat it".to_owned(),
    )
}
