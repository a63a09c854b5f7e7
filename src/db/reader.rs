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
use crate::error::{Error, Result};
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
        let mut conn = match snapshot(held.take(), opener, job.until) {
            Ok(conn) => conn,
            Err(cause) => {
                let text = cause.to_string();
                job.task.fail(&|| away(&cause));
                refused = Some((Instant::now(), text));
                continue;
            }
        };
        if serve(&mut conn, job) {
            answered.fetch_add(1, Ordering::Relaxed);
            held = Some(conn);
        }
    }
}

/// A connection in a new snapshot. One that died while nobody used it is replaced: the question is put again.
fn snapshot(held: Option<Conn>, opener: &Opener, until: Instant) -> Result<Conn> {
    if let Some(mut conn) = held
        && begin(&mut conn, until).is_ok()
    {
        return Ok(conn);
    }
    let mut conn = opener.open(true)?;
    begin(&mut conn, until)?;
    Ok(conn)
}

fn begin(conn: &mut Conn, until: Instant) -> Result<()> {
    conn.wait_until(until)?;
    match conn.engine() {
        Engine::Sqlite => conn.control("BEGIN"),
        Engine::Postgres => conn.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ""),
    }
}

fn away(cause: &Error) -> Error {
    match cause {
        Error::Damaged(text) => Error::Damaged(text.clone()),
        Error::Unavailable(text) | Error::Storage(text) => Error::Unavailable(text.clone()),
        other => Error::Unavailable(other.to_string()),
    }
}

/// Runs one closure in the snapshot that was begun; `false` when the connection is no longer fit for use.
fn serve(conn: &mut Conn, mut job: ReadJob) -> bool {
    conn.scope = job.scope.clone();
    conn.forget_versions();
    job.task.run(conn);
    conn.scope = Scope::All;
    let ended = conn.control("ROLLBACK").is_ok();
    job.task.answer();
    ended
}
