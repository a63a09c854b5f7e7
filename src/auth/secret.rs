//! Random secrets that leave the program once and are kept as hashes only.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
    rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::error::{Error, Result};

/// 32 random bytes, safe in an address.
pub fn random() -> Result<String> {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes).map_err(Error::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of a random secret. A plain hash does: there is nothing to guess.
#[must_use]
pub fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.as_bytes()))
}

/// Whether the secret belongs to the stored hash; takes as long either way.
#[must_use]
pub fn matches(secret: &str, stored: &str) -> bool {
    verify_slices_are_equal(hash(secret).as_bytes(), stored.as_bytes()).is_ok()
}
