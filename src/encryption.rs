//! Seals secrets (vendors' credentials, recovery and licence keys) with a key that is not in the database,
//! and makes the fingerprints that people see.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest, hmac, rand,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    config::{Config, Database, Secret, private},
    error::{Error, Result},
    types::hex,
};

/// The file with the key.
const FILE: &str = "credentials.key";
/// Bytes of a key.
const LENGTH: usize = 32;

/// What a value that was sealed for a column begins with; the key's name and the sealed bytes follow.
const MARK: &str = "sealed";

/// The key, ready to use.
pub struct Encryption {
    key: LessSafeKey,
    /// Makes the nonces of [`Encryption::seal_same`].
    nonces: hmac::Key,
    /// Makes what [`Encryption::digest`] gives.
    digests: hmac::Key,
    id: String,
}

impl Encryption {
    /// The key from the configuration, else from the file beside the database.
    ///
    /// # Errors
    /// `Unavailable`, with what to do, when there is none or it cannot be used.
    pub fn open(config: &Config) -> Result<Self> {
        if let Some(secret) = &config.credentials_key {
            return Self::new(secret, "credentials.key (CODEX_CREDENTIALS_KEY)");
        }
        let path = place(config);
        let text = fs::read_to_string(&path).map_err(|error| {
            Error::Unavailable(format!(
                "the key of the stored credentials cannot be read ({}: {error}); put it back, set CODEX_CREDENTIALS_KEY, or \
                 enter the credentials again",
                path.display()
            ))
        })?;
        if let Ok(found) = fs::metadata(&path)
            && found.permissions().mode() & 0o077 != 0
        {
            tracing::warn!(path = %path.display(), "the key of the stored credentials can be read by others: chmod go= it");
        }
        Self::new(&Secret::new(text), &path.display().to_string())
    }

    /// The same; makes the file when there is neither a key nor anything that one would open.
    ///
    /// # Errors
    /// As [`Encryption::open`]; `Storage` when the file cannot be written.
    pub fn create(config: &Config) -> Result<Self> {
        let path = place(config);
        if config.credentials_key.is_none() && !path.exists() {
            make(&path).map_err(|error| Error::Storage(format!("{}: {error}", path.display())))?;
        }
        Self::open(config)
    }

    /// That of a test.
    #[cfg(test)]
    pub(crate) fn of(secret: &Secret) -> Result<Self> {
        Self::new(secret, "test")
    }

    fn new(secret: &Secret, origin: &str) -> Result<Self> {
        let wrong = || Error::Unavailable(format!("{origin} must be {LENGTH} bytes in base64 or hexadecimal digits"));
        let bytes = decode(secret.expose().trim()).ok_or_else(wrong)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| wrong())?;
        let nonces = hmac::Key::new(hmac::HMAC_SHA256, &digest(&[b"nonces", &bytes]));
        let digests = hmac::Key::new(hmac::HMAC_SHA256, &digest(&[b"digests", &bytes]));
        Ok(Self { key: LessSafeKey::new(key), nonces, digests, id: beginning(&digest(&[b"key", &bytes]), 8) })
    }

    /// Names the key without telling it, so that a wrong one is recognised.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Seals a text; `purpose` must be the same when it is opened.
    ///
    /// # Errors
    /// `Internal` when the system has no random numbers.
    pub fn seal(&self, purpose: &str, text: &str) -> Result<String> {
        let mut nonce = [0_u8; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| Error::internal("the system has no random numbers"))?;
        self.seal_with(nonce, purpose, text)
    }

    /// Seals a value of a column: the same text always becomes the same, so that a sync can tell whether a
    /// value changed without opening it. Who reads the database learns which rows hold the same value, and
    /// nothing of the value: the nonce is a keyed digest of the text, so it repeats with the text alone.
    ///
    /// # Errors
    /// `Internal` when nothing can be encrypted.
    pub fn seal_same(&self, purpose: &str, text: &str) -> Result<String> {
        let mut context = hmac::Context::with_key(&self.nonces);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(text.as_bytes());
        let tag = context.sign();
        let nonce = tag.as_ref().get(..NONCE_LEN).and_then(|bytes| bytes.try_into().ok());
        let sealed = self.seal_with(nonce.ok_or_else(|| Error::internal("a digest is too short"))?, purpose, text)?;
        Ok(format!("{MARK}:{}:{sealed}", self.id))
    }

    /// A digest that nobody can make, or try texts against, without the key: by it a text is known again that is not kept.
    #[must_use]
    pub fn digest(&self, purpose: &str, text: &str) -> String {
        let mut context = hmac::Context::with_key(&self.digests);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(text.as_bytes());
        beginning(context.sign().as_ref(), 16)
    }

    fn seal_with(&self, nonce: [u8; NONCE_LEN], purpose: &str, text: &str) -> Result<String> {
        let mut bytes = text.as_bytes().to_vec();
        let aad = Aad::from(purpose.as_bytes());
        let sealed = self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes);
        sealed.map_err(|_| Error::internal("nothing can be encrypted"))?;
        Ok(STANDARD.encode([nonce.as_slice(), &bytes].concat()))
    }

    /// Opens what [`Encryption::seal_same`] sealed; none when the key or the purpose is another.
    #[must_use]
    pub fn open_same(&self, purpose: &str, sealed: &str) -> Option<Secret> {
        let rest = sealed.strip_prefix(MARK)?.strip_prefix(':')?.strip_prefix(self.id.as_str())?.strip_prefix(':')?;
        self.open_sealed(purpose, rest)
    }

    /// Opens what was sealed; none when the key or the text is another.
    #[must_use]
    pub fn open_sealed(&self, purpose: &str, sealed: &str) -> Option<Secret> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, rest) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut rest = rest.to_vec();
        let text = self.key.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut rest).ok()?;
        String::from_utf8(text.to_vec()).ok().map(Secret::new)
    }
}

/// Whether a text is what [`Encryption::seal_same`] makes of a value, by whatever key.
#[must_use]
pub fn is_sealed(text: &str) -> bool {
    let parts = text.strip_prefix(MARK).and_then(|rest| rest.strip_prefix(':')).and_then(|rest| rest.split_once(':'));
    parts.is_some_and(|(id, sealed)| {
        id.len() == 16
            && id.bytes().all(|b| b.is_ascii_hexdigit())
            && STANDARD.decode(sealed).is_ok_and(|bytes| bytes.len() >= NONCE_LEN + AES_256_GCM.tag_len())
    })
}

/// The first eight hexadecimal digits of a salted digest: tells two values apart, and nothing else.
#[must_use]
pub fn fingerprint(salt: &str, value: &Secret) -> String {
    beginning(&digest(&[salt.as_bytes(), value.expose().as_bytes()]), 4)
}

/// Random text, for a salt.
#[must_use]
pub fn salt() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Where the key file is: beside the database when that is a file, else in the instance folder.
#[must_use]
pub fn place(config: &Config) -> PathBuf {
    let beside = match &config.database {
        Database::Sqlite(path) => path.parent().filter(|folder| !folder.as_os_str().is_empty()),
        Database::Postgres(_) => None,
    };
    beside.unwrap_or(&config.instance).join(FILE)
}

/// Writes a fresh key beside its place and links it there, so that of two processes one wins.
fn make(path: &Path) -> std::io::Result<()> {
    let mut bytes = [0_u8; LENGTH];
    rand::fill(&mut bytes).map_err(|_| std::io::Error::other("the system has no random numbers"))?;
    let fresh = path.with_extension(format!("new-{}", uuid::Uuid::new_v4().simple()));
    let mut file = private::create_new(&fresh)?;
    file.write_all(STANDARD.encode(bytes).as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&fresh, path);
    fs::remove_file(&fresh)?;
    match linked {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok());
    let bytes = if text.len() == 2 * LENGTH { digits.collect::<Option<Vec<u8>>>() } else { STANDARD.decode(text).ok() };
    bytes.filter(|bytes| bytes.len() == LENGTH)
}

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().to_vec()
}

/// The beginning of a digest, in `count` bytes.
fn beginning(digest: &[u8], count: usize) -> String {
    hex(digest.get(..count).unwrap_or(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encryption(byte: u8) -> Encryption {
        Encryption::new(&Secret::new(STANDARD.encode([byte; LENGTH])), "test").unwrap()
    }

    #[test]
    fn only_the_same_key_and_purpose_open_it() {
        let sealed = encryption(1).seal("datto.secret_key", "canary").unwrap();
        assert!(!sealed.contains("canary"));
        assert_ne!(sealed, encryption(1).seal("datto.secret_key", "canary").unwrap(), "never the same nonce");
        assert_eq!(encryption(1).open_sealed("datto.secret_key", &sealed).unwrap().expose(), "canary");
        assert!(encryption(2).open_sealed("datto.secret_key", &sealed).is_none());
        assert!(encryption(1).open_sealed("datto.public_key", &sealed).is_none());
        assert!(encryption(1).open_sealed("datto.secret_key", "x").is_none());
        assert_ne!(encryption(1).id(), encryption(2).id());
    }

    #[test]
    fn the_value_of_a_column_is_sealed_the_same_each_time() {
        let sealed = encryption(1).seal_same("asset.key", "canary").unwrap();
        assert_eq!(sealed, encryption(1).seal_same("asset.key", "canary").unwrap());
        for other in [
            encryption(1).seal_same("asset.key", "canary2"),
            encryption(1).seal_same("asset.kez", "canary"),
            encryption(2).seal_same("asset.key", "canary"),
        ] {
            assert_ne!(other.unwrap(), sealed);
        }
        assert!(is_sealed(&sealed) && !sealed.contains("canary"));
        assert!(!is_sealed("sealed:by hand") && !is_sealed("canary") && !is_sealed("sealed:0011223344556677:AAAA"));
        assert_eq!(encryption(1).open_same("asset.key", &sealed).unwrap().expose(), "canary");
        assert!(encryption(2).open_same("asset.key", &sealed).is_none());
        assert!(encryption(1).open_same("asset.kez", &sealed).is_none());
    }

    #[test]
    fn a_key_has_two_spellings() {
        let hex = "01".repeat(LENGTH);
        assert_eq!(Encryption::new(&Secret::new(hex), "test").unwrap().id(), encryption(1).id());
        for wrong in ["", "short", &"zz".repeat(LENGTH), &"é".repeat(LENGTH)] {
            assert!(Encryption::new(&Secret::new(wrong), "test").is_err());
        }
    }
}
