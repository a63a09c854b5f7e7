//! The one thread that writes: several closures as savepoints of one transaction, all answered after
//! its COMMIT (group commit, design §9.1).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{
    Opener,
    change_notifier::ChangeNotifier,
    conn::Conn,
    job::WriteJob,
    queue::{Lane, Queue},
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
/// A pause after each bulk transaction, in which other processes get the lock.
const BULK_PAUSE: Duration = Duration::from_millis(2);

pub(super) fn run(queue: &Arc<Queue<WriteJob>>, opener: &Opener, change_notifier: &ChangeNotifier) {
    let mut held: Option<Conn> = None;
    while let Some((lane, job)) = queue.pop() {
        if job.task.is_abandoned() {
            continue;
        }
        let mut conn = match held.take().map_or_else(|| opener.open(false), Ok) {
            Ok(conn) => conn,
            Err(cause) => {
                job.task.fail(&|| again(&cause));
                continue;
            }
        };
        let healthy = batch(&mut conn, opener, queue, job, change_notifier);
        // A broken session is dropped; the next job opens a new one.
        held = healthy.then_some(conn);
        if lane == Lane::Bulk && !queue.interactive_waits() {
            std::thread::sleep(BULK_PAUSE);
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
fn batch(conn: &mut Conn, opener: &Opener, queue: &Queue<WriteJob>, first: WriteJob, change_notifier: &ChangeNotifier) -> bool {
    conn.scope = Scope::All;
    if let Err(cause) = begin(conn).or_else(|cause| begin_anew(conn, opener, cause)) {
        first.task.fail(&|| nothing_done(&cause));
        // A server that only said no to the lock keeps the session.
        let over = conn.engine() == Engine::Sqlite || conn.batch("ROLLBACK").is_ok();
        return over && (conn.engine() == Engine::Postgres || !conn.in_transaction());
    }
    let started = Instant::now();
    let mut ledger = Ledger::default();
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
    let kept = job.task.run(&mut Write::new(conn, &job.actor, ledger)) && !job.dry_run;
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
