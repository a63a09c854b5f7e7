//! What is known of backups, in the database.

use serde::Serialize;

use crate::{
    db::{Conn, Row, Write},
    error::{Error, Result},
    params,
    types::{now, now_plus},
};

/// Failures, and backups that are no longer there, are forgotten after so many seconds.
const FORGOTTEN: i64 = 30 * 24 * 60 * 60;

/// Whether a backup can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = BackupState)]
pub enum State {
    /// It was restored aside when it was made, and was the same when it was read again.
    Restorable,
    /// It could not be restored aside.
    Unproven,
    /// It is not as it was when it was made.
    Broken,
    /// It could not be made; there is no file.
    Failed,
}

impl State {
    const ALL: [Self; 4] = [Self::Restorable, Self::Unproven, Self::Broken, Self::Failed];

    /// The word of the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restorable => "restorable",
            Self::Unproven => "unproven",
            Self::Broken => "broken",
            Self::Failed => "failed",
        }
    }
}

/// A backup, or an attempt at one.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Backup {
    pub id: i64,
    /// The folder that it went to, as the machine that made it calls it.
    pub folder: String,
    /// The name of its file; none of one that failed.
    pub file: Option<String>,
    pub made_at: String,
    /// `scheduler`, `cli`, or who started the job.
    pub made_by: String,
    pub state: State,
    /// Why it is not restorable, or what is odd about it.
    pub problem: Option<String>,
    /// When it was tried out or read again last.
    pub checked_at: Option<String>,
    pub bytes: i64,
    pub sha256: Option<String>,
    pub encrypted: bool,
    /// The version of the database's schema.
    pub schema_version: i64,
    /// How many rows the database had.
    pub rows: i64,
    /// How many attachments are in it.
    pub attachments: i64,
    /// Since when its file is not where it was, as far as was seen.
    pub missing_since: Option<String>,
}

impl Backup {
    /// Whether it is there and was proven.
    #[must_use]
    pub fn is_restorable(&self) -> bool {
        self.state == State::Restorable && self.missing_since.is_none()
    }
}

const COLUMNS: &str = "id, folder, file, made_at, made_by, state, problem, checked_at, bytes, sha256, encrypted, \
                       schema_version, row_count, attachments, missing_since";

fn backup(row: &Row) -> Result<Backup> {
    let word: String = row.get(5)?;
    let state = State::ALL.into_iter().find(|state| state.as_str() == word);
    Ok(Backup {
        id: row.get(0)?,
        folder: row.get(1)?,
        file: row.get(2)?,
        made_at: row.get(3)?,
        made_by: row.get(4)?,
        state: state.ok_or_else(|| Error::Internal(format!("{word:?} is no state of a backup")))?,
        problem: row.get(6)?,
        checked_at: row.get(7)?,
        bytes: row.get(8)?,
        sha256: row.get(9)?,
        encrypted: row.get(10)?,
        schema_version: row.get(11)?,
        rows: row.get(12)?,
        attachments: row.get(13)?,
        missing_since: row.get(14)?,
    })
}

/// Notes a backup or a failure; its id is given by the database. What nobody asks for any more is forgotten.
pub fn add(w: &mut Write<'_>, made: &Backup) -> Result<()> {
    let before = now_plus(-FORGOTTEN);
    w.run(
        "DELETE FROM backups WHERE (state = ?1 AND made_at < ?2) OR missing_since < ?2",
        params![State::Failed.as_str(), before.as_str()],
    )?;
    w.run(
        "INSERT INTO backups (folder, file, made_at, made_by, state, problem, checked_at, bytes, sha256, encrypted,
                              schema_version, row_count, attachments)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            made.folder.as_str(),
            made.file.clone(),
            made.made_at.as_str(),
            made.made_by.as_str(),
            made.state.as_str(),
            made.problem.clone(),
            made.checked_at.clone(),
            made.bytes,
            made.sha256.clone(),
            made.encrypted,
            made.schema_version,
            made.rows,
            made.attachments
        ],
    )?;
    Ok(())
}

/// The newest of all, at most so many.
pub fn list(c: &mut Conn, most: i64) -> Result<Vec<Backup>> {
    c.map(&format!("SELECT {COLUMNS} FROM backups ORDER BY id DESC LIMIT ?1"), params![most], backup)
}

/// Those whose files went to a folder, the newest first.
pub fn in_folder(c: &mut Conn, folder: &str) -> Result<Vec<Backup>> {
    let sql = format!("SELECT {COLUMNS} FROM backups WHERE folder = ?1 AND file IS NOT NULL ORDER BY made_at DESC, id DESC");
    c.map(&sql, params![folder], backup)
}

/// Those that were found not to be as they were, and are still there.
pub fn broken(c: &mut Conn) -> Result<Vec<Backup>> {
    let sql = format!("SELECT {COLUMNS} FROM backups WHERE state = ?1 AND missing_since IS NULL ORDER BY id DESC");
    c.map(&sql, params![State::Broken.as_str()], backup)
}

/// The newest that can be restored and is there.
pub fn last(c: &mut Conn) -> Result<Option<Backup>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM backups WHERE state = ?1 AND missing_since IS NULL ORDER BY made_at DESC, id DESC LIMIT 1"
    );
    c.first(&sql, params![State::Restorable.as_str()])?.map(|row| backup(&row)).transpose()
}

/// Notes how a backup was when it was read again.
pub fn checked(w: &mut Write<'_>, id: i64, state: State, problem: Option<&str>) -> Result<()> {
    w.run(
        "UPDATE backups SET state = ?2, problem = ?3, checked_at = ?4 WHERE id = ?1",
        params![id, state.as_str(), problem.map(str::to_owned), now()],
    )?;
    Ok(())
}

/// Notes whether the file of a backup is where it was.
pub fn seen(w: &mut Write<'_>, id: i64, is_there: bool) -> Result<()> {
    if is_there {
        w.run("UPDATE backups SET missing_since = NULL WHERE id = ?1", params![id])?;
    } else {
        w.run("UPDATE backups SET missing_since = COALESCE(missing_since, ?2) WHERE id = ?1", params![id, now()])?;
    }
    Ok(())
}

/// Forgets a backup whose file was deleted.
pub fn remove(w: &mut Write<'_>, id: i64) -> Result<()> {
    w.run("DELETE FROM backups WHERE id = ?1", params![id]).map(drop)
}
