//! Writes iCalendar text (RFC 5545): lines that end with CR LF and are folded at 75 octets, and escaped texts.

use super::store::{Event, Kind};
use crate::types::office;

/// How many octets a line has at most, without its end.
const LONGEST: usize = 75;

/// One content line, folded between letters.
fn line(out: &mut String, name: &str, value: &str) {
    let mut width = 0;
    for letter in name.chars().chain([':']).chain(value.chars()) {
        if width + letter.len_utf8() > LONGEST {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(letter);
        width += letter.len_utf8();
    }
    out.push_str("\r\n");
}

/// A text value: what has a meaning is escaped, other control characters are left out.
fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in value.replace("\r\n", "\n").chars() {
        match letter {
            '\\' | ';' | ',' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            control if control.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

/// The digits of a day or a moment, `20270301` or `20270301T120000Z`.
fn stamp(at: &str) -> String {
    at.chars().filter(|letter| !matches!(letter, '-' | ':')).collect()
}

/// The day after, which is where an event of a whole day ends.
fn next(day: &str) -> String {
    day.parse().map_or_else(|_| day.to_owned(), |day| office::after(day, 1).to_string())
}

fn summary(event: &Event) -> String {
    let what = match (event.kind, event.renews) {
        (Kind::License, true) => "renews",
        _ => "ends",
    };
    let company = event.company.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("{} {what}: {}{company}", event.kind.label(), event.name)
}

/// The calendar. Ids of events are made of what ends and where Codex is, so that they stay the same.
#[must_use]
pub fn write(events: &[Event], public_url: Option<&str>) -> String {
    let base = public_url.map(|url| url.trim_end_matches('/'));
    let host = base.and_then(|url| url.split("://").nth(1)?.split(['/', ':']).next()).unwrap_or("codex");
    let mut out = String::new();
    line(&mut out, "BEGIN", "VCALENDAR");
    line(&mut out, "VERSION", "2.0");
    line(&mut out, "PRODID", "-//Codex//Calendar feed//EN");
    line(&mut out, "CALSCALE", "GREGORIAN");
    line(&mut out, "METHOD", "PUBLISH");
    line(&mut out, "X-WR-CALNAME", "Codex");
    for event in events {
        line(&mut out, "BEGIN", "VEVENT");
        line(&mut out, "UID", &format!("{}-{}@{host}", event.kind.as_str(), event.id));
        line(&mut out, "DTSTAMP", &stamp(&event.changed_at));
        line(&mut out, "DTSTART;VALUE=DATE", &stamp(&event.day));
        line(&mut out, "DTEND;VALUE=DATE", &stamp(&next(&event.day)));
        line(&mut out, "SUMMARY", &text(&summary(event)));
        line(&mut out, "CATEGORIES", &text(event.kind.label()));
        if let Some(base) = base {
            line(&mut out, "URL", &format!("{base}{}", event.path));
        }
        line(&mut out, "TRANSP", "TRANSPARENT");
        line(&mut out, "END", "VEVENT");
    }
    line(&mut out, "END", "VCALENDAR");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_between_letters_and_texts_escaped() {
        let mut out = String::new();
        line(&mut out, "SUMMARY", &"é".repeat(80));
        assert!(out.split("\r\n").all(|line| line.len() <= LONGEST), "{out:?}");
        assert_eq!(out.replace("\r\n ", ""), format!("SUMMARY:{}\r\n", "é".repeat(80)));
        assert_eq!(text("a,b;c\\d\r\ne\u{7}"), "a\\,b\\;c\\\\d\\ne");
        assert_eq!((next("2026-12-31"), next("2028-02-28")), ("2027-01-01".to_owned(), "2028-02-29".to_owned()));
    }
}
