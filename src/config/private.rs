//! Files of an instance that only its owner may read, whoever runs the command that makes them.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown, fchown},
    path::Path,
};

/// Opens a file for its owner alone, made if it is not there; what it holds stays.
pub fn open(path: &Path) -> io::Result<File> {
    made(path, options().read(true).create(true).truncate(false).open(path)?)
}

/// An empty file for its owner alone, in place of what is there.
pub fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => create_new(path),
    }
}

/// A new file for its owner alone; fails when something is there.
pub fn create_new(path: &Path) -> io::Result<File> {
    made(path, options().create_new(true).open(path)?)
}

/// Makes a folder, and those above it, for its owner alone. One that exists stays as it is.
pub fn folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let (missing, heir) = (path.ancestors().take_while(|place| !place.exists()), heir(path));
    let missing: Vec<&Path> = missing.filter(|place| !place.as_os_str().is_empty()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let Some((user, group)) = heir else { return Ok(()) };
    missing.into_iter().try_for_each(|place| chown(place, Some(user), Some(group)))
}

/// A link that somebody put where our file belongs is not followed: root may be the one who writes.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// Root works for the owner of the folder: what it makes there must be theirs, or their service cannot use it.
fn made(path: &Path, file: File) -> io::Result<File> {
    if let Some((user, group)) = heir(path) {
        let found = file.metadata()?;
        if found.uid() == 0 && found.nlink() == 1 {
            fchown(&file, Some(user), Some(group))?;
        }
    }
    Ok(file)
}

/// To whom root gives what it makes at a path: the owner of the folder around it, unless that is root.
fn heir(path: &Path) -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let named = |place: &&Path| !place.as_os_str().is_empty();
    let owner = path.ancestors().skip(1).filter(named).find_map(|place| place.metadata().ok());
    let owner = owner.or_else(|| Path::new(".").metadata().ok())?;
    (owner.uid() != 0).then(|| (owner.uid(), owner.gid()))
}

/// How to run a command as the owner of a file or folder; nothing when that is who runs it.
#[must_use]
pub fn run_as_owner(path: &Path) -> Option<String> {
    let found = path.ancestors().find_map(|place| place.metadata().ok())?;
    let (owner, me) = (found.uid(), rustix::process::geteuid().as_raw());
    if owner == me || me == 0 {
        return None;
    }
    let name = user_name(owner);
    Some(format!(
        "it belongs to {name}; run the command as {name}: sudo -u {name} codex …, or as root runuser -u {name} -- codex …"
    ))
}

/// The name of a user, or the number where the system has none.
fn user_name(id: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let named = fields.find(|line| line.get(2).is_some_and(|number| number.parse() == Ok(id)));
    named.and_then(|line| line.first().map(|name| (*name).to_owned())).unwrap_or_else(|| format!("user {id}"))
}
