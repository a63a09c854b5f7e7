//! What a provider says of somebody in its ID token, and the rules by which it is believed (`OpenID` Connect Core §3.1.3.7).

use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Map, Value};

/// How far two clocks may differ, in seconds.
const LEEWAY: f64 = 60.0;
/// Longer subjects are none (`OpenID` Connect Core §2).
const LONGEST_SUBJECT: usize = 255;
/// Signatures that are accepted: those by a key whose other half the provider alone has.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What is expected of an ID token.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
}

/// What the provider says of somebody, proved.
#[derive(Clone, Debug)]
pub struct IdClaims(Map<String, Value>);

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// No key of the set has signed it; there may be newer ones.
    UnknownKey,
    /// Anything else; the reason is for the log.
    Wrong(&'static str),
}

/// The name of the key that is said to have signed a token.
fn key_id(token: &str) -> Result<(Algorithm, Option<String>), Doubt> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| Doubt::Wrong("malformed"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Doubt::Wrong("algorithm"));
    }
    if header.crit.is_some_and(|crit| !crit.is_empty()) {
        return Err(Doubt::Wrong("an extension we do not know"));
    }
    Ok((header.alg, header.kid))
}

/// The claims of a token, proved with one of these keys, at this moment (seconds since 1970).
pub fn prove(token: &str, keys: &JwkSet, expected: Expected<'_>, now: f64) -> Result<IdClaims, Doubt> {
    let claims = signed(token, keys)?;
    check(&claims, expected, now).map_err(Doubt::Wrong)?;
    Ok(IdClaims(claims))
}

/// Whose sessions a provider has ended: of a subject, or one session of its own, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logout {
    pub subject: Option<String>,
    pub session: Option<String>,
    /// When it said so, in seconds since 1970.
    pub issued_at: i64,
}

/// What says in a token that it ends sessions (Back-Channel Logout 1.0 §2.4).
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a logout token says, proved as [`prove`] does, by the rules of Back-Channel Logout 1.0 §2.6.
pub fn prove_logout(token: &str, keys: &JwkSet, issuer: &str, client_id: &str, now: f64) -> Result<Logout, Doubt> {
    let claims = signed(token, keys)?;
    check_whose(&claims, issuer, client_id).and_then(|()| check_times(&claims, now)).map_err(Doubt::Wrong)?;
    let filled = |name: &str| {
        let text = claims.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        text.filter(|text| text.len() <= LONGEST_SUBJECT).map(str::to_owned)
    };
    if !claims.get("events").and_then(|events| events.get(LOGOUT)).is_some_and(Value::is_object) {
        return Err(Doubt::Wrong("no logout event"));
    }
    // An ID token must not end sessions.
    if claims.contains_key("nonce") {
        return Err(Doubt::Wrong("a nonce"));
    }
    if filled("jti").is_none() {
        return Err(Doubt::Wrong("no identifier"));
    }
    let issued_at = claims.get("iat").and_then(Value::as_i64).ok_or(Doubt::Wrong("no time of issue"))?;
    match (filled("sub"), filled("sid")) {
        (None, None) => Err(Doubt::Wrong("neither subject nor session")),
        (subject, session) => Ok(Logout { subject, session, issued_at }),
    }
}

/// The claims of a token that one of these keys has signed.
fn signed(token: &str, keys: &JwkSet) -> Result<Map<String, Value>, Doubt> {
    let (algorithm, kid) = key_id(token)?;
    let mut rules = Validation::new(algorithm);
    rules.required_spec_claims.clear();
    (rules.validate_exp, rules.validate_aud, rules.validate_nbf) = (false, false, false);
    let named = keys.keys.iter().filter(|key| kid.is_none() || key.common.key_id == kid);
    named
        .filter_map(|key| DecodingKey::from_jwk(key).ok())
        .find_map(|key| jsonwebtoken::decode::<Map<String, Value>>(token, &key, &rules).ok())
        .map(|decoded| decoded.claims)
        .ok_or(Doubt::UnknownKey)
}

/// Whether a token is this provider's, and for us.
fn check_whose(claims: &Map<String, Value>, issuer: &str, client_id: &str) -> Result<(), &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(issuer) {
        return Err("issuer");
    }
    let (is_for_us, others) = match claims.get("aud") {
        Some(Value::String(one)) => (one == client_id, false),
        Some(Value::Array(all)) => (all.iter().any(|one| one == client_id), all.len() > 1),
        _ => (false, false),
    };
    if !is_for_us {
        return Err("audience");
    }
    match text("azp") {
        Some(party) if party != client_id => Err("authorized party"),
        None if others => Err("several audiences and no authorized party"),
        _ => Ok(()),
    }
}

fn check_times(claims: &Map<String, Value>, now: f64) -> Result<(), &'static str> {
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    if time("exp").is_none_or(|exp| exp + LEEWAY <= now) {
        return Err("expired");
    }
    if [time("iat"), time("nbf")].into_iter().flatten().any(|at| at > now + LEEWAY) {
        return Err("issued in the future");
    }
    Ok(())
}

fn check(claims: &Map<String, Value>, expected: Expected<'_>, now: f64) -> Result<(), &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    check_whose(claims, expected.issuer, expected.client_id)?;
    check_times(claims, now)?;
    if text("nonce") != Some(expected.nonce) {
        return Err("nonce");
    }
    if text("sub").is_none_or(|sub| sub.trim().is_empty() || sub.len() > LONGEST_SUBJECT) {
        return Err("subject");
    }
    Ok(())
}

impl IdClaims {
    /// A claim that is text, cleaned; empty when there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.0.get(name).and_then(Value::as_str).map(crate::types::clean).unwrap_or_default()
    }

    /// Who it is at the provider, exactly as it says.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.0.get("sub").and_then(Value::as_str).unwrap_or_default()
    }

    /// Which session at the provider this is, if it says so.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.0.get("sid").and_then(Value::as_str).filter(|sid| !sid.is_empty() && sid.len() <= LONGEST_SUBJECT)
    }

    /// Whether the provider has verified that the address is theirs.
    #[must_use]
    pub fn has_verified_email(&self) -> bool {
        match self.0.get("email_verified") {
            Some(Value::Bool(yes)) => *yes,
            Some(Value::String(word)) => word == "true",
            _ => false,
        }
    }

    /// The values of a claim, which may stand within others.
    #[must_use]
    pub fn values(&self, path: &[String]) -> Vec<&str> {
        // A name may have dots itself, as the addresses that some providers use.
        let whole = self.0.get(&path.join("."));
        let mut parts = path.iter();
        let within = || {
            let first = self.0.get(parts.next()?)?;
            parts.try_fold(first, |value, part| value.get(part))
        };
        match whole.or_else(within) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}
