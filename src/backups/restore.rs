//! Puts a backup back: the database in the place of ours, the attachments and the keys of the instance beside it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use age::x25519::Identity;

use super::{
    archive::{self, Kind},
    manifest::{ATTACHMENTS, INSTANCE, Manifest},
    scratch::{Scratch, file_name, sync_folder, unusable},
};
use crate::{
    attachments::files::Folder,
    config::{Config, private},
    db::{
        Target,
        backup::{self, Finish},
    },
    encryption,
    error::{Error, Result},
    types::now,
};

/// What a restore did.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The version of the database's schema.
    pub version: i64,
    /// Where the database went that was there before.
    pub kept: Option<String>,
    /// What is in the backup; a bare database has no manifest.
    pub manifest: Option<Manifest>,
    /// Files of the instance folder that were put back, each with the name under which the one before was kept.
    pub files: Vec<(PathBuf, Option<PathBuf>)>,
    /// Attachments that were put back; the others were there.
    pub attachments: usize,
}

/// Puts a backup in the place of what is there, while nobody uses it. `finish` is done in the database before anybody can.
///
/// # Errors
/// `BadRequest` for a file that is damaged, cut short, newer, foreign, encrypted to others or of another engine: nothing was
/// changed then. `Unavailable` while somebody uses the database. `Storage`.
pub fn restore(config: &Config, target: &Target, file: &Path, identities: &[Identity], finish: Finish) -> Result<Restored> {
    let refused = |error: Error| match error {
        Error::Damaged(why) => Error::BadRequest(format!("{} is damaged: {why}; use another backup", file.display())),
        Error::BadRequest(why) | Error::Conflict { message: why, .. } => {
            Error::BadRequest(format!("{} was not restored: {why}", file.display()))
        }
        other => other,
    };
    if archive::kind(file).map_err(refused)? == Kind::Database {
        let done = backup::put_back_file(target, file, finish).map_err(refused)?;
        return Ok(Restored { version: done.version, kept: done.kept, manifest: None, files: Vec::new(), attachments: 0 });
    }
    let alone = backup::alone(target)?;
    let staging = Scratch::new(config)?;
    let manifest = archive::read(file, identities, &mut |name| staging.place(name).map(Some)).map_err(refused)?;
    manifest.database.is_known().map_err(refused)?;
    let database = staging.place(manifest.database_name())?;
    if !database.is_file() {
        return Err(refused(Error::Damaged("it holds no database".to_owned())));
    }
    // Adding them changes nothing for the database that is there, whatever happens next.
    let attachments = put_attachments(&staging, &Folder::of(config), &manifest)?;
    let done = backup::put_back(alone, target, &database, &manifest.database, finish).map_err(refused)?;
    let files = put_files(config, &staging, &manifest)?;
    Ok(Restored { version: done.version, kept: done.kept, manifest: Some(manifest), files, attachments })
}

/// Puts in place what the folder of attachments does not have, or not as it was stored; how many.
fn put_attachments(staging: &Scratch, folder: &Folder, manifest: &Manifest) -> Result<usize> {
    let mut count = 0;
    for file in &manifest.files {
        let Some(sha256) = file.name.strip_prefix(ATTACHMENTS) else { continue };
        let place = folder.place(sha256);
        // One that is there and is not as it was stored is exchanged, unless the backup's own is no better.
        let is_whole = |path: &Path| archive::digest(path).is_ok_and(|found| found == sha256);
        if place.is_file() && (file.sha256 != sha256 || is_whole(&place)) {
            continue;
        }
        put(&staging.place(&file.name)?, &place)?;
        count += 1;
    }
    Ok(count)
}

/// Puts the keys in place; those that were there and differ are kept under another name. The configuration is put where
/// there is none: it says what is true of this machine.
fn put_files(config: &Config, staging: &Scratch, manifest: &Manifest) -> Result<Vec<(PathBuf, Option<PathBuf>)>> {
    let mut done = Vec::new();
    let credentials = encryption::place(config);
    let conf = config.instance.join("codex.conf");
    let stamp: String = now().chars().filter(char::is_ascii_alphanumeric).collect();
    for file in &manifest.files {
        let Some(name) = file.name.strip_prefix(INSTANCE) else { continue };
        let from = staging.place(&file.name)?;
        let to = if credentials.file_name().is_some_and(|known| known == name) {
            credentials.clone()
        } else {
            config.instance.join(name)
        };
        if to == conf && to.exists() {
            continue;
        }
        let there = match fs::read(&to) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(unusable(&to, &error)),
        };
        let new = fs::read(&from).map_err(|error| unusable(&from, &error))?;
        if there.as_ref() == Some(&new) {
            continue;
        }
        let kept = there.map(|_| {
            let kept = to.with_file_name(format!("{}.before-restore-{stamp}", file_name(&to)));
            fs::hard_link(&to, &kept).or_else(|_| fs::copy(&to, &kept).map(drop)).map(|()| kept)
        });
        let kept = kept.transpose().map_err(|error| unusable(&to, &error))?;
        put(&from, &to)?;
        done.push((to, kept));
    }
    Ok(done)
}

/// Moves a file that is on the disk to its place; all of it or nothing.
fn put(from: &Path, to: &Path) -> Result<()> {
    let failed = |error: std::io::Error| unusable(to, &error);
    private::folder(to.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    if fs::rename(from, to).is_err() {
        // On another file system.
        let draft = to.with_file_name(format!("{}.new", file_name(to)));
        let copied = private::create(&draft)
            .and_then(|mut out| std::io::copy(&mut fs::File::open(from)?, &mut out).and_then(|_| out.sync_all()))
            .and_then(|()| fs::rename(&draft, to));
        copied.inspect_err(|_| drop(fs::remove_file(&draft))).map_err(failed)?;
    }
    sync_folder(to);
    Ok(())
}
