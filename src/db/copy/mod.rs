//! Carries a whole database over to another one, of the same or the other engine: rows, ids, history, counters.
//!
//! The source is read in one snapshot, so it may be served meanwhile; what is stored after the snapshot stays behind. The
//! target takes no part in anything until all of it is there and every table has the same sum on both sides. How far the
//! copy is stands in the target ([`state`]), in the transactions that bring the rows: whoever is killed goes on.

mod rows;
mod schema;
pub(super) mod state;

use std::fs::File;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Conn, Engine, PATIENCE, Target, backup, migrate, words};
use crate::{
    config::private,
    error::{Error, Result},
    params,
};
use rows::{Batch, Sum};
pub use schema::{Column, Table, count, tables};
use state::{Origin, Place};

/// Held by whoever copies into a server's database.
const ADVISORY_LOCK: i64 = 0x636f_6465_7802;
/// How often it is looked whether that is free.
const LOOK: Duration = Duration::from_millis(100);
/// Tables that are not empty in a new database: the head, settings of the program itself, and how often it has looked at what.
const HEAD: &str = "head";
const SETTINGS: &str = "settings";
const VERSIONS: &str = "versions";

/// What goes on.
pub enum Event<'a> {
    /// Rows of this table are carried over; so many the source has.
    Copying(&'a str, i64),
    /// This table is read again on one side, to be compared.
    Checking(&'a str, i64),
    /// One more row.
    Row,
    /// The source has changed since an earlier run copied this table, which is copied anew.
    Changed(&'a str),
    /// The tables for searches are made anew.
    Words,
}

/// Who is told what goes on.
pub type Watcher<'a> = &'a mut dyn FnMut(Event<'_>);

/// A table that is the same on both sides, or as one side has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Its name.
    pub table: String,
    /// How many rows it has.
    pub rows: i64,
    /// The sum of its rows, equal on both engines.
    pub sha256: String,
    /// The number from which its engine goes on numbering.
    pub counter: i64,
}

/// What was done.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Every table, all of them equal.
    pub tables: Vec<Copied>,
    /// Whether an earlier run had begun it.
    pub resumed: bool,
    /// The tables that had changed at the source since, and were copied anew.
    pub changed: Vec<String>,
}

/// A database that somebody reads from in one snapshot.
struct Source {
    conn: Conn,
    tables: Vec<Table>,
    _in_use: Option<File>,
}

impl Source {
    /// # Errors
    /// `BadRequest` when there is no database of this version.
    fn open(target: &Target) -> Result<Self> {
        let (version, newest) = (migrate::version(target)?, migrate::newest()?);
        if version == 0 {
            return Err(Error::BadRequest(format!("{target} holds no data of Codex")));
        }
        if version > newest {
            return Err(migrate::newer(version, newest));
        }
        if version < newest {
            let what = format!("{target} has schema version {version} of {newest}: run codex migrate on it first");
            return Err(Error::BadRequest(what));
        }
        let in_use = match target {
            Target::Sqlite(path) => Some(backup::hold(path, false)?),
            Target::Postgres(_) => None,
        };
        let mut conn = Conn::new(target.open(true)?, std::sync::Arc::default());
        conn.batch(match conn.engine() {
            Engine::Sqlite => "BEGIN",
            Engine::Postgres => {
                "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
                 BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            }
        })?;
        let tables = schema::tables(&mut conn)?;
        Ok(Self { conn, tables, _in_use: in_use })
    }

    /// What tells this database from others.
    fn origin(&mut self, target: &Target) -> Result<Origin> {
        let sql = "SELECT CAST(applied_on AS TEXT) FROM refinery_schema_history WHERE version = 1";
        Ok(Origin { birth: self.conn.one(sql, params![])?.get(0)?, name: target.to_string() })
    }
}

/// Copies `from` into `to`, which is empty or holds what an earlier run has copied of the same source.
///
/// # Errors
/// `BadRequest` when the source is not of this version, or the target is in use otherwise; `Unavailable` when either cannot
/// be reached; `Damaged` when the source cannot be read, or what was copied is not what was read.
pub fn run(from: &Target, to: &Target, watch: Watcher<'_>) -> Result<Report> {
    let mut source = Source::open(from)?;
    let origin = source.origin(from)?;
    let (mut target, _held, resumed) = prepare(to, &origin)?;
    let tables = schema::tables(&mut target)?;
    schema::same(&source.tables, &tables)?;
    if !resumed {
        not_used(&mut target, &tables, to)?;
        state::begin(&mut target, &tables, &origin)?;
    }
    let mut report = Report { tables: Vec::new(), resumed, changed: Vec::new() };
    for table in &tables {
        let copied = table_over(&mut source.conn, &mut target, table, &mut report.changed, watch)?;
        report.tables.push(copied);
    }
    finish(&mut target, watch)?;
    Ok(report)
}

/// Gives each row of a table to `take`, in the order of the keys, its cells in that of its columns.
///
/// # Errors
/// Those of the engine and of `take`.
pub fn each(conn: &mut Conn, table: &Table, mut take: impl FnMut(Vec<super::Value>) -> Result<()>) -> Result<()> {
    rows::each(conn, table, &[], |row| take(rows::read(table, &row)?))
}

/// The sums of every table of a database, in one snapshot.
///
/// # Errors
/// As [`run`].
pub fn sums(of: &Target, watch: Watcher<'_>) -> Result<Vec<Copied>> {
    let Source { mut conn, tables, _in_use } = Source::open(of)?;
    let mut found = Vec::new();
    for table in &tables {
        watch(Event::Checking(&table.name, schema::count(&mut conn, table)?));
        let (sha256, rows) = rows::sum(&mut conn, table, || watch(Event::Row))?;
        found.push(Copied { table: table.name.clone(), rows, sha256, counter: schema::counter(&mut conn, table)? });
    }
    Ok(found)
}

/// Opens a target that nobody uses and brings it to this version's schema; whether a copy was begun in it.
fn prepare(to: &Target, origin: &Origin) -> Result<(Conn, Option<File>, bool)> {
    let mut held = None;
    if let Target::Sqlite(path) = to {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private::folder(folder).map_err(|error| Error::Storage(format!("{}: {error}", folder.display())))?;
        }
        held = Some(backup::hold(path, true)?);
    }
    let is_new = matches!(to, Target::Sqlite(path) if !path.exists());
    if !is_new && let Some(conn) = begun(to, origin)? {
        return Ok((conn, held, true));
    }
    migrate::run(to)?;
    Ok((open(to)?, held, false))
}

/// The connection to a target in which a copy of this source was begun.
///
/// # Errors
/// `BadRequest` when it was begun from another source.
fn begun(to: &Target, origin: &Origin) -> Result<Option<Conn>> {
    let mut conn = match to {
        // Looked at without changing it: it may be anybody's.
        Target::Sqlite(path) => Conn::new(super::Driver::Sqlite(migrate::look(path)?), std::sync::Arc::default()),
        Target::Postgres(_) => open(to)?,
    };
    if !state::is_there(&mut conn)? {
        return Ok(None);
    }
    let kept = state::origin(&mut conn)?;
    if kept.birth != origin.birth {
        let what = format!("{to} holds an unfinished copy of another database ({}); begin with an empty one", kept.name);
        return Err(Error::BadRequest(what));
    }
    drop(conn);
    open(to).map(Some)
}

/// A connection that may take as long as it takes, and one of them at a time.
fn open(to: &Target) -> Result<Conn> {
    let mut conn = Conn::new(to.open(false)?, std::sync::Arc::default());
    if conn.engine() == Engine::Sqlite {
        conn.batch("PRAGMA foreign_keys=OFF")?;
        return Ok(conn);
    }
    // What a crash of the server takes away again is copied again: the state lies in the same transactions.
    conn.batch("SET statement_timeout = 0; SET synchronous_commit = off")?;
    // The server may not have noticed yet that somebody was killed.
    let end = Instant::now() + PATIENCE;
    while !conn.one("SELECT pg_try_advisory_lock(?1)", params![ADVISORY_LOCK])?.get::<bool>(0)? {
        if Instant::now() > end {
            return Err(Error::Unavailable(format!("another codex copy is writing to {to}")));
        }
        std::thread::sleep(LOOK);
    }
    Ok(conn)
}

/// That a database holds nothing but what the migrations have made.
///
/// # Errors
/// `BadRequest`, naming a table with rows.
fn not_used(conn: &mut Conn, tables: &[Table], to: &Target) -> Result<()> {
    let head: i64 = conn.one("SELECT COALESCE(max(version), 0) FROM head", params![])?.get(0)?;
    for table in tables.iter().filter(|table| ![SETTINGS, VERSIONS].contains(&table.name.as_str())) {
        let rows = if table.name == HEAD { head } else { schema::count(conn, table)? };
        if rows > 0 {
            let what = format!("{to} is not empty ({rows} in {}): codex copy fills only an empty database", table.name);
            return Err(Error::BadRequest(what));
        }
    }
    Ok(())
}

/// Brings one table over, whatever an earlier run has left to do, and proves that it is the same.
fn table_over(from: &mut Conn, to: &mut Conn, table: &Table, changed: &mut Vec<String>, watch: Watcher<'_>) -> Result<Copied> {
    let mut begun = state::place(to, table)?;
    // A new database has rows already where the program keeps what it is about; a table without a key begins anew.
    if begun == Place::Nothing || matches!(&begun, Place::After(key) if key.is_empty()) {
        clear(to, table)?;
        begun = Place::Nothing;
    }
    let total = schema::count(from, table)?;
    let (mut sha256, mut count) = match &begun {
        Place::Nothing => whole(from, to, table, total, watch)?,
        place => {
            if let Place::After(key) = place {
                watch(Event::Copying(&table.name, total));
                carry(from, to, table, key, &mut |_| {}, watch)?;
            }
            watch(Event::Checking(&table.name, total));
            rows::sum(from, table, || watch(Event::Row))?
        }
    };
    watch(Event::Checking(&table.name, count));
    let mut arrived = rows::sum(to, table, || watch(Event::Row))?;
    if arrived.0 != sha256 && begun != Place::Nothing {
        watch(Event::Changed(&table.name));
        changed.push(table.name.clone());
        clear(to, table)?;
        (sha256, count) = whole(from, to, table, total, watch)?;
        watch(Event::Checking(&table.name, count));
        arrived = rows::sum(to, table, || watch(Event::Row))?;
    }
    if arrived.0 != sha256 {
        let what = format!("{}: {count} rows were read and {} arrived, and they are not the same", table.name, arrived.1);
        return Err(Error::Damaged(what));
    }
    let counter = schema::counter(from, table)?;
    schema::set_counter(to, table, counter)?;
    Ok(Copied { table: table.name.clone(), rows: count, sha256, counter })
}

/// Copies a table from its first row; its sum as it was read.
fn whole(from: &mut Conn, to: &mut Conn, table: &Table, total: i64, watch: Watcher<'_>) -> Result<(String, i64)> {
    if total > 0 {
        watch(Event::Copying(&table.name, total));
    }
    let (mut sum, mut count) = (Sum::of(table), 0);
    let mut take = |row: &[super::Value]| {
        sum.add(row);
        count += 1;
    };
    carry(from, to, table, &[], &mut take, watch)?;
    Ok((sum.finish(), count))
}

/// Carries the rows after a key over, in transactions of their own; each row is shown to `take`.
fn carry(
    from: &mut Conn,
    to: &mut Conn,
    table: &Table,
    after: &[super::Value],
    take: &mut dyn FnMut(&[super::Value]),
    watch: Watcher<'_>,
) -> Result<()> {
    let mut batch = Batch::default();
    rows::each(from, table, after, |row| {
        let row = rows::read(table, &row)?;
        take(&row);
        watch(Event::Row);
        batch.push(row);
        if batch.is_full() { store(to, table, &mut batch, false) } else { Ok(()) }
    })?;
    store(to, table, &mut batch, true)
}

fn store(to: &mut Conn, table: &Table, batch: &mut Batch, is_last: bool) -> Result<()> {
    let key = batch.last().filter(|_| table.is_keyed).map(|row| rows::key_of(table, row)).unwrap_or_default();
    let place = if is_last { Place::Whole } else { Place::After(key) };
    in_transaction(to, |to| {
        batch.write(to, table).map_err(|error| of_table(table, error))?;
        state::set_place(to, table, &place)
    })
}

fn clear(to: &mut Conn, table: &Table) -> Result<()> {
    in_transaction(to, |to| {
        to.run(&format!("DELETE FROM \"{}\"", table.name), params![])?;
        state::set_place(to, table, &Place::Nothing)
    })
}

fn in_transaction<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    conn.batch("BEGIN")?;
    match work(conn) {
        Ok(done) => conn.batch("COMMIT").map(|()| done),
        Err(error) => {
            if conn.in_transaction() {
                conn.batch("ROLLBACK")?;
            }
            Err(error)
        }
    }
}

/// The table is changed by somebody who may not while it is copied: nobody else could have put rows there.
fn of_table(table: &Table, error: Error) -> Error {
    match error {
        Error::Constraint(what) => Error::Damaged(format!("{} takes no row of the source: {what}", table.name)),
        other => other,
    }
}

/// Searches, references and rules are in force again; from here on it is a database like any other.
fn finish(to: &mut Conn, watch: Watcher<'_>) -> Result<()> {
    watch(Event::Words);
    for table in words::tables(to)? {
        in_transaction(to, |to| words::rebuild(to, &table))?;
    }
    if to.engine() == Engine::Sqlite {
        let broken = to.first("SELECT \"table\", \"parent\" FROM pragma_foreign_key_check LIMIT 1", params![])?;
        if let Some(row) = broken {
            return Err(orphans(&format!("{} refers to {}", row.get::<String>(0)?, row.get::<String>(1)?)));
        }
    } else {
        to.batch("SET synchronous_commit = on")?;
    }
    state::end(to).map_err(|error| match error {
        Error::Constraint(rule) => orphans(&rule),
        other => other,
    })?;
    // A server plans by what it knows of its tables; so does SQLite with what it is told here.
    to.batch(if to.engine() == Engine::Sqlite { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "ANALYZE" })
}

fn orphans(what: &str) -> Error {
    Error::Damaged(format!(
        "rows of the source refer to rows that are not there ({what}); codex doctor on the source tells which. \
         Mend that and run the same codex copy again"
    ))
}
