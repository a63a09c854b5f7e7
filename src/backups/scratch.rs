//! A folder of the instance in which a backup is put together or unpacked, taken away at the end: nothing that is not
//! encrypted ever lies where backups go.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    config::{Config, private},
    error::{Error, Result},
};

/// What such folders are called; something random follows.
const NAME: &str = "scratch-";
/// What is as old was left by a process that died.
const ABANDONED: Duration = Duration::from_hours(24);

/// The folder.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one.
    ///
    /// # Errors
    /// `Storage`.
    pub fn new(config: &Config) -> Result<Self> {
        let folder = config.instance.join(format!("{NAME}{}", uuid::Uuid::new_v4().simple()));
        private::folder(&folder).map_err(|error| unusable(&folder, &error))?;
        Ok(Self(folder))
    }

    /// The path of a file in it, whose folder is there.
    ///
    /// # Errors
    /// `Storage`.
    pub fn place(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        let folder = path.parent().unwrap_or(&self.0);
        private::folder(folder).map_err(|error| unusable(folder, &error))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "what was unpacked could not be taken away; it is tried again tomorrow");
        }
    }
}

/// Takes away what processes have left that died: their scratch folders, and in the folder of backups the files that did
/// not get their names.
///
/// # Errors
/// `Storage`.
pub fn sweep(config: &Config, backups: &Path) -> Result<()> {
    let is_scratch = |name: &str| name.starts_with(NAME);
    let is_draft = |name: &str| name.starts_with("codex-") && name.ends_with(super::make::DRAFT);
    take_away(&config.instance, &is_scratch)?;
    if backups.is_dir() { take_away(backups, &is_draft) } else { Ok(()) }
}

fn take_away(folder: &Path, is_left: &dyn Fn(&str) -> bool) -> Result<()> {
    let failed = |error: io::Error| unusable(folder, &error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !is_left(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let path = entry.path();
        match take_away_old(&entry) {
            // Its own process was faster.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(&path, &error)),
            _ => {}
        }
    }
    Ok(())
}

fn take_away_old(entry: &fs::DirEntry) -> io::Result<()> {
    let (path, found) = (entry.path(), entry.metadata()?);
    if !found.modified()?.elapsed().is_ok_and(|passed| passed > ABANDONED) {
        return Ok(());
    }
    if found.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// Why a file or folder cannot be used.
pub(super) fn unusable(path: &Path, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Error::Storage(format!("the disk is full: {} needs some room", path.display()))
        }
        _ => Error::Storage(format!("{}: {error}", path.display())),
    }
}

/// A name counts as written once its folder is.
pub(super) fn sync_folder(file: &Path) {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _not_every_system_can = fs::File::open(folder).and_then(|folder| folder.sync_all());
}

/// The last part of a path, for people.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
