//! The database's address as it last worked. Helm's `config_manager.py sync-all` writes section `[database]` of
//! `codex.conf` anew without knowing the password, and puts the word `password` in its place.

use std::{fs, io, io::Write as _, path::Path};

use super::{Config, Value, ini, private, save};

/// In the instance folder, for its owner alone: it holds the password.
const FILE: &str = "database-address";
/// What Helm writes where it does not know the password (`config_manager.py`, `start.sh`).
const PLACEHOLDERS: [&str; 2] = ["password", "CHANGE_ME"];

/// The address that is used in place of what `codex.conf` says, and where it stands.
pub(super) struct Kept {
    pub(super) address: String,
    pub(super) origin: String,
    /// Why, for the operator.
    pub(super) warning: String,
}

/// The kept address, when `codex.conf` has Helm's placeholder or lost its address altogether.
pub(super) fn instead_of(told: Option<&str>, instance: &Path) -> Option<Kept> {
    if told.is_some_and(|told| !is_placeholder(told)) {
        return None;
    }
    let (file, conf) = (instance.join(FILE), instance.join("codex.conf"));
    let text = fs::read_to_string(&file).ok()?;
    let address = text.trim();
    if address.is_empty() || told == Some(address) {
        return None;
    }
    let said = if told.is_some() { "has Helm's placeholder for the database's password" } else { "says no database any more" };
    let (file, conf) = (file.display(), conf.display());
    let warning = format!("{conf} {said}; the address that worked last stays in use (remove {file} to use another one)");
    Some(Kept { address: address.to_owned(), origin: file.to_string(), warning })
}

/// Whether Helm wrote this address without knowing the password.
fn is_placeholder(address: &str) -> bool {
    let authority = address.split_once("://").and_then(|(_, rest)| rest.split(['/', '?']).next());
    let password = authority.and_then(|authority| authority.rsplit_once('@')?.0.split_once(':')).map(|(_, password)| password);
    password.is_some_and(|password| PLACEHOLDERS.contains(&password))
}

/// Keeps the address of a database that could be opened, on the platform, when `codex.conf` says it. Where Helm's
/// placeholder took its place there, puts it back, because Helm's backup reads it there.
///
/// # Errors
/// When the instance folder cannot be written.
pub fn keep(config: &Config) -> io::Result<()> {
    let Some(Value { text: address, origin }) = config.given("database", "connection_string") else { return Ok(()) };
    let (instance, file) = (&config.instance, config.instance.join(FILE));
    if !config.on_platform() || address.is_empty() {
        return Ok(());
    }
    if origin == file.display().to_string() {
        return save(instance, &[("database", "connection_string", &address)]);
    }
    let in_conf = origin.starts_with(&*instance.join("codex.conf").to_string_lossy());
    if !in_conf || fs::read_to_string(&file).is_ok_and(|kept| kept.trim() == address) {
        return Ok(());
    }
    let new = instance.join(format!(".{FILE}.new"));
    let mut written = private::create(&new)?;
    written.write_all(format!("{address}\n").as_bytes())?;
    written.sync_all()?;
    fs::rename(&new, file)
}

/// The sections of `codex.conf` that are gone once Helm has written it anew: its `ConfigParser` takes a `%` in a value for
/// the beginning of a reference, and where there is none gives up that section and those behind it
/// (`config_manager.py`, `write_app_conf`).
#[must_use]
pub fn sections_lost_to_helm(conf: &str) -> Vec<String> {
    let mut lost: Vec<String> = Vec::new();
    for entry in ini::parse(conf).unwrap_or_default() {
        if (!lost.is_empty() || is_no_reference(&entry.value)) && !lost.contains(&entry.section) {
            lost.push(entry.section);
        }
    }
    lost
}

/// Whether a `%` stands in a value that is neither `%%` nor `%(name)s`.
fn is_no_reference(value: &str) -> bool {
    let mut rest = value;
    while let Some((_, behind)) = rest.split_once('%') {
        match behind.strip_prefix('%').or_else(|| behind.strip_prefix('(').and_then(|name| Some(name.split_once(")s")?.1))) {
            Some(further) => rest = further,
            None => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_helm_cannot_read_is_known() {
        let conf = "[database]\nconnection_string = postgresql://u:p@h/d\n[freshservice]\ndomain = acme\napi_key = a%b\n[datto]\npublic_key = x\n";
        assert_eq!(sections_lost_to_helm(conf), ["freshservice", "datto"]);
        for kept in ["", "[a]\nb = 100%%\n", "[a]\nb = %(c)s\nc = 1\n", "[a]\n; 5 % of it\nb = 1\n"] {
            assert_eq!(sections_lost_to_helm(kept), [] as [&str; 0], "{kept}");
        }
    }

    #[test]
    fn knows_helms_placeholders() {
        for address in ["postgresql://codex_user:password@localhost:5432/codex_db", "postgresql+psycopg2://u:CHANGE_ME@h/d"] {
            assert!(is_placeholder(address), "{address}");
        }
        for address in
            ["postgresql://u:passwords@h/d", "postgresql://password@h/d", "postgresql://h/d?x=:password@", "sqlite:///password"]
        {
            assert!(!is_placeholder(address), "{address}");
        }
    }

    #[test]
    fn what_worked_stands_in_for_a_placeholder_alone() {
        let folder = tempfile::tempdir().unwrap();
        let placeholder = "postgresql://codex_user:password@localhost:5432/codex_db";
        let helms = Some(placeholder);
        assert!(instead_of(helms, folder.path()).is_none(), "nothing is kept");
        fs::write(folder.path().join(FILE), "postgresql://codex_user:s3cret@db/codex_db\n").unwrap();
        for told in [helms, None] {
            assert_eq!(instead_of(told, folder.path()).unwrap().address, "postgresql://codex_user:s3cret@db/codex_db");
        }
        assert!(instead_of(Some("postgresql://codex_user:other@db/codex_db"), folder.path()).is_none());
        fs::write(folder.path().join(FILE), placeholder).unwrap();
        assert!(instead_of(helms, folder.path()).is_none(), "who chose that password is not warned");
    }
}
