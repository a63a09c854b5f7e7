//! Whether a call comes from somebody who knows the secret.

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, hmac};
use axum::http::HeaderMap;
use jiff::Timestamp;

use crate::{config::Secret, types::hex};

/// How far a signed call's clock may be from ours, in seconds.
const WINDOW: i64 = 5 * 60;

/// How a call proved itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a signature over its time and body: good once.
    Signed(String),
    /// By the shared secret; this is what the body hashes to.
    Shared(String),
}

/// What the call proves; nothing when there is no secret to prove or it proves none. A signature that is
/// there must be right, whatever else is.
#[must_use]
pub fn prove(secret: Option<&Secret>, headers: &HeaderMap, body: &[u8]) -> Option<Proof> {
    prove_at(secret?.expose(), headers, body, Timestamp::now())
}

fn prove_at(secret: &str, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Option<Proof> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if headers.contains_key("x-webhook-signature") {
        let told = header("x-webhook-signature")?;
        let told = decode(told.strip_prefix("sha256=").unwrap_or(told))?;
        let stamp = header("x-webhook-timestamp")?;
        if (moment(stamp)?.as_second() - now.as_second()).abs() > WINDOW {
            return None;
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let fits = |between: &[u8]| hmac::verify(&key, &[stamp.as_bytes(), between, body].concat(), &told).is_ok();
        return (fits(b"") || fits(b".")).then(|| Proof::Signed(hex(&told)));
    }
    // Hashed first, so that not even the length of the secret shows.
    let hash = |text: &[u8]| digest::digest(&digest::SHA256, text);
    let told = hash(header("x-webhook-secret")?.as_bytes());
    verify_slices_are_equal(told.as_ref(), hash(secret.as_bytes()).as_ref()).ok()?;
    Some(Proof::Shared(hex(hash(body).as_ref())))
}

/// Seconds or milliseconds since 1970, or a time with its zone.
fn moment(text: &str) -> Option<Timestamp> {
    match text.parse::<i64>() {
        Ok(number) if number.abs() > 100_000_000_000 => Timestamp::from_millisecond(number).ok(),
        Ok(number) => Timestamp::from_second(number).ok(),
        Err(_) => text.parse().ok(),
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = text.as_bytes();
    if bytes.len() != 64 {
        return None;
    }
    bytes.chunks(2).map(|pair| Some(digit(*pair.first()?)? * 16 + digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_262_400;

    fn signed(secret: &str, stamp: &str, text: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        hex(hmac::sign(&key, &[stamp.as_bytes(), text].concat()).as_ref())
    }

    fn asked(pairs: &[(&'static str, &str)]) -> Option<Proof> {
        let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        prove_at("s3cret", &headers, b"{}", Timestamp::from_second(NOW).unwrap())
    }

    #[test]
    fn only_who_knows_the_secret_gets_in() {
        assert!(matches!(asked(&[("x-webhook-secret", "s3cret")]), Some(Proof::Shared(_))));
        for wrong in ["", "s3cre", "s3cret2", "S3CRET"] {
            assert_eq!(asked(&[("x-webhook-secret", wrong)]), None, "{wrong}");
        }
        assert_eq!(asked(&[]), None);
    }

    #[test]
    fn a_signature_covers_time_and_body() {
        for (age, good) in [(0, true), (-299, true), (299, true), (-301, false), (301, false)] {
            let stamp = (NOW + age).to_string();
            for text in ["{}", ".{}"] {
                let signature = format!("sha256={}", signed("s3cret", &stamp, text.as_bytes()));
                let proof = asked(&[("x-webhook-timestamp", &stamp), ("x-webhook-signature", &signature)]);
                assert_eq!(proof.is_some(), good, "{age}");
            }
        }
        let stamp = NOW.to_string();
        for wrong in [signed("other", &stamp, b"{}"), signed("s3cret", &stamp, b"{ }"), "zz".to_owned(), String::new()] {
            // A bad signature is not saved by a good secret.
            let headers =
                [("x-webhook-timestamp", stamp.as_str()), ("x-webhook-signature", &wrong), ("x-webhook-secret", "s3cret")];
            assert_eq!(asked(&headers), None, "{wrong}");
        }
        assert_eq!(asked(&[("x-webhook-signature", &signed("s3cret", "", b"{}"))]), None, "a signature without its time");
    }
}
