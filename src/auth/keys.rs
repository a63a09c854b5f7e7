//! Public keys that may have signed a token, and the JSON form in which they travel (JWKS).

use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::{Deserialize, Serialize};

/// More keys than this in one set are not read.
const MOST_KEYS: usize = 32;

/// One RSA key as JWKS spells it.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, utoipa::ToSchema)]
pub struct Jwk {
    /// `RSA`.
    pub kty: String,
    /// `RS256`.
    #[serde(default)]
    pub alg: Option<String>,
    /// `sig`.
    #[serde(rename = "use", default)]
    pub usage: Option<String>,
    /// The key's name.
    pub kid: String,
    /// Modulus, base64url.
    pub n: String,
    /// Exponent, base64url.
    pub e: String,
}

/// A set of keys as JWKS spells it. Members that are no RSA keys are passed over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<serde_json::Value>,
}

impl Jwks {
    /// The keys that can sign our tokens.
    #[must_use]
    pub fn usable(&self) -> Vec<Key> {
        let known = self.keys.iter().take(MOST_KEYS).filter_map(|value| Jwk::deserialize(value).ok());
        known.filter_map(|jwk| Key::new(&jwk)).collect()
    }
}

/// A public key, ready to verify.
#[derive(Clone, Debug)]
pub struct Key {
    pub kid: String,
    key: DecodingKey,
}

impl Key {
    /// The key, if it is one for RS256 signatures.
    #[must_use]
    pub fn new(jwk: &Jwk) -> Option<Self> {
        let fits = jwk.kty == "RSA" && jwk.alg.as_deref().is_none_or(|alg| alg == "RS256");
        let signs = jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
        let key = DecodingKey::from_rsa_components(&jwk.n, &jwk.e).ok()?;
        (fits && signs).then(|| Self { kid: jwk.kid.clone(), key })
    }

    /// Whether this key made this signature (base64url) over this message.
    #[must_use]
    pub fn verifies(&self, message: &str, signature: &str) -> bool {
        crypto::verify(signature, message.as_bytes(), &self.key, Algorithm::RS256).unwrap_or(false)
    }
}
