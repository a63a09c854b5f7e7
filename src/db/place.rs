//! Whether the file that was opened is still the one at its path: what is written to a file without a name is lost
//! when the program ends.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::Target;
use crate::error::{Error, Result};

/// A file as it was when it was opened.
pub(super) struct Place(Option<(PathBuf, (u64, u64))>);

impl Place {
    /// Where this database is now. A server looks after its own files.
    pub(super) fn of(target: &Target) -> Self {
        match target {
            Target::Sqlite(path) => Self(identity(path).map(|identity| (path.clone(), identity))),
            Target::Postgres(_) => Self(None),
        }
    }

    /// # Errors
    /// `Storage` when the path names no file, or another one.
    pub(super) fn check(&self) -> Result<()> {
        match &self.0 {
            Some((path, opened)) if identity(path) != Some(*opened) => Err(Error::Storage(format!(
                "{} was deleted or replaced while Codex used it: put the file back, or restore a backup (codex restore), \
                 and restart Codex",
                path.display()
            ))),
            _ => Ok(()),
        }
    }
}

/// The device and the number of the file on it.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}
