//! What a backup says of itself: its `manifest.json`.

use serde::{Deserialize, Serialize};

use crate::{
    db::backup::Contents,
    error::{Error, Result},
};

/// The version of the format that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// The name of the manifest among the files of a backup.
pub const MANIFEST: &str = "manifest.json";
/// Where the files of the instance folder stand in a backup.
pub const INSTANCE: &str = "instance/";
/// Where attachments stand in it, each under its SHA-256.
pub const ATTACHMENTS: &str = "attachments/";

/// What stands in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub format: u32,
    /// The version of the program that made it.
    pub codex: String,
    /// When.
    pub made_at: String,
    /// The database.
    pub database: Contents,
    /// Attachments that the database knows and the folder did not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Attachments that are in it as they were found, which is not as they were stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<String>,
    /// Every file but the manifest, in the order in which they stand in it.
    pub files: Vec<Member>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its path.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// Reads a manifest, whatever else a newer program may have written into it.
    ///
    /// # Errors
    /// `BadRequest` for one of a newer format; `Damaged` for what is none.
    pub fn parse(text: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let broken = |error: serde_json::Error| Error::Damaged(format!("{MANIFEST} cannot be read: {error}"));
        let head: Head = serde_json::from_slice(text).map_err(broken)?;
        if head.format > FORMAT {
            return Err(Error::BadRequest(format!(
                "it has the format {}, and this Codex knows {FORMAT}: use a newer Codex",
                head.format
            )));
        }
        serde_json::from_slice(text).map_err(broken)
    }

    /// Where the database stands among the files.
    #[must_use]
    pub fn database_name(&self) -> &'static str {
        database_name(self.database.engine)
    }

    /// How many attachments it has.
    #[must_use]
    pub fn attachments(&self) -> usize {
        self.files.iter().filter(|file| file.name.starts_with(ATTACHMENTS)).count()
    }

    /// What people should know of it although it can be restored; nothing when all is well.
    #[must_use]
    pub fn remarks(&self) -> Option<String> {
        let count = |names: &[String], what: &str| match names.len() {
            0 => None,
            1 => Some(format!("1 attachment {what}: {}", names.concat())),
            more => Some(format!("{more} attachments {what}: {}, …", names.first().map_or("", String::as_str))),
        };
        let said = [count(&self.missing, "is not in the folder"), count(&self.damaged, "is not as it was stored")];
        let said: Vec<String> = said.into_iter().flatten().collect();
        (!said.is_empty()).then(|| said.join("; "))
    }
}

/// The name of the database's file: each engine has a form of its own.
#[must_use]
pub fn database_name(engine: crate::db::Engine) -> &'static str {
    match engine {
        crate::db::Engine::Sqlite => "database.db",
        crate::db::Engine::Postgres => "database.dump",
    }
}

/// Whether a file of this name may stand in a backup: nothing else is ever unpacked.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    let is_plain = |name: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        !name.is_empty() && !name.starts_with('.') && name.chars().all(known)
    };
    if let Some(name) = name.strip_prefix(ATTACHMENTS) {
        return name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
    }
    if let Some(name) = name.strip_prefix(INSTANCE) {
        return is_plain(name.strip_prefix("keys/").unwrap_or(name));
    }
    [MANIFEST, database_name(crate::db::Engine::Sqlite), database_name(crate::db::Engine::Postgres)].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_a_backup() {
        let digest = "0f".repeat(32);
        for name in ["manifest.json", "database.db", "instance/keys/jwt_private.pem", "instance/credentials.key"] {
            assert!(is_ours(name), "{name}");
        }
        assert!(is_ours(&format!("attachments/{digest}")));
        for name in ["/etc/passwd", "instance/../x", "instance/keys/../../x", "attachments/x", "database.db/x", "instance/", "x"]
        {
            assert!(!is_ours(name), "{name}");
        }
    }
}
