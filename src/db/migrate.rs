//! Brings a database to this program's schema: embedded numbered files, one text for both engines.

use std::error::Error as _;
use std::path::{Path, PathBuf};

use refinery::{Migration, Runner};
use rust_embed::RustEmbed;

use super::rewrite::Engine;
use super::{Driver, Target, copy, sqlite};
use crate::config::private;
use crate::error::{Error, Result};

#[derive(RustEmbed)]
#[folder = "migrations"]
struct Files;

/// The table in which refinery keeps what has been applied.
const HISTORY: &str = "refinery_schema_history";

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The schema's version before; 0 for an empty database.
    pub from: i64,
    /// The schema's version now.
    pub to: i64,
    /// The copy of the file that was kept before an existing database was changed.
    pub kept_copy: Option<PathBuf>,
}

/// The versions and names of the embedded migrations, in order.
///
/// # Errors
/// `Internal` when a file's name is not `V<number>__<name>.sql`.
pub fn steps() -> Result<Vec<(i64, String)>> {
    let mut steps = Vec::new();
    for file in Files::iter().filter(|file| !file.contains('/')) {
        let name = file.trim_end_matches(".sql");
        let number = name.strip_prefix('V').and_then(|rest| rest.split_once("__"));
        let version = number.and_then(|(number, _)| number.parse().ok());
        let version = version.ok_or_else(|| Error::Internal(format!("{file} is not named V<number>__<name>.sql")))?;
        steps.push((version, name.to_owned()));
    }
    steps.sort();
    Ok(steps)
}

/// Keeps the lines of one engine, resolves the collation marker, and drops comments and trailing
/// blanks, so that only SQL counts for the checksum.
#[must_use]
pub fn resolve(text: &str, engine: Engine) -> String {
    let (ours, collation) = match engine {
        Engine::Sqlite => ("sqlite", ""),
        Engine::Postgres => ("postgres", "COLLATE \"C\""),
    };
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let (sql, comment) = line.split_once("--").unwrap_or((line, ""));
        if comment.trim().strip_prefix("only:").is_some_and(|only| only.trim() != ours) || sql.trim().is_empty() {
            continue;
        }
        out.push_str(sql.replace("COLLATE C_", collation).trim_end());
        out.push('\n');
    }
    out
}

fn migrations(engine: Engine, up_to: i64) -> Result<Vec<Migration>> {
    let mut list = Vec::new();
    for (version, name) in steps()?.into_iter().filter(|(version, _)| *version <= up_to) {
        let file =
            Files::get(&format!("{name}.sql")).ok_or_else(|| Error::Internal(format!("migration {version} is missing")))?;
        let text = std::str::from_utf8(&file.data).map_err(Error::internal)?;
        list.push(Migration::unapplied(&name, &resolve(text, engine)).map_err(Error::internal)?);
    }
    Ok(list)
}

/// Migrates to the newest schema.
///
/// # Errors
/// `Conflict` for a schema newer than this program or tables that Codex did not make, `Unavailable`
/// when a server is away, `Storage` when the file cannot be used.
pub fn run(target: &Target) -> Result<Report> {
    run_to(target, i64::MAX)
}

/// Migrates up to and including `version`; for tests that load data between the steps.
///
/// # Errors
/// As [`run`].
pub fn run_to(target: &Target, version: i64) -> Result<Report> {
    match target {
        Target::Sqlite(path) => migrate_file(path, version),
        #[cfg(feature = "postgres")]
        Target::Postgres(_) => migrate_server(target, version),
        #[cfg(not(feature = "postgres"))]
        Target::Postgres(_) => target.open(false).map(|_| Report { from: 0, to: 0, kept_copy: None }),
    }
}

/// The schema's version without changing anything; 0 for an empty or absent database.
///
/// # Errors
/// As [`run`].
pub fn version(target: &Target) -> Result<i64> {
    let _closed_before_the_end = super::begin_opening(target)?;
    if let Target::Sqlite(path) = target {
        return if path.exists() { file_version(&look(path)?).map_err(|cause| sqlite::at(path, cause)) } else { Ok(0) };
    }
    match target.open(true)? {
        Driver::Sqlite(connection) => file_version(&connection),
        #[cfg(feature = "postgres")]
        Driver::Postgres(mut session) => server_version(&mut session),
    }
}

/// The newest schema that this program knows.
///
/// # Errors
/// As [`steps`].
pub fn newest() -> Result<i64> {
    Ok(steps()?.last().map_or(0, |(version, _)| *version))
}

pub(super) fn newer(found: i64, newest: i64) -> Error {
    Error::conflict(format!("the database has schema version {found}, this Codex knows {newest}: use a newer Codex"))
}

fn runner(engine: Engine, applied: i64, up_to: i64) -> Result<Runner> {
    let newest = newest()?;
    if applied > newest {
        return Err(newer(applied, newest));
    }
    Ok(Runner::new(&migrations(engine, up_to)?).set_grouped(true).set_abort_missing(false))
}

fn foreign() -> Error {
    Error::conflict(
        "the database holds tables that Codex did not make; it is left untouched. Give Codex an empty database; \
         `codex import legacy` then brings over what the service before it kept in this one",
    )
}

pub(super) fn file_version(connection: &rusqlite::Connection) -> Result<i64> {
    let tables: i64 = connection
        .query_row(
            "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
            [],
            |row| row.get(0),
        )
        .map_err(sqlite::error)?;
    let known: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1", [HISTORY], |row| row.get(0))
        .map_err(sqlite::error)?;
    let unfinished: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1", [copy::state::TABLE], |row| {
            row.get(0)
        })
        .map_err(sqlite::error)?;
    match (tables, known) {
        (0, _) => Ok(0),
        (_, 0) => Err(foreign()),
        _ if unfinished > 0 => Err(copy::state::unfinished()),
        _ => connection
            .query_row("SELECT coalesce(max(version), 0) FROM refinery_schema_history", [], |row| row.get(0))
            .map_err(sqlite::error),
    }
}

/// Holds a lock file beside the database while it migrates: two processes may start at once.
fn lock(path: &Path) -> Result<std::fs::File> {
    let lock_path = path.with_extension("migrate.lock");
    let unusable = |cause: std::io::Error| sqlite::at(&lock_path, Error::Storage(cause.to_string()));
    let file = private::open(&lock_path).map_err(unusable)?;
    file.lock().map_err(unusable)?;
    Ok(file)
}

/// Opens a file without changing it, not even its journal mode, and without leaving anything beside it.
pub(super) fn look(path: &Path) -> Result<rusqlite::Connection> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists() {
        // Somebody uses it, or died: only a connection that may write cleans up behind itself.
        if let Ok(connection) = sqlite::plain(path) {
            return Ok(connection);
        }
    }
    let name = percent_encoding::utf8_percent_encode(&path.to_string_lossy(), percent_encoding::NON_ALPHANUMERIC).to_string();
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_URI;
    let opened = rusqlite::Connection::open_with_flags(format!("file:{name}?immutable=1"), flags);
    opened.map_err(|cause| sqlite::at(path, sqlite::error(cause)))
}

fn migrate_file(path: &Path, up_to: i64) -> Result<Report> {
    // Looked at read-only first: what is not ours must not even become WAL.
    if path.exists() {
        file_version(&look(path)?).map_err(|cause| sqlite::at(path, cause))?;
    }
    let _lock = lock(path)?;
    let mut connection = sqlite::open(path, false)?;
    restrict(path)?;
    migrate_open(&mut connection, path, up_to).map_err(|cause| sqlite::at(path, cause))
}

fn migrate_open(connection: &mut rusqlite::Connection, path: &Path, up_to: i64) -> Result<Report> {
    let from = file_version(connection)?;
    let runner = runner(Engine::Sqlite, from, up_to)?;
    let newest = runner.get_migrations().iter().map(|step| i64::from(step.version())).max().unwrap_or(0);
    if newest <= from {
        return Ok(Report { from, to: from, kept_copy: None });
    }
    let kept_copy = if from > 0 { Some(keep_copy(connection, path, from)?) } else { None };
    // A table rebuild with foreign keys on would delete all children, silently.
    connection.execute_batch("PRAGMA foreign_keys=OFF").map_err(sqlite::error)?;
    runner.run(connection).map_err(failed)?;
    let broken: i64 =
        connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).map_err(sqlite::error)?;
    if broken > 0 {
        return Err(Error::Internal(format!("{broken} rows refer to rows that do not exist after the migration")));
    }
    Ok(Report { from, to: file_version(connection)?, kept_copy })
}

/// What stopped a migration, by what can be done about it.
fn failed(cause: refinery::Error) -> Error {
    let text = cause.to_string();
    match cause.source().and_then(|cause| cause.downcast_ref::<rusqlite::Error>()) {
        Some(rusqlite::Error::SqliteFailure(code, message)) => {
            match sqlite::error(rusqlite::Error::SqliteFailure(*code, message.clone())) {
                Error::Constraint(_) | Error::Internal(_) => Error::Internal(text),
                other => other,
            }
        }
        _ => Error::Internal(text),
    }
}

/// The database holds personal data: nobody but its owner reads it.
fn restrict(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, mode).map_err(|cause| Error::Storage(format!("{}: {cause}", path.display())))
}

fn keep_copy(connection: &rusqlite::Connection, path: &Path, from: i64) -> Result<PathBuf> {
    let copy = path.with_extension(format!("before-upgrade-from-{from}.db"));
    super::backup::copy_of(connection, &copy)?;
    tracing::info!(copy = %copy.display(), "kept a copy of the database before upgrading it");
    Ok(copy)
}

/// Serialises migrations of all instances on one server.
#[cfg(feature = "postgres")]
pub(super) const ADVISORY_LOCK: i64 = 0x636f_6465_7801;

#[cfg(feature = "postgres")]
pub(super) fn server_version(session: &mut super::postgres::Session) -> Result<i64> {
    let count = |session: &mut super::postgres::Session, extra: &str| -> Result<i64> {
        let sql = format!("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() {extra}");
        session.all(&sql, &[])?.first().map_or(Ok(0), |row| row.get(0))
    };
    let tables = count(session, "")?;
    let known = count(session, "AND tablename = 'refinery_schema_history'")?;
    let unfinished = count(session, &format!("AND tablename = '{}'", copy::state::TABLE))?;
    match (tables, known) {
        (0, _) => Ok(0),
        (_, 0) => Err(foreign()),
        _ if unfinished > 0 => Err(copy::state::unfinished()),
        _ => session
            .all("SELECT CAST(coalesce(max(version), 0) AS BIGINT) FROM refinery_schema_history", &[])?
            .first()
            .map_or(Ok(0), |row| row.get(0)),
    }
}

#[cfg(feature = "postgres")]
fn open_server(target: &Target) -> Result<super::postgres::Session> {
    match target.open(false)? {
        Driver::Postgres(session) => Ok(*session),
        Driver::Sqlite(_) => Err(Error::Internal("not a server".to_owned())),
    }
}

/// Migrates while another session's transaction holds the lock: a pooler keeps no session, and so no lock of one.
#[cfg(feature = "postgres")]
fn migrate_server(target: &Target, up_to: i64) -> Result<Report> {
    let mut holder = open_server(target)?;
    let lock = format!("SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_advisory_xact_lock({ADVISORY_LOCK})");
    holder.begin("BEGIN", &lock)?;
    let mut session = open_server(target)?;
    session.take_time()?;
    let from = server_version(&mut session)?;
    let runner = runner(Engine::Postgres, from, up_to)?;
    runner.run(session.client()).map_err(|cause| Error::Internal(format!("migration: {cause:?}")))?;
    let to = server_version(&mut session)?;
    holder.batch("ROLLBACK")?;
    Ok(Report { from, to, kept_copy: None })
}

#[cfg(test)]
#[path = "migrate_tests.rs"]
mod tests;
