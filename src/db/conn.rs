//! One connection, whichever engine, with the handful of verbs that stores use.

use std::sync::Arc;
use std::time::Instant;

use super::counts::Counts;
use super::damage::Damage;
use super::kept::{self, Kept, Versions};
use super::pending::Slowed;
use super::rewrite::{Engine, Rewritten};
use super::value::{Row, Value};
use super::{Driver, slow, sqlite};
use crate::error::{Error, Result};
use crate::types::Scope;

/// A connection inside one snapshot or one transaction, narrowed to a [`Scope`].
pub struct Conn {
    pub(super) driver: Driver,
    pub(super) scope: Scope,
    damage: Arc<Damage>,
    counts: Arc<Counts>,
    /// What is kept of earlier answers; nothing for who writes, whose changes have no versions yet.
    kept: Option<Arc<Kept>>,
    /// The versions in this snapshot, once somebody has asked for them.
    versions: Option<Arc<Versions>>,
    rewritten: Rewritten,
    slowed: Arc<Slowed>,
}

impl std::fmt::Debug for Conn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conn").field("engine", &self.engine()).field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Conn {
    pub(super) fn new(driver: Driver, damage: Arc<Damage>) -> Self {
        Self {
            driver,
            scope: Scope::All,
            damage,
            counts: Arc::default(),
            kept: None,
            versions: None,
            rewritten: Rewritten::default(),
            slowed: Arc::default(),
        }
    }

    /// Adds what it costs to these counts.
    pub(super) fn counted(self, counts: Arc<Counts>) -> Self {
        Self { counts, ..self }
    }

    /// Keeps answers here, and says there which searches are slow; for who reads.
    pub(super) fn keeping(self, kept: Arc<Kept>, slowed: Arc<Slowed>) -> Self {
        Self { kept: Some(kept), slowed, ..self }
    }

    /// Where is noted that a search had to look at many rows.
    pub(super) fn slowed(&self) -> &Slowed {
        &self.slowed
    }

    /// A snapshot begins.
    pub(super) fn forget_versions(&mut self) {
        self.versions = None;
    }

    /// The version and the observations of each entity, by name.
    ///
    /// # Errors
    /// As [`Conn::all`].
    pub(super) fn versions(&mut self) -> Result<Arc<Versions>> {
        if let Some(versions) = &self.versions {
            return Ok(Arc::clone(versions));
        }
        let sql = "SELECT entity, version, observed FROM versions ORDER BY entity";
        let versions = Arc::new(self.map(sql, &[], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?);
        if self.kept.is_some() {
            self.versions = Some(Arc::clone(&versions));
        }
        Ok(versions)
    }

    /// All rows of an answer that depends on these entities and its values alone: not asked again while the entities' versions
    /// are the same. For totals and other few rows that are dear.
    ///
    /// # Errors
    /// As [`Conn::all`].
    pub fn kept(&mut self, entities: &[&str], sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let Some(kept) = self.kept.clone().filter(|kept| !kept.is_off()) else { return self.all(sql, params) };
        let Some(question) = Kept::question(entities, &self.sent(sql)?, params) else { return self.all(sql, params) };
        let stamp = kept::stamp(&*self.versions()?, entities);
        if let Some(rows) = kept.find(&question, &stamp) {
            return Ok(rows);
        }
        let rows = self.all(sql, params)?;
        kept.keep(question, stamp, &rows);
        Ok(rows)
    }

    /// The first cell of such an answer, which has one row: a total.
    ///
    /// # Errors
    /// As [`Conn::one`].
    pub fn kept_count(&mut self, entities: &[&str], sql: &str, params: &[Value]) -> Result<i64> {
        let rows = self.kept(entities, sql, params)?;
        rows.first().ok_or_else(|| Error::Internal("a total is missing".to_owned()))?.get(0)
    }

    /// A text that is another one after a commit of another connection. Asked all the time, and so by the shortest way.
    ///
    /// # Errors
    /// As [`Conn::all`].
    pub(super) fn state(&mut self) -> Result<String> {
        match &mut self.driver {
            Driver::Sqlite(connection) => {
                let version = sqlite::data_version(connection).map(|version| version.to_string());
                version.inspect_err(|cause| self.damage.note(cause))
            }
            // Which transactions are seen by whoever looks now.
            #[cfg(feature = "postgres")]
            Driver::Postgres(_) => self.one("SELECT CAST(pg_current_snapshot() AS TEXT)", &[])?.get(0),
        }
    }

    /// Which engine answers; for search, the one place with two texts.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match &self.driver {
            Driver::Sqlite(_) => Engine::Sqlite,
            #[cfg(feature = "postgres")]
            Driver::Postgres(_) => Engine::Postgres,
        }
    }

    /// Something was stored: what could not be stored before is past.
    pub(super) fn stored(&self) {
        self.damage.stored();
    }

    /// Statements wait for locks until then at most; SQLite's are told by [`sqlite::wait_until`].
    #[cfg_attr(not(feature = "postgres"), expect(unused_variables, clippy::unnecessary_wraps, reason = "a server's matter"))]
    pub(super) fn wait_until(&mut self, until: Instant) -> Result<()> {
        match &mut self.driver {
            Driver::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Driver::Postgres(session) => session.wait_until(until),
        }
    }

    /// The statements of this transaction may take as long as they take: for commands that read everything.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn unhurried(&mut self) -> Result<()> {
        match self.engine() {
            Engine::Sqlite => Ok(()),
            Engine::Postgres => self.batch("SET LOCAL statement_timeout = 0"),
        }
    }

    /// By how many seconds the server's clock is ahead of ours; a file has none of its own.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn clock_apart(&mut self) -> Result<Option<i64>> {
        if self.engine() == Engine::Sqlite {
            return Ok(None);
        }
        let theirs: i64 = self.one("SELECT CAST(extract(epoch FROM clock_timestamp()) AS BIGINT)", &[])?.get(0)?;
        Ok(Some(theirs - jiff::Timestamp::now().as_second()))
    }

    /// The tenant boundary of everything this connection reads.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Runs `work` with every tenant visible: for rules that must see all (uniqueness, references),
    /// never for what goes back to a caller.
    pub fn unscoped<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let kept = std::mem::replace(&mut self.scope, Scope::All);
        let answer = work(self);
        self.scope = kept;
        answer
    }

    /// A statement as the engine is sent it.
    ///
    /// # Errors
    /// `Internal` when it names a table without a boundary.
    pub(super) fn sent(&mut self, sql: &str) -> Result<Arc<str>> {
        let engine = self.engine();
        self.rewritten.of(sql, engine, &self.scope)
    }

    /// All rows of an answer.
    ///
    /// # Errors
    /// Constraint, storage, availability or internal failures of the engine.
    pub fn all(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        self.each(sql, params, |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Gives each row of an answer to `take` as it is read, so that a long answer is never in memory.
    ///
    /// # Errors
    /// As [`Conn::all`], and those of `take`.
    pub fn each(&mut self, sql: &str, params: &[Value], mut take: impl FnMut(Row) -> Result<()>) -> Result<()> {
        self.give(sql, params, &mut take)
    }

    fn give(&mut self, sql: &str, params: &[Value], take: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        let sent = self.sent(sql)?;
        let (driver, counts) = (&mut self.driver, &*self.counts);
        counts.statement();
        let done = slow::watched(sql, || match driver {
            Driver::Sqlite(connection) => sqlite::each(connection, &sent, params, counts, take),
            #[cfg(feature = "postgres")]
            Driver::Postgres(session) => session.each(&sent, params, take),
        });
        done.inspect_err(|cause| self.damage.note(cause))
    }

    /// What `make` makes of each row of an answer.
    ///
    /// # Errors
    /// As [`Conn::each`].
    pub fn map<T>(&mut self, sql: &str, params: &[Value], mut make: impl FnMut(&Row) -> Result<T>) -> Result<Vec<T>> {
        let mut made = Vec::new();
        self.each(sql, params, |row| {
            made.push(make(&row)?);
            Ok(())
        })?;
        Ok(made)
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As [`Conn::all`].
    pub fn first(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>> {
        Ok(self.all(sql, params)?.into_iter().next())
    }

    /// The first row; its absence is an internal failure (use [`Conn::first`] where absence is normal).
    ///
    /// # Errors
    /// As [`Conn::all`].
    pub fn one(&mut self, sql: &str, params: &[Value]) -> Result<Row> {
        self.first(sql, params)?.ok_or_else(|| Error::Internal("a row that must exist is missing".to_owned()))
    }

    /// Runs a statement and says how many rows it touched.
    ///
    /// # Errors
    /// As [`Conn::all`].
    pub fn run(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        let sent = self.sent(sql)?;
        let (driver, counts) = (&mut self.driver, &*self.counts);
        counts.statement();
        let answer = slow::watched(sql, || match driver {
            Driver::Sqlite(connection) => sqlite::run(connection, &sent, params, counts),
            #[cfg(feature = "postgres")]
            Driver::Postgres(session) => session.run(&sent, params),
        });
        answer.inspect_err(|cause| self.damage.note(cause))
    }

    /// Begins a transaction in the engine's words, with what it does first.
    pub(super) fn begin(&mut self, begin: &str, first: &str) -> Result<()> {
        match &mut self.driver {
            Driver::Sqlite(_) => self.batch(&format!("{begin}; {first}")),
            #[cfg(feature = "postgres")]
            Driver::Postgres(session) => session.begin(begin, first),
        }
    }

    /// Runs one statement of transaction control, which is kept prepared.
    pub(super) fn control(&mut self, sql: &str) -> Result<()> {
        let driver = &mut self.driver;
        let answer = slow::watched(sql, || match driver {
            Driver::Sqlite(connection) => sqlite::control(connection, sql),
            #[cfg(feature = "postgres")]
            Driver::Postgres(session) => session.batch(sql),
        });
        answer.inspect_err(|cause| self.damage.note(cause))
    }

    /// Runs statements without parameters or answers.
    pub(super) fn batch(&mut self, sql: &str) -> Result<()> {
        let driver = &mut self.driver;
        let answer = slow::watched(sql, || match driver {
            Driver::Sqlite(connection) => connection.execute_batch(sql).map_err(sqlite::error),
            #[cfg(feature = "postgres")]
            Driver::Postgres(session) => session.batch(sql),
        });
        answer.inspect_err(|cause| self.damage.note(cause))
    }

    /// Whether the engine still holds the transaction that was begun (disk full drops it in SQLite).
    pub(super) fn in_transaction(&self) -> bool {
        match &self.driver {
            Driver::Sqlite(connection) => !connection.is_autocommit(),
            #[cfg(feature = "postgres")]
            Driver::Postgres(session) => !session.is_lost(),
        }
    }
}
