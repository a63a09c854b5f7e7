//! Whether the file that was opened is still the one at its path: what is written to a file without a name is lost
//! when the program ends.

use std::{
    io::{self, ErrorKind},
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
            Target::Sqlite(path) => Self(identity(path).ok().flatten().map(|identity| (path.clone(), identity))),
            Target::Postgres(_) => Self(None),
        }
    }

    /// Whether the path still names that file, as far as can be told: what cannot be looked at may be there.
    pub(super) fn is_there(&self) -> bool {
        let Some((path, opened)) = &self.0 else { return true };
        match identity(path) {
            Ok(found) => found == Some(*opened),
            Err(error) => error.kind() != ErrorKind::NotFound,
        }
    }
}

/// The device and the number of the file on it; none for a file that has lost its last name.
fn identity(path: &Path) -> io::Result<Option<(u64, u64)>> {
    let found = std::fs::metadata(path)?;
    Ok((found.nlink() > 0).then(|| (found.dev(), found.ino())))
}
