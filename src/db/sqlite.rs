//! The SQLite leaf: opening with the right pragmas, binding, reading, classifying errors.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ffi};

use super::value::{Row, Value};
use crate::error::{Error, Result};

/// How long a statement waits for a lock that another process holds.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// Distinct statements kept prepared on each connection.
const STATEMENT_CACHE: usize = 256;

/// Opens a connection; `query_only` for readers.
///
/// # Errors
/// `Storage` when the file cannot be opened or is not a database.
pub(super) fn open(path: &Path, query_only: bool) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(error)?;
    set_patience(&mut connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // The planner must not look at bound values: a statement with `= ?n` is otherwise planned again at each use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(error)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;
             PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000;",
        )
        .map_err(error)?;
    if query_only {
        connection.execute_batch("PRAGMA query_only=ON").map_err(error)?;
    }
    Ok(connection)
}

/// Polls a held lock every millisecond: SQLite's own back-off starves short writers (design §9.1).
fn set_patience(connection: &mut Connection) -> Result<()> {
    let tries = i32::try_from(LOCK_PATIENCE.as_millis()).unwrap_or(i32::MAX);
    let handler = move |tried: i32| {
        std::thread::sleep(Duration::from_millis(1));
        tried < tries
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

pub(super) fn all(connection: &mut Connection, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql).map_err(error)?;
    let width = statement.column_count();
    let mut rows = statement.query(rusqlite::params_from_iter(params)).map_err(error)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next().map_err(error)? {
        let mut cells = Vec::with_capacity(width);
        for index in 0..width {
            cells.push(cell(row.get_ref(index).map_err(error)?)?);
        }
        out.push(Row(cells));
    }
    Ok(out)
}

pub(super) fn run(connection: &mut Connection, sql: &str, params: &[Value]) -> Result<u64> {
    let mut statement = connection.prepare_cached(sql).map_err(error)?;
    let touched = statement.execute(rusqlite::params_from_iter(params)).map_err(error)?;
    Ok(touched as u64)
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
        ffi::ErrorCode::DiskFull => Error::Storage("the disk is full".to_owned()),
        ffi::ErrorCode::ReadOnly => Error::Storage("the database cannot be written: it is read-only".to_owned()),
        ffi::ErrorCode::CannotOpen | ffi::ErrorCode::SystemIoFailure | ffi::ErrorCode::PermissionDenied => {
            Error::Storage(format!("the database file cannot be used: {text}"))
        }
        ffi::ErrorCode::NotADatabase | ffi::ErrorCode::DatabaseCorrupt => {
            Error::Storage(format!("the database file is damaged or not a database: {text}"))
        }
        _ => Error::internal(cause),
    }
}
