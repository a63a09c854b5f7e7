//! Our own key pair for stand-alone mode: made on first run, kept in the instance folder, readable by
//! its owner alone. The database holds the public half only, so that a backup signs nothing.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{AlgorithmParameters, Jwk as LibraryJwk, ThumbprintHash},
};
use serde::Serialize;

use super::keys::Jwk;
use crate::{
    config::private,
    error::{Error, Result},
};

/// Signs the tokens that Codex issues.
pub struct Signer {
    key: EncodingKey,
    public: Jwk,
    place: PathBuf,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Signer").field("kid", &self.public.kid).finish_non_exhaustive()
    }
}

impl Signer {
    /// The key pair of this instance folder (`keys/jwt_private.pem`); makes one when there is none.
    pub fn open(instance: &Path) -> Result<Self> {
        let folder = instance.join("keys");
        let place = folder.join("jwt_private.pem");
        if !place.exists() {
            private::folder(&folder).map_err(|e| storage(&folder, &e))?;
            create(&place)?;
        }
        Self::at(place)
    }

    /// Looks whether the key pair of this instance folder, if there is one, can be used.
    ///
    /// # Errors
    /// `Storage`, with what is wrong.
    pub fn check(instance: &Path) -> Result<()> {
        let place = instance.join("keys").join("jwt_private.pem");
        if place.exists() { Self::at(place).map(drop) } else { Ok(()) }
    }

    fn at(place: PathBuf) -> Result<Self> {
        let pem = fs::read(&place).map_err(|e| storage(&place, &e))?;
        let unusable = |_| Error::Storage(format!("{} holds no RSA private key", place.display()));
        let key = EncodingKey::from_rsa_pem(&pem).map_err(unusable)?;
        let public = public_half(&key).map_err(unusable)?;
        Ok(Self { key, public, place })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    /// Where the key lives, on which machine: a new key in the same place replaces the old one.
    #[must_use]
    pub fn holder(&self) -> String {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let place = self.place.canonicalize().unwrap_or_else(|_| self.place.clone());
        format!("{}:{}", host.trim(), place.display())
    }

    /// A signed token with these claims.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.public.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.key).map_err(Error::internal)
    }
}

fn storage(path: &Path, error: &std::io::Error) -> Error {
    Error::Storage(format!("{}: {error}", path.display()))
}

/// Writes a fresh key beside its place and links it there, so that of two processes one wins.
fn create(place: &Path) -> Result<()> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(Error::internal)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(Error::internal)?;
    let draft = place.with_extension(format!("{}.new", uuid::Uuid::new_v4()));
    let written = private::create_new(&draft).and_then(|mut file| {
        file.write_all(pem(der.as_ref()).as_bytes())?;
        file.sync_all()
    });
    // Not every file system has hard links; where there are none, the last process wins.
    let rename = |error| if place.exists() { Err(error) } else { fs::rename(&draft, place) };
    let linked = written.and_then(|()| fs::hard_link(&draft, place).or_else(rename));
    let _draft_may_be_gone = fs::remove_file(&draft);
    match linked {
        Err(error) if !place.exists() => Err(storage(place, &error)),
        _ => Ok(()),
    }
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

/// The key's name is its thumbprint (RFC 7638): another key never has the same.
fn public_half(key: &EncodingKey) -> jsonwebtoken::errors::Result<Jwk> {
    let library = LibraryJwk::from_encoding_key(key, Algorithm::RS256)?;
    let kid = library.thumbprint(ThumbprintHash::SHA256)?;
    let AlgorithmParameters::RSA(rsa) = library.algorithm else {
        return Err(jsonwebtoken::errors::ErrorKind::InvalidKeyFormat.into());
    };
    Ok(Jwk { kty: "RSA".into(), alg: Some("RS256".into()), usage: Some("sig".into()), kid, n: rsa.n, e: rsa.e })
}

#[cfg(test)]
#[path = "signer_tests.rs"]
mod tests;
