//! One-time codes by the clock (RFC 6238), as every authenticator app makes them: HMAC-SHA-1, six digits, thirty seconds.

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};

/// For how many seconds a code is shown.
const STEP: i64 = 30;
/// How far the clocks of telephone and server may differ, in steps.
const DRIFT: i64 = 1;
/// Bytes of a secret: what the hash takes in whole.
pub const SECRET: usize = 20;

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Bytes as text that people can type (RFC 4648, without padding).
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| (byte >> (7 - at % 8)) & 1);
    let letters = (0..(bytes.len() * 8).div_ceil(5)).map(|letter| {
        let five = (0..5).fold(0_u8, |five, at| (five << 1) | bit(letter * 5 + at));
        LETTERS.get(usize::from(five)).copied().map_or('A', char::from)
    });
    letters.collect()
}

/// Text of [`base32`] as bytes again; none when it is no such text.
#[must_use]
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest, mut bits) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes() {
        let five = LETTERS.iter().position(|known| *known == letter)?;
        rest = (rest << 5) | u32::try_from(five).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((rest >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// The code of a step.
fn code(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
    let four = tag.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    format!("{:06}", (four & 0x7fff_ffff) % 1_000_000)
}

/// The step whose code this is, at this time (seconds since 1970) and after the last one that was used: none works twice.
#[must_use]
pub fn step_of(secret: &[u8], sent: &str, now: i64, last: i64) -> Option<i64> {
    let current = now.div_euclid(STEP);
    let mut found = None;
    for step in current - DRIFT..=current + DRIFT {
        let fits = verify_slices_are_equal(code(secret, step).as_bytes(), sent.as_bytes()).is_ok();
        if fits && step > last {
            found = Some(step);
        }
    }
    found
}

/// What an app reads from the picture.
#[must_use]
pub fn address(secret: &str, account: &str) -> String {
    let account = percent_encoding::utf8_percent_encode(account, percent_encoding::NON_ALPHANUMERIC);
    format!("otpauth://totp/Codex:{account}?secret={secret}&issuer=Codex")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the last six of its eight digits.
    #[test]
    fn the_codes_of_the_standard() {
        let secret = b"12345678901234567890";
        for (seconds, eight) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(code(secret, seconds / STEP), &eight[2..]);
            assert_eq!(step_of(secret, &eight[2..], seconds + 30, 0), Some(seconds / STEP), "a step late");
            assert_eq!(step_of(secret, &eight[2..], seconds + 61, 0), None, "two steps late");
            assert_eq!(step_of(secret, &eight[2..], seconds, seconds / STEP), None, "used before");
        }
    }

    /// RFC 4648, chapter 10.
    #[test]
    fn the_texts_of_the_standard() {
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(bytes.as_bytes()), text);
            assert_eq!(from_base32(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(from_base32("MZX1"), None);
    }
}
