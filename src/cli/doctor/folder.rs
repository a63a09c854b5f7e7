//! The instance folder: who can read it, whose it is, how full its disk is, and what lies in it that nobody needs.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown},
    path::{Path, PathBuf},
};

use super::finding::Finding;
use crate::{
    attachments::files::Folder,
    config::{Config, Database, sections_lost_to_helm},
    platform::disk,
};

/// Folders and files of the instance that nobody but its owner needs to look into.
const PRIVATE: [&str; 7] = ["keys", "credentials.key", "database-address", "attachments", "backups", "exports", "tls"];

/// Looks at everything in it, and mends what can be.
pub fn look(config: &Config, fix: bool) -> Vec<Finding> {
    let mut findings = vec![permissions(config, fix)];
    if !config.instance.is_dir() {
        return findings;
    }
    findings.push(owner(config, fix));
    findings.push(room(config));
    findings.push(uploads(config, fix));
    findings.extend(helm(config));
    findings
}

/// A path that can be used by others in this way, and the bits that allow it.
struct Open {
    path: PathBuf,
    forbidden: u32,
    how: &'static str,
}

/// Nobody but the owner reads secrets and personal data, or puts files where we look for ours.
fn permissions(config: &Config, fix: bool) -> Finding {
    let mut open = Vec::new();
    let mut look = |path: PathBuf, forbidden: u32, how: &'static str| {
        if path.metadata().is_ok_and(|found| found.permissions().mode() & forbidden != 0) {
            open.push(Open { path, forbidden, how });
        }
    };
    look(config.instance.clone(), 0o022, "written");
    let conf = config.instance.join("codex.conf");
    let from_conf = format!("{}:", conf.display());
    if config.shown().iter().any(|setting| setting.value.contains("***") && setting.origin.starts_with(&from_conf)) {
        look(conf, 0o077, "read");
    }
    if let Database::Sqlite(path) = &config.database {
        look(path.clone(), 0o077, "read");
    }
    // Helm keeps copies of settings in backups/, and makes it as open as any folder: nobody reaches it in one that is closed.
    let open_to_others = config.instance.metadata().map_or(0o077, |found| found.permissions().mode() & 0o077);
    for name in PRIVATE {
        let path = config.instance.join(name);
        if open_to_others == 0 && config.on_platform() && name == "backups" {
            continue;
        }
        for entry in fs::read_dir(&path).into_iter().flatten().flatten().filter(|_| name == "keys") {
            look(entry.path(), 0o077, "read");
        }
        look(path, 0o077, "read");
    }
    if open.is_empty() {
        return Finding::ok("permissions", "what is private can be read by its owner alone");
    }
    let told = |Open { path, how, .. }: &Open| format!("{} can be {how} by others: chmod go= {0}", path.display());
    let found = Finding::wrong("permissions", open.iter().map(told).collect::<Vec<_>>().join("; "), "chmod go=");
    if !fix {
        return found;
    }
    let own = config.instance.metadata().map(|own| own.uid());
    let close = |Open { path, forbidden, .. }: &Open| {
        let found = path.metadata()?;
        // Whoever owns the folder can put a link there; root follows none to what is another's.
        if path.is_symlink() && own.as_ref().is_ok_and(|own| *own != found.uid()) {
            return Err(io::Error::other(format!("{} leads to what is somebody else's", path.display())));
        }
        fs::set_permissions(path, Permissions::from_mode(found.permissions().mode() & !forbidden))
    };
    match open.iter().try_for_each(close) {
        Ok(()) => found.mended("they cannot any more"),
        Err(error) => Finding { advice: Some(format!("chmod was refused ({error}): do it as their owner")), ..found },
    }
}

/// On the platform, settings that do not outlive it when Helm writes `codex.conf` anew.
fn helm(config: &Config) -> Option<Finding> {
    let conf = config.instance.join("codex.conf");
    let text = fs::read_to_string(&conf).ok().filter(|_| config.on_platform())?;
    let lost = sections_lost_to_helm(&text);
    let what = format!("a % in {}: Helm drops [{}] when it writes its settings there", conf.display(), lost.join("], ["));
    let advice = if lost.iter().any(|section| section == "database") {
        "give the database's user a password without special characters, and enter what else has a % in it under Admin, Credentials"
    } else {
        "enter what has a % in it under Admin, Credentials, and take it out of the file"
    };
    (!lost.is_empty()).then(|| Finding::warning("helm", what, advice))
}

/// What root has made in an instance that is not root's cannot be used by the service.
fn owner(config: &Config, fix: bool) -> Finding {
    let Ok(own) = config.instance.metadata() else { return Finding::ok("owner", "no folder yet") };
    let foreign: Vec<PathBuf> = entries(&config.instance, 3)
        .into_iter()
        .filter(|path| path.symlink_metadata().is_ok_and(|found| found.uid() != own.uid()))
        .collect();
    let Some(first) = foreign.first() else { return Finding::ok("owner", "everything belongs to the owner of the folder") };
    let what = format!("{} files belong to somebody else than their folder, {} first", foreign.len(), first.display());
    let advice = format!("chown -R --reference={0} {0}", config.instance.display());
    let found = Finding::wrong("owner", what, advice);
    if !fix || !rustix::process::geteuid().is_root() {
        return found;
    }
    let given = |path: &PathBuf| {
        // A file with another name elsewhere may be anybody's, and so may be what a link leads to.
        let is_shared = path.symlink_metadata().is_ok_and(|found| found.is_file() && found.nlink() > 1);
        !is_shared && lchown(path, Some(own.uid()), Some(own.gid())).is_ok()
    };
    if foreign.iter().filter(|path| !given(path)).count() == 0 { found.mended("they belong to its owner now") } else { found }
}

/// What lies in a folder and, so deep, in the folders in it.
fn entries(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(entries(&path, depth - 1));
        }
        found.push(path);
    }
    found
}

fn room(config: &Config) -> Finding {
    let disk = disk::look(&config.instance);
    let (Some(used), Some(free)) = (disk.usage_percent, disk.free_gb) else {
        return Finding::ok("disk", "how full it is cannot be told");
    };
    let what = format!("{used} % in use, {free} GB free");
    match disk.status {
        "healthy" => Finding::ok("disk", what),
        // Nothing fails yet.
        _ => Finding::warning("disk", what, format!("make room on the disk of {}", config.instance.display())),
    }
}

/// What uploads have left that were broken off.
fn uploads(config: &Config, fix: bool) -> Finding {
    let abandoned = match Folder::of(config).abandoned() {
        Ok(abandoned) => abandoned,
        Err(error) => return Finding::wrong("attachments", error.to_string(), "see who may read the folder"),
    };
    if abandoned.is_empty() {
        return Finding::ok("attachments", "no upload was left half-way");
    }
    let what = format!("{} uploads were broken off and left a file", abandoned.len());
    let found = Finding::warning("attachments", what, "codex doctor --fix takes them away");
    if fix && abandoned.iter().all(|path| fs::remove_file(path).is_ok()) { found.mended("taken away") } else { found }
}
