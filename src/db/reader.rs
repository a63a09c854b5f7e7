//! The threads that read: each closure sees one snapshot.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::Instant;

use super::Opener;
use super::conn::Conn;
use super::job::ReadJob;
use super::queue::Queue;
use super::rewrite::Engine;
use super::sqlite;
use crate::error::Error;
use crate::types::Scope;

pub(super) fn run(queue: &Arc<Queue<ReadJob>>, opener: &Opener, answered: &AtomicU64) {
    let mut held: Option<Conn> = None;
    let mut refused: Option<(Instant, String)> = None;
    while let Some((_, job)) = queue.pop() {
        if job.task.is_abandoned() {
            continue;
        }
        // Who asked before it was found away has waited long enough.
        if let Some((_, text)) = refused.as_ref().filter(|(at, _)| job.asked < *at) {
            job.task.fail(&|| Error::Unavailable(text.clone()));
            continue;
        }
        // All who wait for a lock wait at the same time, not one after the other.
        sqlite::wait_until(Some(job.until));
        let mut conn = match held.take().map_or_else(|| opener.open(true), Ok) {
            Ok(conn) => conn,
            Err(cause) => {
                let text = cause.to_string();
                job.task.fail(&|| away(&cause));
                refused = Some((Instant::now(), text));
                continue;
            }
        };
        if let Err(cause) = conn.wait_until(job.until) {
            job.task.fail(&|| away(&cause));
            continue;
        }
        if serve(&mut conn, job) {
            answered.fetch_add(1, Ordering::Relaxed);
            held = Some(conn);
        }
    }
}

fn begin(conn: &mut Conn) -> crate::error::Result<()> {
    match conn.engine() {
        Engine::Sqlite => conn.batch("BEGIN"),
        Engine::Postgres => conn.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
    }
}

fn away(cause: &Error) -> Error {
    match cause {
        Error::Damaged(text) => Error::Damaged(text.clone()),
        Error::Unavailable(text) | Error::Storage(text) => Error::Unavailable(text.clone()),
        other => Error::Unavailable(other.to_string()),
    }
}

/// Runs one closure; `false` when the connection is no longer fit for use.
fn serve(conn: &mut Conn, mut job: ReadJob) -> bool {
    if let Err(cause) = begin(conn) {
        job.task.fail(&|| away(&cause));
        return false;
    }
    conn.scope = job.scope.clone();
    job.task.run(conn);
    conn.scope = Scope::All;
    let ended = conn.batch("ROLLBACK").is_ok();
    job.task.answer();
    ended
}
