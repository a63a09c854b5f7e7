//! What becomes of backups once they are made: they are noted, read again from time to time, and deleted when they are old.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    archive,
    make::Made,
    manifest::Manifest,
    retention,
    scratch::{file_name, unusable},
    store::{self, Backup, State},
};
use crate::{
    config::{BACKUP, Config, Keep},
    db::{Db, Write, backup::Proof},
    error::{Error, Result},
    types::{Actor, Scope, now},
};

fn actor() -> Actor {
    Actor::system(BACKUP)
}

/// The row of a backup that was made by somebody.
#[must_use]
pub fn row_of(made: &Made, by: &str) -> Backup {
    let (state, problem) = match &made.proof {
        Proof::Restored => (State::Restorable, made.manifest.remarks()),
        Proof::Impossible(why) => (State::Unproven, Some(why.clone())),
    };
    Backup {
        id: 0,
        folder: folder_of(&made.path),
        file: Some(file_name(&made.path)),
        made_at: made.manifest.made_at.clone(),
        made_by: by.to_owned(),
        state,
        problem,
        checked_at: (state == State::Restorable).then(now),
        bytes: i64::try_from(made.bytes).unwrap_or(i64::MAX),
        sha256: Some(made.sha256.clone()),
        encrypted: made.encrypted,
        schema_version: made.manifest.database.schema_version,
        rows: made.manifest.database.rows(),
        attachments: i64::try_from(made.manifest.attachments()).unwrap_or(i64::MAX),
        missing_since: None,
    }
}

/// The row of one that could not be made.
#[must_use]
pub fn failure(folder: &Path, by: &str, why: &Error) -> Backup {
    // What is unforeseen goes to the log, as everywhere.
    let problem = match why {
        Error::Internal(_) => "an internal error; the log tells more".to_owned(),
        other => other.to_string(),
    };
    Backup {
        id: 0,
        folder: folder.display().to_string(),
        file: None,
        made_at: now(),
        made_by: by.to_owned(),
        state: State::Failed,
        problem: Some(problem),
        checked_at: None,
        bytes: 0,
        sha256: None,
        encrypted: false,
        schema_version: 0,
        rows: 0,
        attachments: 0,
        missing_since: None,
    }
}

/// The folder of a backup, in the one spelling that it has on this machine.
fn folder_of(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).display().to_string()
}

/// How a backup was found.
enum Found {
    /// Not where it was.
    Missing,
    /// There; not read.
    There,
    /// As it was made.
    Same,
    /// Otherwise.
    Broken(String),
}

/// Looks after the earlier backups of a folder: whether they are there, and whether the newest of them and the one that was
/// read longest ago are as they were made. What is wrong, in a line for each.
///
/// # Errors
/// Those of the database.
pub async fn read_again(db: &Db, folder: &Path, newest: &str) -> Result<Vec<String>> {
    let name = folder_of(&folder.join("file"));
    let mut known = db.read(&Scope::All, move |c| store::in_folder(c, &name)).await?;
    known.retain(|backup| backup.file.as_deref() != Some(newest));
    let readable = |backup: &&Backup| backup.state != State::Broken && backup.sha256.is_some();
    let last = known.iter().find(readable).map(|backup| backup.id);
    let oldest = known.iter().filter(readable).min_by_key(|backup| backup.checked_at.clone()).map(|backup| backup.id);
    let folder = folder.to_owned();
    let looked = tokio::task::spawn_blocking(move || {
        let look = |backup: Backup| {
            let found = look(&backup, &folder, [last, oldest].contains(&Some(backup.id)));
            (backup, found)
        };
        known.into_iter().map(look).collect::<Vec<_>>()
    });
    let looked = looked.await.map_err(Error::internal)?;
    let wrong = looked.iter().filter_map(|(backup, found)| match found {
        Found::Broken(why) => Some(format!("{} cannot be restored: {why}", backup.file.as_deref().unwrap_or_default())),
        _ => None,
    });
    let wrong = wrong.collect();
    let note = move |w: &mut Write<'_>| {
        for (backup, found) in &looked {
            store::seen(w, backup.id, !matches!(found, Found::Missing))?;
            match found {
                Found::Same => store::checked(w, backup.id, backup.state, backup.problem.as_deref())?,
                Found::Broken(why) => store::checked(w, backup.id, State::Broken, Some(why))?,
                Found::Missing | Found::There => {}
            }
        }
        Ok(())
    };
    db.write(&Scope::All, &actor(), note).await?;
    Ok(wrong)
}

fn look(backup: &Backup, folder: &Path, read: bool) -> Found {
    let path = path_of(backup, folder);
    let Ok(found) = fs::metadata(&path) else { return Found::Missing };
    if backup.state == State::Broken {
        return Found::There;
    }
    if found.len() != u64::try_from(backup.bytes).unwrap_or(0) {
        return Found::Broken(format!("it has {} bytes, and was made with {}", found.len(), backup.bytes));
    }
    if !read {
        return Found::There;
    }
    match archive::digest(&path) {
        Ok(sha256) if backup.sha256.as_ref() == Some(&sha256) => Found::Same,
        Ok(_) => Found::Broken("its SHA-256 is not what it was when it was made".to_owned()),
        Err(error) => Found::Broken(error.to_string()),
    }
}

fn path_of(backup: &Backup, folder: &Path) -> PathBuf {
    folder.join(backup.file.as_deref().unwrap_or_default())
}

/// Notes how a file was that a person has tried out, if it is one of ours.
///
/// # Errors
/// Those of the database.
pub async fn note(db: &Db, path: &Path, problem: Option<String>) -> Result<()> {
    let (folder, file) = (folder_of(path), file_name(path));
    let note = move |w: &mut Write<'_>| {
        let known = store::in_folder(w, &folder)?;
        let Some(backup) = known.into_iter().find(|backup| backup.file.as_ref() == Some(&file)) else { return Ok(()) };
        store::seen(w, backup.id, true)?;
        match &problem {
            Some(why) => store::checked(w, backup.id, State::Broken, Some(why)),
            None => store::checked(w, backup.id, State::Restorable, None),
        }
    };
    db.write(&Scope::All, &actor(), note).await
}

/// Notes the backup from which this database comes: the state that it holds does not know of it yet.
///
/// # Errors
/// `Storage` when the file cannot be read any more; those of the database.
pub async fn note_restored(db: &Db, path: &Path, manifest: &Manifest) -> Result<()> {
    let bytes = fs::metadata(path).map_err(|error| unusable(path, &error))?.len();
    let made = Made {
        path: path.to_owned(),
        bytes,
        sha256: archive::digest(path)?,
        manifest: manifest.clone(),
        proof: Proof::Restored,
        encrypted: archive::kind(path)? == archive::Kind::Encrypted,
    };
    let row = row_of(&made, "restore");
    let note = move |w: &mut Write<'_>| {
        let known = store::in_folder(w, &row.folder)?;
        match known.into_iter().find(|backup| backup.file == row.file && backup.sha256 == row.sha256) {
            Some(backup) => store::seen(w, backup.id, true),
            None => store::add(w, &row),
        }
    };
    db.write(&Scope::All, &actor(), note).await
}

/// Deletes the backups of a folder that are beyond what is kept, and that this database made; their names. The newest one
/// there that can be restored stays in any case, and so do those that are broken, for a person to look at.
///
/// # Errors
/// `Storage` when a file cannot be deleted; those of the database.
pub async fn prune(db: &Db, config: &Config, folder: &Path, keep: Keep) -> Result<Vec<String>> {
    let name = folder_of(&folder.join("file"));
    let known = db.read(&Scope::All, move |c| store::in_folder(c, &name)).await?;
    let mut deleted = Vec::new();
    for backup in surplus(known, keep, &config.display.time_zone)? {
        let path = path_of(&backup, folder);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(&path, &error)),
            _ => {}
        }
        let id = backup.id;
        db.write(&Scope::All, &actor(), move |w| store::remove(w, id)).await?;
        deleted.extend(backup.file);
    }
    Ok(deleted)
}

/// Which of a folder's backups, the newest first, are beyond what is kept.
fn surplus(mut known: Vec<Backup>, keep: Keep, zone: &TimeZone) -> Result<Vec<Backup>> {
    known.retain(|backup| backup.missing_since.is_none() && matches!(backup.state, State::Restorable | State::Unproven));
    let last = known.iter().find(|backup| backup.is_restorable()).map(|backup| backup.id);
    let moments = known.iter().map(|backup| backup.made_at.parse::<Timestamp>().map_err(Error::internal));
    let beyond = retention::beyond(keep, &moments.collect::<Result<Vec<_>>>()?, zone);
    let indexed = known.into_iter().enumerate();
    Ok(indexed.filter(|(index, backup)| beyond.contains(index) && Some(backup.id) != last).map(|(_, backup)| backup).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_a_folder_that_can_be_restored_stays() {
        let of = |id: i64, day: i64, state| Backup {
            id,
            file: Some(format!("{id}")),
            made_at: format!("2026-11-{day:02}T01:30:00Z"),
            state,
            ..failure(Path::new("/backups"), "scheduler", &Error::Storage("full".to_owned()))
        };
        let left = |known: Vec<Backup>| {
            let gone = surplus(known.clone(), Keep::parse("1d").unwrap(), &TimeZone::UTC).unwrap();
            known.into_iter().map(|backup| backup.id).filter(|id| gone.iter().all(|gone| gone.id != *id)).collect::<Vec<_>>()
        };
        let (proven, unproven) = (State::Restorable, State::Unproven);
        assert_eq!(left(vec![of(4, 30, unproven), of(3, 29, unproven), of(2, 28, proven), of(1, 27, proven)]), [4, 2]);
        assert_eq!(left(vec![of(3, 30, proven), of(2, 29, State::Broken), of(1, 28, proven)]), [3, 2]);
        let gone = Backup { missing_since: Some("2026-11-30T02:00:00Z".to_owned()), ..of(3, 30, proven) };
        assert_eq!(left(vec![gone, of(2, 29, unproven), of(1, 28, proven)]), [3, 2, 1]);
    }
}
