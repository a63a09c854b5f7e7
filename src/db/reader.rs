//! The threads that read: each closure sees one snapshot.

use std::sync::Arc;

use super::Opener;
use super::conn::Conn;
use super::job::ReadJob;
use super::queue::Queue;
use super::rewrite::Engine;
use crate::error::Error;
use crate::types::Scope;

pub(super) fn run(queue: &Arc<Queue<ReadJob>>, opener: &Opener) {
    let mut held: Option<Conn> = None;
    while let Some((_, job)) = queue.pop() {
        if job.task.is_abandoned() {
            continue;
        }
        let mut conn = match held.take().map_or_else(|| opener.open(true), Ok) {
            Ok(conn) => conn,
            Err(cause) => {
                let text = cause.to_string();
                job.task.fail(&|| Error::Unavailable(text.clone()));
                continue;
            }
        };
        if serve(&mut conn, job) {
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

/// Runs one closure; `false` when the connection is no longer fit for use.
fn serve(conn: &mut Conn, mut job: ReadJob) -> bool {
    if let Err(cause) = begin(conn) {
        let text = cause.to_string();
        job.task.fail(&|| Error::Unavailable(text.clone()));
        return false;
    }
    conn.scope = job.scope.clone();
    job.task.run(conn);
    conn.scope = Scope::All;
    let ended = conn.batch("ROLLBACK").is_ok();
    job.task.answer();
    ended
}
