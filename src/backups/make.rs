//! Makes a backup: database, attachments and keys in one file, which gets its name once it has been restored aside.

use std::{
    fs,
    path::{Path, PathBuf},
};

use age::x25519::{Identity, Recipient};

use super::{
    archive::{self, Writer, Written},
    manifest::{ATTACHMENTS, FORMAT, INSTANCE, Manifest, database_name},
    scratch::{Scratch, file_name, sync_folder, unusable},
};
use crate::{
    attachments::{files::Folder, store as attachments},
    config::{Config, private},
    db::{
        Target,
        backup::{self, Proof},
    },
    encryption,
    error::{Error, Result},
    types::now,
};

/// What follows the name of a file that has not got it yet.
pub(super) const DRAFT: &str = ".new";

/// Where a backup goes.
#[derive(Clone, Debug)]
pub enum Destination {
    /// Into this folder, under a name that says when.
    Folder(PathBuf),
    /// To this file, which must not exist.
    File(PathBuf),
}

/// A backup that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// What is in it.
    pub manifest: Manifest,
    /// Whether it could be restored aside.
    pub proof: Proof,
    /// Whether it is encrypted.
    pub encrypted: bool,
}

/// A file that is taken away at the end, unless it has another name by then.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // What cannot be taken away now is swept away later.
        let _gone = fs::remove_file(&self.0);
    }
}

/// Makes a backup while others use the database, and tries it out.
///
/// # Errors
/// `BadRequest` when there is no data or the file exists, `Damaged` when the database is, `Unavailable`, `Storage`. There is
/// no file then.
pub fn make(config: &Config, target: &Target, to: &Destination, recipients: &[Recipient]) -> Result<Made> {
    let path = path_of(to, !recipients.is_empty())?;
    let (draft, scratch) = (with_end(&path, DRAFT), Scratch::new(config)?);
    let dumped = scratch.place("dump")?;
    let (contents, wanted) = backup::dump(target, &dumped, |c, tables| {
        // There are none before the version that brought them.
        if tables.contains_key("attachments") { attachments::contents(c) } else { Ok(Vec::new()) }
    })?;
    // The file is tried out as it is, so it is encrypted to one more, who is forgotten when this is done.
    let witness = (!recipients.is_empty()).then(Identity::generate);
    let to = recipients.iter().cloned().chain(witness.as_ref().map(Identity::to_public)).collect::<Vec<_>>();
    let mut writer = Writer::create(&draft, &to)?;
    // Not before: one that is there is another process's.
    let _draft = Draft(draft.clone());
    writer.add(database_name(contents.engine), &dumped)?;
    fs::remove_file(&dumped).map_err(|error| unusable(&dumped, &error))?;
    let (missing, damaged) = add_attachments(&mut writer, &Folder::of(config), wanted)?;
    for (name, from) in instance_files(config)? {
        writer.add(&name, &from)?;
    }
    let manifest = Manifest {
        format: FORMAT,
        codex: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now(),
        database: contents,
        missing,
        damaged,
        files: Vec::new(),
    };
    let (manifest, Written { bytes, sha256 }) = writer.finish(manifest)?;
    let identities: Vec<Identity> = witness.into_iter().collect();
    let proof = match try_out(target, &draft, &identities, &scratch) {
        Ok((_, proof)) => proof,
        Err(Error::Damaged(why) | Error::BadRequest(why)) => {
            return Err(Error::Storage(format!("the backup was made, but it cannot be restored: {why}; there is no file")));
        }
        Err(other) => return Err(other),
    };
    // Two processes may have chosen the same name.
    fs::hard_link(&draft, &path).or_else(|error| if path.exists() { Err(error) } else { fs::rename(&draft, &path) }).map_err(
        |error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => exists(&path),
            _ => unusable(&path, &error),
        },
    )?;
    sync_folder(&path);
    Ok(Made { encrypted: !recipients.is_empty(), path, bytes, sha256, manifest, proof })
}

/// Reads a backup whole, and restores its database aside.
///
/// # Errors
/// `BadRequest` or `Damaged`, with what is wrong with it; `Unavailable` or `Storage` when it could not be tried.
pub fn try_out(target: &Target, path: &Path, identities: &[Identity], scratch: &Scratch) -> Result<(Manifest, Proof)> {
    let database = scratch.place("database")?;
    let manifest = archive::read(path, identities, &mut |name| Ok(name.starts_with("database.").then(|| database.clone())))?;
    if !database.is_file() || !manifest.files.iter().any(|file| file.name == manifest.database_name()) {
        return Err(Error::Damaged("it holds no database".to_owned()));
    }
    let proof = backup::restore_aside(target, &database, &manifest.database)?;
    Ok((manifest, proof))
}

/// The path of a backup that is about to be made, in a folder that is there.
fn path_of(to: &Destination, encrypted: bool) -> Result<PathBuf> {
    let folder = match to {
        Destination::Folder(folder) => folder.clone(),
        Destination::File(file) if file.exists() => return Err(exists(file)),
        Destination::File(file) => return Ok(file.clone()),
    };
    private::folder(&folder).map_err(|error| unusable(&folder, &error))?;
    let stamp: String = now().chars().filter(char::is_ascii_alphanumeric).collect();
    let end = if encrypted { ".tar.zst.age" } else { ".tar.zst" };
    let name = |more: &str| folder.join(format!("codex-{stamp}{more}{end}"));
    let is_free = |path: &PathBuf| !path.exists() && !with_end(path, DRAFT).exists();
    // Several within a second.
    let more = (2..1_000).map(|number| name(&format!("-{number}")));
    std::iter::once(name("")).chain(more).find(is_free).ok_or_else(|| exists(&name("")))
}

/// Puts the attachments in; those that are not there, and those that are not as they were stored.
fn add_attachments(writer: &mut Writer, folder: &Folder, wanted: Vec<String>) -> Result<(Vec<String>, Vec<String>)> {
    let (mut missing, mut damaged) = (Vec::new(), Vec::new());
    for sha256 in wanted {
        let Some(from) = folder.find(&sha256) else {
            missing.push(sha256);
            continue;
        };
        if writer.add(&format!("{ATTACHMENTS}{sha256}"), &from)? != sha256 {
            damaged.push(sha256);
        }
    }
    Ok((missing, damaged))
}

/// The keys of the instance and its configuration, with their names in a backup.
fn instance_files(config: &Config) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let keys = config.instance.join("keys");
    if keys.is_dir() {
        for entry in fs::read_dir(&keys).map_err(|error| unusable(&keys, &error))? {
            let path = entry.map_err(|error| unusable(&keys, &error))?.path();
            let is_key = path.extension().is_some_and(|end| end == "pem") && path.is_file();
            found.extend(is_key.then(|| (format!("{INSTANCE}keys/{}", file_name(&path)), path)));
        }
        found.sort();
    }
    for path in [encryption::place(config), config.instance.join("codex.conf")] {
        if path.is_file() {
            found.push((format!("{INSTANCE}{}", file_name(&path)), path));
        }
    }
    Ok(found)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn exists(path: &Path) -> Error {
    Error::BadRequest(format!("{} exists already; choose another name", path.display()))
}
