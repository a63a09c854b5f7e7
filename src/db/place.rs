//! Whether the file that was opened is still the one at its path: what is written to a file without a name is lost
//! when the program ends.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::Target;

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

    /// Whether the path still names that file.
    pub(super) fn is_there(&self) -> bool {
        self.0.as_ref().is_none_or(|(path, opened)| identity(path) == Some(*opened))
    }
}

/// The device and the number of the file on it.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}
