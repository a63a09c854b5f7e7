//! The SQLite leaf: opening with the right pragmas, binding, reading, classifying errors.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, StatementStatus, ffi};

use super::counts::Counts;
use super::value::{Row, Value};
use super::{PATIENCE, slow};
use crate::config::private;
use crate::error::{Error, Result};

/// Distinct statements kept prepared on each connection.
const STATEMENT_CACHE: usize = 256;

/// Below this many free bytes a disk is full: the log and its index need that much at once.
const ROOM: u64 = 256 * 1024;

/// How often a log that nobody needs is taken away, when others come and go at the same moment.
const TIDIES: usize = 3;

thread_local! {
    /// Until when statements of this thread wait for a lock; unset means [`PATIENCE`] each.
    static WAITS_UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Statements of this thread wait for a lock no longer than until then, however many they are.
pub(super) fn wait_until(end: Option<Instant>) {
    WAITS_UNTIL.set(end);
}

/// Opens a connection; `query_only` for readers. The file is made if there is none.
///
/// # Errors
/// `Storage` when the file cannot be used, `Damaged` when it is no database.
pub(super) fn open(path: &Path, query_only: bool) -> Result<Connection> {
    if !path.exists() {
        drop(private::open(path).map_err(|cause| at(path, Error::Storage(cause.to_string())))?);
    }
    prepared(path, query_only).map_err(|cause| at(path, cause))
}

/// Opens a file as it is, in whatever mode it is.
///
/// # Errors
/// As [`open`].
pub(super) fn plain(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(error)?;
    set_patience(&mut connection)?;
    Ok(connection)
}

/// Takes away the log that is left beside a file which nobody has open. Of two connections that are closed at the same
/// moment each takes the other for somebody who still needs it.
pub(super) fn tidy(path: &Path) {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    for _try in 0..TIDIES {
        if !path.exists() || !Path::new(&log).exists() {
            return;
        }
        let looked = plain(path).and_then(|connection| {
            // A connection that has read nothing knows of no log.
            connection.query_row("SELECT COUNT(*) FROM sqlite_master", [], |_| Ok(())).map_err(error)
        });
        if looked.is_err() {
            return;
        }
    }
}

fn prepared(path: &Path, query_only: bool) -> Result<Connection> {
    let connection = plain(path)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // The planner must not look at bound values: a statement with `= ?n` is otherwise planned again at each use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(error)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;
             PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY;",
        )
        .map_err(error)?;
    // The system keeps the file's pages in memory; a reader needs room for an index's upper levels alone.
    let cache = if query_only { "PRAGMA query_only=ON; PRAGMA cache_size=-2000" } else { "PRAGMA cache_size=-8000" };
    connection.execute_batch(cache).map_err(error)?;
    Ok(connection)
}

/// Polls a held lock every millisecond: SQLite's own back-off starves short writers (design §9.1).
fn set_patience(connection: &mut Connection) -> Result<()> {
    let tries = i32::try_from(PATIENCE.as_millis()).unwrap_or(i32::MAX);
    let handler = move |tried: i32| {
        std::thread::sleep(Duration::from_millis(1));
        WAITS_UNTIL.get().map_or(tried < tries, |end| Instant::now() < end)
    };
    connection.busy_handler(Some(handler)).map_err(error)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::Value as Owned;
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Owned::Null),
            Self::Int(v) => ToSqlOutput::Owned(Owned::Integer(*v)),
            Self::Real(v) => ToSqlOutput::Owned(Owned::Real(*v)),
            Self::Bool(v) => ToSqlOutput::Owned(Owned::Integer(i64::from(*v))),
            Self::Text(v) => ToSqlOutput::Borrowed(ValueRef::Text(v.as_bytes())),
            Self::Ids(v) => ToSqlOutput::Owned(Owned::Text(serde_json::json!(v).to_string())),
        })
    }
}

fn cell(value: ValueRef<'_>) -> Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(v) => Value::Int(v),
        ValueRef::Real(v) => Value::Real(v),
        ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(_) => return Err(Error::Internal("a blob where none is stored".to_owned())),
    })
}

/// Hands over one row at a time: of a long answer there is never more than one row in memory.
pub(super) fn each(
    connection: &mut Connection,
    sql: &str,
    params: &[Value],
    counts: &Counts,
    take: &mut dyn FnMut(Row) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(error)?;
    let width = statement.column_count();
    let mut rows = statement.query(rusqlite::params_from_iter(params)).map_err(error)?;
    while let Some(row) = rows.next().map_err(error)? {
        let mut cells = Vec::with_capacity(width);
        for index in 0..width {
            cells.push(cell(row.get_ref(index).map_err(error)?)?);
        }
        take(Row(cells))?;
    }
    drop(rows);
    count(&statement, sql, counts);
    Ok(())
}

pub(super) fn run(connection: &mut Connection, sql: &str, params: &[Value], counts: &Counts) -> Result<u64> {
    let mut statement = connection.prepare_cached(sql).map_err(error)?;
    let touched = statement.execute(rusqlite::params_from_iter(params)).map_err(error)?;
    count(&statement, sql, counts);
    Ok(touched as u64)
}

/// A number that is another one after a commit of another connection.
pub(super) fn data_version(connection: &mut Connection) -> Result<i64> {
    let mut statement = connection.prepare_cached("PRAGMA data_version").map_err(error)?;
    statement.query_row([], |row| row.get(0)).map_err(error)
}

/// Begins or ends a transaction, or a part of one.
pub(super) fn control(connection: &mut Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(drop).map_err(error)
}

/// Adds what this use of a statement cost, and logs, for whoever wants to know (`codex::db=trace`), how many rows it has
/// walked through because no index leads to those that it wants.
fn count(statement: &Statement<'_>, sql: &str, counts: &Counts) {
    let [prepared, rows] = [StatementStatus::RePrepare, StatementStatus::FullscanStep].map(|what| statement.reset_status(what));
    counts.sqlite(prepared, rows);
    if rows > 0 {
        tracing::trace!(rows, sql = slow::shown(sql), "scanned");
    }
}

/// Classifies a driver error by what the caller can do about it.
pub(super) fn error(cause: rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(code, message) = &cause else {
        return Error::internal(cause);
    };
    let text = message.clone().unwrap_or_else(|| cause.to_string());
    match code.code {
        ffi::ErrorCode::ConstraintViolation => Error::Constraint(text),
        ffi::ErrorCode::DatabaseBusy | ffi::ErrorCode::DatabaseLocked => {
            Error::Unavailable("the database is locked by another process".to_owned())
        }
        ffi::ErrorCode::OperationInterrupted => Error::Unavailable("it was broken off".to_owned()),
        ffi::ErrorCode::DiskFull => Error::Storage("the disk is full".to_owned()),
        // What a failing disk, a file cut short or a broken file system gives instead of a page.
        ffi::ErrorCode::SystemIoFailure
            if matches!(
                code.extended_code,
                ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_DATA
            ) =>
        {
            Error::Damaged(format!("the file cannot be read: {text}"))
        }
        ffi::ErrorCode::ReadOnly => Error::Storage("the database cannot be written: it is read-only".to_owned()),
        ffi::ErrorCode::CannotOpen | ffi::ErrorCode::SystemIoFailure | ffi::ErrorCode::PermissionDenied => {
            Error::Storage(format!("the database file cannot be used: {text}"))
        }
        ffi::ErrorCode::NotADatabase | ffi::ErrorCode::DatabaseCorrupt => Error::Damaged(text),
        _ => Error::internal(cause),
    }
}

/// Says of which file a failure is, and what to do about it.
pub(super) fn at(path: &Path, cause: Error) -> Error {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match cause {
        Error::Damaged(text) => Error::Damaged(format!("{}: {text}", path.display())),
        Error::Storage(_) if free(folder).is_some_and(|bytes| bytes < ROOM) => {
            Error::Storage(format!("the disk is full: {} needs some room", folder.display()))
        }
        Error::Storage(text) => {
            let what = format!("{}: {text}", path.display());
            let file = if path.exists() { path } else { folder };
            let cannot = folder.exists() && rustix::fs::access(file, rustix::fs::Access::WRITE_OK).is_err();
            match private::run_as_owner(file) {
                Some(how) if cannot => Error::Storage(format!("{} cannot be written: {how}", file.display())),
                _ if cannot => Error::Storage(format!("{} cannot be written: it is read-only", file.display())),
                _ if text.contains("read-only") => {
                    Error::Storage(format!("{} cannot be written: the folder or its disk is read-only", folder.display()))
                }
                _ => Error::Storage(what),
            }
        }
        other => other,
    }
}

fn free(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}
