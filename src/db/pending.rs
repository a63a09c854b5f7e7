//! Rows of which SQLite's tables of words have yet to learn. Whoever waits for a change waits for a note of it here; the words
//! themselves, which each change would merge into the index anew, are put in by the writer when nobody waits, many rows at a time.
//! Searches look at the rows that are noted one by one ([`super::list`]), and so find what stands in them at once; where these
//! become many, the writer puts some in although others wait.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{conn::Conn, rewrite::Engine, words, write::Write};
use crate::{error::Result, params};

/// Where they are noted; of no use in another database.
pub(super) const TABLE: &str = "search_pending";
/// For how long nobody must have written before words are put in.
pub(super) const QUIET: Duration = Duration::from_millis(50);
/// How many rows are put in by one transaction.
const ROWS: i64 = 200;
/// A search that has to look at more than so many rows asks for some to be put in, whoever else writes.
pub(super) const FEW: usize = 100;
/// How many rows may be noted, which is what a search may have to look at one by one.
const MOST: i64 = 20_000;
/// After how many changes of one process it is counted whether there are as many.
const COUNTED: u64 = 1_000;

/// Whether a search had to look at many rows since somebody last asked.
#[derive(Debug, Default)]
pub(super) struct Slowed(AtomicBool);

impl Slowed {
    /// One had to.
    pub(super) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Asks, and forgets it.
    pub(super) fn take(&self) -> bool {
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed)
    }
}

/// What this process has noted since the last time that words were put in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Noted {
    rows: u64,
    is_full: bool,
}

impl Noted {
    /// Whether there is anything to put in.
    pub(super) fn is_any(self) -> bool {
        self.rows > 0
    }
}

/// Notes that a row of such a table is found by other words now; false when whoever changes it has to put them in at once:
/// nobody waits for that, or too many are noted.
///
/// # Errors
/// Those of the engine.
pub fn note(w: &mut Write<'_>, table: &'static str, id: i64) -> Result<bool> {
    if w.engine() != Engine::Sqlite || !w.is_awaited() || is_full(w)? {
        return Ok(false);
    }
    w.run("INSERT INTO search_pending (found_in, id) VALUES (?1, ?2) ON CONFLICT DO NOTHING", params![table, id])?;
    w.pending().rows += 1;
    Ok(true)
}

/// Counted now and then: what is noted grows by one a change, and other processes note little.
fn is_full(w: &mut Write<'_>) -> Result<bool> {
    let noted = *w.pending();
    if noted.is_full || !noted.rows.is_multiple_of(COUNTED) {
        return Ok(noted.is_full);
    }
    let count: i64 = w.one("SELECT count(*) FROM search_pending", params![])?.get(0)?;
    w.pending().is_full = count >= MOST;
    Ok(count >= MOST)
}

/// Puts in the words of some rows; how many. All are done when none are left.
///
/// # Errors
/// Those of the engine.
pub(super) fn put_in(conn: &mut Conn) -> Result<usize> {
    if conn.engine() != Engine::Sqlite {
        return Ok(0);
    }
    let sql = "SELECT found_in, id FROM search_pending ORDER BY found_in, id LIMIT ?1";
    let noted = conn.map(sql, params![ROWS], |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?)))?;
    for rows in noted.chunk_by(|one, next| one.0 == next.0) {
        let Some((table, _)) = rows.first() else { continue };
        let ids: Vec<i64> = rows.iter().map(|(_, id)| *id).collect();
        words::renew(conn, table, ids)?;
    }
    Ok(noted.len())
}
