//! Copies of an SQLite file that can be trusted: made while it is in use, checked, and put back whole.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use rusqlite::backup::{Backup, StepResult};

use super::{Target, migrate, sqlite};
use crate::{
    config::private,
    error::{Error, Result},
    types::{hex, now},
};

/// A copy that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Where it is.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, as it stands in the file beside it.
    pub sha256: String,
}

/// What putting a copy back did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The schema's version of the copy.
    pub version: i64,
    /// Where the database went that was there before.
    pub kept: Option<PathBuf>,
}

/// Copies the database to a new file, checks the copy, and writes its checksum beside it.
///
/// # Errors
/// `BadRequest` on PostgreSQL or when the file exists, `Damaged` when the copy does not pass, `Storage`.
pub fn make(target: &Target, to: &Path) -> Result<Copy> {
    let from = file_of(target, "copy it with `pg_dump --format=custom --file=codex.dump` and the same connection")?;
    if to.exists() {
        return Err(Error::BadRequest(format!("{} exists already; choose another name", to.display())));
    }
    if migrate::version(target)? == 0 {
        return Err(Error::BadRequest(format!("{} holds no data yet", from.display())));
    }
    let draft = beside(to, ".new");
    let made = copy_of(&sqlite::open(from, true)?, &draft).and_then(|()| check(&draft, true)).and_then(|_| sum(&draft));
    let sum = made.inspect_err(|_| drop(fs::remove_file(&draft)))?;
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let place = beside(to, ".sha256");
    let written = private::create(&place).and_then(|mut file| writeln!(file, "{sum}  {name}").and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&draft, to)).map_err(|error| unusable(to, &error))?;
    sync_folder(to);
    let bytes = fs::metadata(to).map_err(|error| unusable(to, &error))?.len();
    Ok(Copy { file: to.to_owned(), bytes, sha256: sum })
}

/// Puts a copy in the place of the database, which is kept under another name: all of it or nothing.
///
/// # Errors
/// `BadRequest` for a file that is no whole copy of a Codex database of ours, `Unavailable` while the
/// database is in use, `Storage`.
pub fn restore(target: &Target, copy: &Path) -> Result<Restored> {
    let place = file_of(target, "put a dump back with `pg_restore --clean --if-exists --dbname=… codex.dump`")?;
    if !copy.is_file() {
        return Err(Error::BadRequest(format!("{} is not a file", copy.display())));
    }
    check_sum(copy)?;
    let _nobody_else = hold(place, true)?;
    let draft = beside(place, ".restoring");
    let taken = migrate::look(copy).and_then(|from| copy_of(&from, &draft)).and_then(|()| check(&draft, true));
    let version = taken.map_err(|error| {
        let _nothing_there = fs::remove_file(&draft);
        match error {
            Error::Storage(_) | Error::Unavailable(_) => error,
            other => Error::BadRequest(format!("{} was not restored: {other}", copy.display())),
        }
    })?;
    let kept = if place.exists() { Some(set_aside(place)?) } else { None };
    for end in ["-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(place, end)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(place, &error)),
            _ => {}
        }
    }
    fs::rename(&draft, place).map_err(|error| unusable(place, &error))?;
    sync_folder(place);
    Ok(Restored { version, kept })
}

/// Looks for damage; what was found, in SQLite's words. `whole` also reads every index.
///
/// # Errors
/// `Damaged` when the file cannot even be looked at; `Unavailable` when somebody broke the look off.
pub(super) fn damage(connection: &rusqlite::Connection, whole: bool) -> Result<Option<String>> {
    let sql = if whole { "PRAGMA integrity_check(3)" } else { "PRAGMA quick_check(3)" };
    let mut statement = connection.prepare(sql).map_err(sqlite::error)?;
    let found = statement.query_map([], |row| row.get::<_, String>(0)).map_err(sqlite::error)?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>().map_err(sqlite::error)?.join("; ").replace('\n', " ");
    Ok((found != "ok").then_some(found))
}

/// Takes the right to use the file: together with others, or alone, which a restore needs.
pub(super) fn hold(place: &Path, alone: bool) -> Result<fs::File> {
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
pub(super) fn copy_of(from: &rusqlite::Connection, to: &Path) -> Result<()> {
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
fn check(file: &Path, whole: bool) -> Result<i64> {
    let connection = migrate::look(file)?;
    if let Some(found) = damage(&connection, whole)? {
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

/// Refuses a copy that is not what its checksum says; one without a checksum passes.
fn check_sum(copy: &Path) -> Result<()> {
    let Ok(text) = fs::read_to_string(beside(copy, ".sha256")) else { return Ok(()) };
    let said = text.split_whitespace().next().unwrap_or_default();
    if said.eq_ignore_ascii_case(&sum(copy)?) {
        return Ok(());
    }
    Err(Error::BadRequest(format!("{} is damaged: it is not what {0}.sha256 says; use another backup", copy.display())))
}

/// The old database under a name that says when, with whatever log it still had.
fn set_aside(place: &Path) -> Result<PathBuf> {
    // Its log goes into it, if it can still be read.
    let _damaged = sqlite::open(place, false).map(drop);
    let stamp: String = now().chars().filter(char::is_ascii_alphanumeric).collect();
    let kept = place.with_extension(format!("before-restore-{stamp}.db"));
    let moved = |from: &Path, to: &Path| fs::rename(from, to).map_err(|error| unusable(from, &error));
    let log = beside(place, "-wal");
    if log.exists() {
        moved(&log, &beside(&kept, "-wal"))?;
    }
    // The database stays in its place until the new one takes it.
    fs::hard_link(place, &kept).or_else(|_| fs::copy(place, &kept).map(|_| ())).map_err(|error| unusable(&kept, &error))?;
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

fn file_of<'a>(target: &'a Target, instead: &str) -> Result<&'a Path> {
    match target {
        Target::Sqlite(path) => Ok(path),
        Target::Postgres(_) => Err(Error::BadRequest(format!("the database is on PostgreSQL: {instead}"))),
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
