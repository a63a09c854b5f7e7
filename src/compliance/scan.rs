//! Finds in a text what looks like somebody's number or address: by its shape and, where it has one, its check digit.

use std::net::Ipv6Addr;

/// Something in a text that is not shown, and what stands in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    pub start: usize,
    pub end: usize,
    pub token: &'static str,
}

/// How far before a number the word may stand that says what it is.
const CUE: usize = 40;
/// A number has at most so many parts that are told apart.
const PARTS: usize = 6;

/// Everything of this kind in a text, from its start to its end.
pub fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let finding = match byte {
            b'0'..=b'9' | b'(' | b'+' if opens(bytes, at) => number(bytes, at),
            b'A'..=b'Z' if opens(bytes, at) => dea(bytes, at).or_else(|| iban(bytes, at)),
            b'@' => email(bytes, at),
            b':' => ipv6(bytes, at),
            _ => None,
        };
        at = finding.map_or(at + 1, |finding| finding.end.max(at + 1));
        found.extend(finding);
    }
}

/// The e-mail addresses in a text.
pub fn emails(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let places = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'@');
    found.extend(places.filter_map(|(at, _)| email(bytes, at)));
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn is_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_digit)
}

/// Whether something can begin here: not within a word, nor within a longer number.
fn opens(bytes: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| bytes.get(at)).copied();
    match before(1) {
        None => true,
        Some(b'-' | b'.' | b'/') => !before(2).is_some_and(|byte| byte.is_ascii_digit()),
        Some(byte) => !is_word(byte),
    }
}

fn closes(bytes: &[u8], end: usize) -> bool {
    match bytes.get(end) {
        None => true,
        Some(b'-' | b'.' | b'/') => !is_digit(bytes, end + 1),
        Some(byte) => !is_word(*byte),
    }
}

/// Whether one of these words stands shortly before.
fn has_cue(bytes: &[u8], at: usize, words: &[&str]) -> bool {
    let window = bytes[at.saturating_sub(CUE)..at].to_ascii_lowercase();
    words.iter().any(|word| {
        let places = window.windows(word.len()).enumerate().filter(|(_, part)| *part == word.as_bytes());
        places.into_iter().any(|(place, _)| place == 0 || !is_word(window[place - 1]))
    })
}

/// Digits without anything between them, and what stands before them.
#[derive(Clone, Copy, Default)]
struct Part {
    start: usize,
    length: usize,
    before: u8,
}

impl Part {
    fn end(self) -> usize {
        self.start + self.length
    }
}

/// The parts of a number, as `555`, `010`, `4242` of `(555) 010-4242`.
struct Parts {
    all: [Part; PARTS],
    count: usize,
}

impl Parts {
    fn read(bytes: &[u8], mut at: usize) -> Self {
        let (mut all, mut count, mut before) = ([Part::default(); PARTS], 0, 0);
        while let Some(part) = all.get_mut(count).filter(|_| is_digit(bytes, at)) {
            let length = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            *part = Part { start: at, length, before };
            (at, count) = (at + length, count + 1);
            before = bytes.get(at).copied().unwrap_or_default();
            at += match before {
                b')' if matches!(bytes.get(at + 1), Some(b' ' | b'-')) => 2,
                b'-' | b'.' | b' ' | b'/' | b')' => 1,
                _ => break,
            };
        }
        Self { all, count }
    }

    fn get(&self) -> &[Part] {
        &self.all[..self.count]
    }

    /// Whether it is made of parts of these lengths alone, with this between them; where it ends then.
    fn shape(&self, lengths: &[usize], between: &[u8]) -> Option<&[Part]> {
        let parts = self.get().get(..lengths.len())?;
        let fits = parts.iter().zip(lengths).all(|(part, length)| part.length == *length);
        let same = parts.iter().skip(1).all(|part| part.before == parts[1].before && between.contains(&part.before));
        (fits && same).then_some(parts)
    }
}

fn value(bytes: &[u8], part: Part) -> u32 {
    bytes[part.start..part.end()].iter().take(9).fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
}

fn number(bytes: &[u8], at: usize) -> Option<Finding> {
    let lead = usize::from(matches!(bytes[at], b'(' | b'+'));
    let parts = Parts::read(bytes, at + lead);
    if parts.count == 0 {
        return None;
    }
    let found = if lead == 0 {
        let plain = ssn(bytes, at, &parts).or_else(|| ip(bytes, at, &parts)).or_else(|| birth(bytes, at, &parts));
        plain.or_else(|| card(bytes, &parts)).or_else(|| npi(bytes, at, &parts)).or_else(|| medicare(bytes, at))
    } else {
        None
    };
    let (end, token) = found.or_else(|| phone(bytes, at, &parts))?;
    closes(bytes, end).then_some(Finding { start: at, end, token })
}

type Found = Option<(usize, &'static str)>;

/// A social security number; areas and groups that are never given out are none.
fn ssn(bytes: &[u8], at: usize, parts: &Parts) -> Found {
    let digits: (u32, u32, u32, usize) = if let Some([area, group, serial]) = parts.shape(&[3, 2, 4], b"- ") {
        (value(bytes, *area), value(bytes, *group), value(bytes, *serial), serial.end())
    } else {
        let part = parts.get().first().filter(|part| part.length == 9)?;
        if !has_cue(bytes, at, &["ssn", "social security"]) {
            return None;
        }
        let all = value(bytes, *part);
        (all / 1_000_000, all / 10_000 % 100, all % 10_000, part.end())
    };
    let (area, group, serial, end) = digits;
    (!matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0).then_some((end, "[SSN]"))
}

fn ip(bytes: &[u8], at: usize, parts: &Parts) -> Found {
    let four = parts.get().get(..4)?;
    let fits = |part: &Part| part.length <= 3 && value(bytes, *part) <= 255 && (part.length == 1 || bytes[part.start] != b'0');
    let dotted = four.iter().skip(1).all(|part| part.before == b'.');
    let is_version = has_cue(&bytes[..at], at, &["version", "build", "release", "firmware"]);
    (dotted && four.iter().all(fits) && !is_version).then(|| (four[3].end(), "[IP]"))
}

/// A date with a word before it that says whose birth it is.
fn birth(bytes: &[u8], at: usize, parts: &Parts) -> Found {
    let three = parts.get().get(..3)?;
    let joined = three[1].before == three[2].before && b"/-.".contains(&three[1].before);
    let lengths = (three[0].length, three[1].length, three[2].length);
    let is_date = matches!(lengths, (1..=2, 1..=2, 2 | 4) | (4, 1..=2, 1..=2));
    let is_near = |part: &Part| part.length == 4 || (1..=31).contains(&value(bytes, *part)) || part.start == three[2].start;
    let is_birth = joined && is_date && three.iter().all(is_near);
    (is_birth && has_cue(bytes, at, &["dob", "d.o.b", "birth", "born", "date of birth"])).then(|| (three[2].end(), "[DOB]"))
}

/// The last digit makes the sum of all, every other one doubled, a multiple of ten.
fn is_luhn(digits: impl DoubleEndedIterator<Item = u8>) -> bool {
    let sum: u32 = digits
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn card(bytes: &[u8], parts: &Parts) -> Found {
    for count in (1..=parts.count).rev() {
        let some = &parts.get()[..count];
        let length: usize = some.iter().map(|part| part.length).sum();
        let same = some.iter().skip(1).all(|part| part.before == some[1].before && b" -".contains(&part.before));
        // Cards are written in fours, or as 4-6-5.
        let grouped = count == 1 || some.iter().all(|part| (3..=7).contains(&part.length)) && some[0].length == 4;
        if !(13..=19).contains(&length) || !same || !grouped {
            continue;
        }
        let digits: Vec<u8> = some.iter().flat_map(|part| bytes[part.start..part.end()].iter().copied()).collect();
        if matches!(digits[0], b'2'..=b'6') && digits.iter().any(|digit| *digit != digits[0]) && is_luhn(digits.iter().copied()) {
            return Some((some[count - 1].end(), "[CARD]"));
        }
    }
    None
}

/// The number of a provider of care; a tenth of all numbers of ten digits have its check digit, so a word must say it.
fn npi(bytes: &[u8], at: usize, parts: &Parts) -> Found {
    let part = parts.get().first().filter(|part| part.length == 10 && matches!(bytes[at], b'1' | b'2'))?;
    let digits = b"80840".iter().chain(&bytes[part.start..part.end()]).copied();
    (is_luhn(digits) && has_cue(bytes, at, &["npi", "national provider"])).then(|| (part.end(), "[NPI]"))
}

/// What the eleven places of a Medicare beneficiary's number hold.
const BENEFICIARY: &[u8; 11] = b"NAXNAXNAANN";

fn medicare(bytes: &[u8], at: usize) -> Found {
    let mut end = at;
    for (place, kind) in BENEFICIARY.iter().enumerate() {
        if matches!(place, 4 | 7) && bytes.get(end) == Some(&b'-') {
            end += 1;
        }
        let byte = *bytes.get(end)?;
        let is_letter = byte.is_ascii_uppercase() && !b"SLOIBZ".contains(&byte);
        let fits = match kind {
            b'N' => byte.is_ascii_digit() && (place > 0 || byte != b'0'),
            b'A' => is_letter,
            _ => is_letter || byte.is_ascii_digit(),
        };
        if !fits {
            return None;
        }
        end += 1;
    }
    Some((end, "[MEDICARE]"))
}

fn phone(bytes: &[u8], at: usize, parts: &Parts) -> Found {
    let lead = bytes[at];
    let all = parts.get();
    let own = if all[0].length == 1 && bytes[all[0].start] == b'1' { &all[1..] } else { all };
    if let Some([area, exchange, line]) = own.get(..3)
        && (area.length, exchange.length, line.length) == (3, 3, 4)
        && [area, exchange].iter().all(|part| bytes[part.start] >= b'2')
        && [exchange, line].iter().all(|part| part.before != b'/')
        && (lead != b'(' || exchange.before == b')')
    {
        return Some((line.end(), "[PHONE]"));
    }
    if lead == b'+' {
        let digits: usize = all.iter().map(|part| part.length).sum();
        let is_whole = all.iter().skip(1).all(|part| part.before != b'/') && (8..=15).contains(&digits);
        return is_whole.then(|| (all[all.len() - 1].end(), "[PHONE]"));
    }
    let words = ["phone", "telephone", "tel", "call", "cell", "mobile", "fax"];
    let ten = lead != b'(' && all[0].length == 10 && bytes[at] >= b'2';
    (ten && has_cue(bytes, at, &words)).then(|| (all[0].end(), "[PHONE]"))
}

/// Who may prescribe: two letters, six digits and one that follows from them.
fn dea(bytes: &[u8], at: usize) -> Option<Finding> {
    let code = bytes.get(at..at + 9)?;
    let digits = &code[2..];
    let kind = b"ABCDEFGHJKLMPRSTUX".contains(&code[0]) && (code[1].is_ascii_uppercase() || code[1] == b'9');
    if !kind || !digits.iter().all(u8::is_ascii_digit) || !closes(bytes, at + 9) {
        return None;
    }
    let digit = |place: usize| u32::from(digits[place] - b'0');
    let sum = digit(0) + digit(2) + digit(4) + 2 * (digit(1) + digit(3) + digit(5));
    (sum % 10 == digit(6)).then_some(Finding { start: at, end: at + 9, token: "[DEA]" })
}

fn iban(bytes: &[u8], at: usize) -> Option<Finding> {
    let head = bytes.get(at..at + 4)?;
    if !head[..2].iter().all(u8::is_ascii_uppercase) || !head[2..].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (mut code, mut end, mut found) = (Vec::with_capacity(34), at, None);
    while let Some(byte) = bytes.get(end) {
        let is_blank = *byte == b' ' && code.len() % 4 == 0;
        if !is_blank && !byte.is_ascii_uppercase() && !byte.is_ascii_digit() || code.len() == 34 && !is_blank {
            break;
        }
        if !is_blank {
            code.push(*byte);
        }
        end += 1;
        if !is_blank && code.len() >= 15 && closes(bytes, end) && is_account(&code) {
            found = Some(Finding { start: at, end, token: "[IBAN]" });
        }
    }
    found
}

/// The rest of 97 is one when the first four stand last and letters are numbers from ten on.
fn is_account(code: &[u8]) -> bool {
    let rest = code[4..].iter().chain(&code[..4]).fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    rest == 1
}

fn email(bytes: &[u8], at: usize) -> Option<Finding> {
    let local = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._%+-'".contains(byte);
    let start = at - bytes[..at].iter().rev().take_while(local).take(64).count();
    let domain = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b".-".contains(byte)).take(253).count();
    let mut end = at + 1 + domain;
    while end > at + 1 && matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    let last = bytes[at + 1..end].rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_domain = last.len() >= 2 && last.iter().all(u8::is_ascii_alphabetic) && last.len() < end - at - 1;
    (start < at && is_domain).then_some(Finding { start, end, token: "[EMAIL]" })
}

fn ipv6(bytes: &[u8], at: usize) -> Option<Finding> {
    let part = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b':';
    let start = at - bytes[..at].iter().rev().take_while(part).take(40).count();
    let end = at + bytes[at..].iter().take_while(part).take(40).count();
    let text = std::str::from_utf8(&bytes[start..end]).ok()?;
    let whole = (start == 0 || !is_word(bytes[start - 1])) && bytes.get(end).is_none_or(|byte| !is_word(*byte));
    let is_address = whole && text.matches(':').count() >= 3 && text.parse::<Ipv6Addr>().is_ok();
    is_address.then_some(Finding { start, end, token: "[IP]" })
}

/// The text with each finding's token in its place; what overlaps is one.
#[must_use]
pub fn replaced(text: &str, mut found: Vec<Finding>) -> String {
    found.sort_by_key(|finding| (finding.start, std::cmp::Reverse(finding.end)));
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for finding in found {
        if finding.start < at {
            // What begins within something that is struck already ends with it, or is struck to its own end.
            at = at.max(finding.end);
            continue;
        }
        out.push_str(text.get(at..finding.start).unwrap_or_default());
        out.push_str(finding.token);
        at = finding.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screened(text: &str) -> String {
        let mut found = Vec::new();
        find(text, &mut found);
        replaced(text, found)
    }

    #[test]
    fn what_is_found() {
        for (text, shown) in [
            ("SSN 219-09-9999.", "SSN [SSN]."),
            ("her ssn: 219099999", "her ssn: [SSN]"),
            ("219 09 9999", "[SSN]"),
            ("card 4111 1111 1111 1111, exp 04/29", "card [CARD], exp 04/29"),
            ("3782-822463-10005", "[CARD]"),
            ("5500005555555559", "[CARD]"),
            ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [IBAN] please"),
            ("GB82WEST12345698765432", "[IBAN]"),
            ("NPI 1234567893", "NPI [NPI]"),
            ("DEA AB1234563 of Dr. B", "DEA [DEA] of Dr. B"),
            ("MBI 1EG4-TE5-MK73", "MBI [MEDICARE]"),
            ("call (555) 234-4242 or +1 555 234 4242", "call [PHONE] or [PHONE]"),
            ("555.234.4242; +49 30 901820", "[PHONE]; [PHONE]"),
            ("phone 5552344242", "phone [PHONE]"),
            ("mail ava.patel@ward.example.", "mail [EMAIL]."),
            ("<a href=\"mailto:ava@ward.example\">x</a>", "<a href=\"mailto:[EMAIL]\">x</a>"),
            ("DOB: 03/04/1980", "DOB: [DOB]"),
            ("born 1980-03-04", "born [DOB]"),
            ("from 10.66.66.66, fe80::1:2:3", "from [IP], [IP]"),
            ("ü 219-09-9999 ü", "ü [SSN] ü"),
        ] {
            assert_eq!(screened(text), shown, "{text}");
        }
    }

    #[test]
    fn what_is_left_alone() {
        for text in [
            "000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000",
            "part 1219-09-9999 and 219-09-99991 and 219-09-9999-1",
            "order 4111 1111 1111 1112",
            "1234567893 and 1751328000",
            "DE89 3704 0044 0532 0130 01",
            "tag AB1234564",
            "on 03/04/1980 with Adobe 03/04/1980",
            "firmware 10.0.19.1, build 10.0.19045.300, 1.2.3.4.5",
            "std::vec 12:30:45 02:5A:FE:66:66:66",
            "user@localhost, @channel",
            "ticket 5552344242, invoice 219099999",
            "2026-07-01 09:30",
        ] {
            assert_eq!(screened(text), text);
        }
    }
}
