//! Certificates: those that Codex encrypts with itself, and until when one is valid, the one thing that is read of it (RFC 5280
//! §4.1, in DER).

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::finding::Finding;
use crate::{config::Config, web::tls};

/// A certificate that ends within so many days is to be renewed.
const SOON: i64 = 14;
const DAY: i64 = 86_400;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Whether the pair of `server.tls_cert` and `server.tls_key` can be used, and for how long; nothing when there is none.
pub fn own(config: &Config) -> Option<Finding> {
    let (file, key) = config.server.tls.as_ref()?;
    let advice = "replace both files (codex certs --force makes a pair that vouches for itself); Codex takes them over by itself";
    Some(match tls::Certificate::open(file, key) {
        Err(why) => Finding::wrong("tls files", why, advice),
        Ok(pair) => match pair.leaf().as_deref().and_then(not_after) {
            None => Finding::ok("tls files", format!("{} and its key fit together", file.display())),
            Some(end) => lasts("tls files", &file.display().to_string(), end, advice),
        },
    })
}

/// For how long a certificate lasts.
pub fn lasts(check: &'static str, whose: &str, end: Timestamp, advice: &str) -> Finding {
    let left = (end.as_second() - Timestamp::now().as_second()).div_euclid(DAY);
    match left {
        ..0 => Finding::wrong(check, format!("the one of {whose} has ended ({end})"), advice),
        0..SOON => Finding::warning(check, format!("the one of {whose} ends in {left} days ({end})"), advice),
        _ => Finding::ok(check, format!("the one of {whose} ends in {left} days ({end})")),
    }
}

/// The end of its validity; nothing when it cannot be read.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate, _) = element(der).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut rest, _) = element(certificate)?;
    if let Some((VERSION, _, behind)) = element(rest) {
        rest = behind;
    }
    // The serial number, the algorithm, who issued it.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, validity, _) = element(rest).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, _, behind) = element(validity)?;
    let (tag, text, _) = element(behind)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// The first element: its tag, its content, and what comes behind it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f)).filter(|(digits, _)| digits.len() <= 4)?;
        (digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit)), rest)
    };
    let (content, behind) = rest.split_at_checked(length)?;
    Some((*tag, content, behind))
}

/// `YYMMDDHHMMSSZ` of 1950 to 2049, or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    let full = match tag {
        UTC_TIME => format!("{}{digits}", if digits.get(..2)? < "50" { "20" } else { "19" }),
        GENERALIZED_TIME => digits.to_owned(),
        _ => return None,
    };
    let at = DateTime::strptime("%Y%m%d%H%M%S", &full).ok()?;
    at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [head, content.to_vec()].concat()
    }

    fn certificate(with_version: bool, end: &[u8]) -> Vec<u8> {
        let version = if with_version { der(VERSION, &der(0x02, &[2])) } else { Vec::new() };
        let validity = der(SEQUENCE, &[der(UTC_TIME, b"250101000000Z"), end.to_vec()].concat());
        let issuer = der(SEQUENCE, &[0x05; 140]);
        let tbs = [version, der(0x02, &[1, 2, 3]), der(SEQUENCE, b""), issuer, validity, der(SEQUENCE, b"")].concat();
        let tbs = [vec![SEQUENCE, 0x82, 0, u8::try_from(tbs.len()).unwrap()], tbs].concat();
        [vec![SEQUENCE, 0x82, 0, u8::try_from(tbs.len()).unwrap()], tbs].concat()
    }

    #[test]
    fn the_end_is_found_in_both_forms_of_time() {
        for (end, expected) in [
            (der(UTC_TIME, b"270304050607Z"), "2027-03-04T05:06:07Z"),
            (der(UTC_TIME, b"991231235959Z"), "1999-12-31T23:59:59Z"),
            (der(GENERALIZED_TIME, b"20510304050607Z"), "2051-03-04T05:06:07Z"),
        ] {
            for with_version in [true, false] {
                assert_eq!(not_after(&certificate(with_version, &end)).unwrap().to_string(), expected);
            }
        }
    }

    #[test]
    fn rubbish_has_no_end() {
        let whole = certificate(true, &der(UTC_TIME, b"270304050607Z"));
        for length in 0..whole.len() {
            assert_eq!(not_after(&whole[..length]), None, "cut at {length}");
        }
        assert_eq!(not_after(&certificate(true, &der(UTC_TIME, b"soon"))), None);
        assert_eq!(not_after(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
