//! Copies of an SQLite file that can be trusted: made while it is in use, checked, and put back whole.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::digest;
use rusqlite::backup::{Backup, StepResult};

use super::{
    super::{Conn, Driver, Engine, Target, migrate, sqlite, upkeep::Upkeep},
    Contents, Finish, Restored, Tables, after,
};
use crate::{
    config::private,
    error::{Error, Result},
    types::{hex, now},
};

/// Writes the whole database of a file into `to`, checks it and counts its rows; `look` reads in the same state.
///
/// # Errors
/// `BadRequest` when there is no data, `Damaged` when the copy does not pass, `Storage`; those of `look`.
pub(super) fn dump<T>(from: &Path, to: &Path, look: impl FnOnce(&mut Conn, &Tables) -> Result<T>) -> Result<(Contents, T)> {
    if migrate::version(&Target::Sqlite(from.to_owned()))? == 0 {
        return Err(Error::BadRequest(format!("{} holds no data yet", from.display())));
    }
    copy_of(&sqlite::open(from, true)?, to).map_err(|cause| sqlite::at(to, cause))?;
    let schema_version = check(to)?;
    let copy = migrate::look(to)?;
    let tables = counts(&copy)?;
    let looked = look(&mut Conn::new(Driver::Sqlite(copy), Arc::default()), &tables)?;
    Ok((Contents { engine: Engine::Sqlite, schema_version, schema: None, extensions: Vec::new(), tables }, looked))
}

/// Whether a file is what its backup says: sound, of a schema that we know, with as many rows in each table.
///
/// # Errors
/// `Damaged` or `BadRequest`, with what is wrong.
pub(super) fn prove(file: &Path, said: &Contents) -> Result<i64> {
    let version = check(file)?;
    said.compare(&counts(&migrate::look(file)?)?)?;
    Ok(version)
}

/// Refuses a copy that is not what the checksum beside it says; one without a checksum passes.
///
/// # Errors
/// `BadRequest`.
pub(super) fn check_sum(copy: &Path) -> Result<()> {
    let Ok(text) = fs::read_to_string(beside(copy, ".sha256")) else { return Ok(()) };
    let said = text.split_whitespace().next().unwrap_or_default();
    if said.eq_ignore_ascii_case(&sum(copy)?) {
        return Ok(());
    }
    Err(Error::BadRequest(format!("{} is damaged: it is not what {0}.sha256 says; use another backup", copy.display())))
}

/// Puts a copy in the place of the database, which is kept under another name: all of it or nothing. Who calls it is the only
/// one who uses the database.
///
/// # Errors
/// `BadRequest` for a file that is no whole copy of a Codex database of ours, `Storage`; those of `finish`.
pub(super) fn put_back(place: &Path, copy: &Path, said: Option<&Contents>, finish: Finish) -> Result<Restored> {
    let draft = beside(place, ".restoring");
    let taken = migrate::look(copy).and_then(|from| copy_of(&from, &draft)).and_then(|()| match said {
        Some(said) => prove(&draft, said),
        None => check(&draft),
    });
    let replaced = last_change(place);
    let finished = taken.and_then(|version| {
        let end = |c: &mut Conn| after(c, version, replaced).and_then(|()| finish(c));
        Upkeep::in_copy(&Target::Sqlite(draft.clone()), |copy| copy.step(end)).map(|()| version)
    });
    let exchanged = finished.and_then(|version| exchange(place, &draft).map(|kept| (version, kept)));
    let (version, kept) = exchanged.inspect_err(|_| drop(fs::remove_file(&draft)))?;
    Ok(Restored { version, kept: kept.map(|kept| kept.display().to_string()) })
}

/// Puts a whole file in the place of the database; where that is kept now.
fn exchange(place: &Path, draft: &Path) -> Result<Option<PathBuf>> {
    let kept = if place.exists() { Some(set_aside(place)?) } else { None };
    for end in ["-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(place, end)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(place, &error)),
            _ => {}
        }
    }
    fs::rename(draft, place).map_err(|error| unusable(place, &error))?;
    sync_folder(place);
    Ok(kept)
}

/// The number of the last change in a file; nothing when there is no file, or it cannot be read any more.
fn last_change(place: &Path) -> Option<i64> {
    let connection = place.exists().then(|| migrate::look(place).ok()).flatten()?;
    connection.query_row("SELECT version FROM head WHERE id = 1", [], |row| row.get(0)).ok()
}

/// How many rows each table has.
fn counts(connection: &rusqlite::Connection) -> Result<Tables> {
    // What a virtual table holds stands in tables of its own.
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
               AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name";
    let mut statement = connection.prepare(sql).map_err(sqlite::error)?;
    let names = statement.query_map([], |row| row.get::<_, String>(0)).map_err(sqlite::error)?;
    let names = names.collect::<rusqlite::Result<Vec<_>>>().map_err(sqlite::error)?;
    names
        .into_iter()
        .map(|name| {
            let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
            let count = connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(sqlite::error)?;
            Ok((name, count))
        })
        .collect()
}

/// Looks for damage; what was found, in SQLite's words. `whole` also reads every index.
///
/// # Errors
/// `Damaged` when the file cannot even be looked at; `Unavailable` when somebody broke the look off.
pub(in crate::db) fn damage(connection: &rusqlite::Connection, whole: bool) -> Result<Option<String>> {
    let sql = if whole { "PRAGMA integrity_check(3)" } else { "PRAGMA quick_check(3)" };
    let mut statement = connection.prepare(sql).map_err(sqlite::error)?;
    let found = statement.query_map([], |row| row.get::<_, String>(0)).map_err(sqlite::error)?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>().map_err(sqlite::error)?.join("; ").replace('\n', " ");
    Ok((found != "ok").then_some(found))
}

/// Takes the right to use the file: together with others, or alone, which a restore needs.
pub(in crate::db) fn hold(place: &Path, alone: bool) -> Result<fs::File> {
    let lock = place.with_extension("lock");
    let file = private::open(&lock).map_err(|error| unusable(&lock, &error))?;
    let held = if alone { file.try_lock() } else { file.try_lock_shared() };
    match held {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::Error(error)) => Err(unusable(&lock, &error)),
        Err(fs::TryLockError::WouldBlock) if alone => Err(Error::Unavailable(format!(
            "{} is in use: stop Codex first (systemctl stop codex), and wait for its commands to end",
            place.display()
        ))),
        Err(fs::TryLockError::WouldBlock) => {
            Err(Error::Unavailable(format!("{} is being restored; try again when that is done", place.display())))
        }
    }
}

/// The whole database of a connection in a file of its own, without a log beside it.
pub(in crate::db) fn copy_of(from: &rusqlite::Connection, to: &Path) -> Result<()> {
    private::create(to).map_err(|error| unusable(to, &error))?;
    let mut copy = sqlite::plain(to)?;
    {
        let backup = Backup::new(from, &mut copy).map_err(sqlite::error)?;
        // In one step: a copy in pieces begins again whenever somebody writes meanwhile.
        if !matches!(backup.step(-1).map_err(sqlite::error)?, StepResult::Done) {
            return Err(Error::Unavailable("the database is locked by another process; nothing was copied".to_owned()));
        }
    }
    copy.execute_batch("PRAGMA journal_mode=DELETE").map_err(sqlite::error)?;
    drop(copy);
    let whole = fs::File::open(to).and_then(|file| file.sync_all());
    whole.map_err(|error| unusable(to, &error))
}

/// The schema's version of a sound file of ours.
fn check(file: &Path) -> Result<i64> {
    let connection = migrate::look(file)?;
    if let Some(found) = damage(&connection, true)? {
        return Err(Error::Damaged(found));
    }
    let version = migrate::file_version(&connection).map_err(|error| match error {
        Error::Conflict { .. } => Error::BadRequest("it is not a Codex database".to_owned()),
        other => other,
    })?;
    let newest = migrate::newest()?;
    match version {
        0 => Err(Error::BadRequest("it is not a Codex database".to_owned())),
        version if version > newest => Err(migrate::newer(version, newest)),
        version => Ok(version),
    }
}

/// The old database under a name that says when, with whatever log it still had.
fn set_aside(place: &Path) -> Result<PathBuf> {
    // Its log goes into it, if it can still be read.
    let _damaged = sqlite::open(place, false).map(drop);
    let stamp: String = now().chars().filter(char::is_ascii_alphanumeric).collect();
    let kept = place.with_extension(format!("before-restore-{stamp}.db"));
    // Both stay in their places until the new one takes them: what fails on the way takes nothing from what is there.
    let twice = |from: &Path, to: &Path| {
        fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop)).map_err(|error| unusable(to, &error))
    };
    twice(place, &kept)?;
    let log = beside(place, "-wal");
    if log.exists() {
        twice(&log, &beside(&kept, "-wal"))?;
    }
    Ok(kept)
}

fn sum(file: &Path) -> Result<String> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; 1 << 16];
    let mut file_read = fs::File::open(file).map_err(|error| unusable(file, &error))?;
    loop {
        match file_read.read(&mut buffer).map_err(|error| unusable(file, &error))? {
            0 => return Ok(hex(context.finish().as_ref())),
            read => context.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

/// The same name with something after it.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// A name counts as written once its folder is.
fn sync_folder(file: &Path) {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _not_every_system_can = fs::File::open(folder).and_then(|folder| folder.sync_all());
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    sqlite::at(path, Error::Storage(error.to_string()))
}
