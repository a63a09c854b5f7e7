//! What can be told from a telephone number as somebody wrote it.

/// Whatever is longer is no telephone number.
const LONGEST: usize = 200;

/// A number without its extension, and the extension's digits.
#[must_use]
pub fn parts(text: &str) -> (String, Option<String>) {
    if text.len() > LONGEST {
        return (text.to_owned(), None);
    }
    let lower = text.to_ascii_lowercase();
    let marks = ["extension", "ext.", "ext", "durchwahl", "poste", "#", ";", "x"];
    for mark in marks {
        for (at, _) in lower.match_indices(mark) {
            let (Some(before), Some(after)) = (text.get(..at), text.get(at + mark.len()..)) else { continue };
            let extension: String =
                after.trim_start_matches(['=', ':', '.', ' ', '\u{a0}']).chars().take_while(char::is_ascii_digit).collect();
            let digits = before.chars().filter(char::is_ascii_digit).count();
            // `x` inside a word is a letter.
            let inside = mark == "x" && before.ends_with(|letter: char| letter.is_alphabetic());
            if digits >= 3 && !inside && (1..=8).contains(&extension.len()) {
                let before = before.trim_end_matches([' ', ',', ';', '-', '/', '(', '\u{a0}']);
                return (before.to_owned(), Some(extension));
            }
        }
    }
    (text.to_owned(), None)
}

/// The digits that follow a country's code (ITU-T E.164: one digit for 1 and 7, two for those listed, else three).
#[must_use]
pub fn without_country(digits: &str) -> Option<&str> {
    const TWO: [&str; 44] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51", "52",
        "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90", "91", "92",
        "93", "94", "95", "98",
    ];
    if digits.starts_with(['1', '7']) {
        return digits.get(1..);
    }
    if TWO.iter().any(|code| digits.starts_with(code)) { digits.get(2..) } else { digits.get(3..) }
}

/// The address that dials a number. An extension is not dialled as part of it; it stands in the number as
/// it is shown. `None` when there is nothing to dial.
#[must_use]
pub fn href(text: &str) -> Option<String> {
    let folded = crate::types::fold(text);
    let (main, _) = parts(&folded);
    let main = if main.trim_start().starts_with('+') { main.replace("(0)", "") } else { main };
    let digits: String = main.chars().filter(|letter| letter.is_ascii_digit() || matches!(letter, '*')).collect();
    if digits.chars().filter(char::is_ascii_digit).count() < 3 {
        return None;
    }
    let plus =
        if main.trim_start_matches(|letter: char| !letter.is_ascii_digit() && letter != '+').starts_with('+') { "+" } else { "" };
    Some(format!("tel:{plus}{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_is_not_dialled() {
        for (text, link) in [
            ("+1 555 010 0199 ext. 123", "tel:+15550100199"),
            ("+1 555 010 0199 x123", "tel:+15550100199"),
            ("555-010-0199 Ext 7", "tel:5550100199"),
            ("(253) 555-0114", "tel:2535550114"),
            ("+49 (0)30 123-4567", "tel:+49301234567"),
            ("+49 (30) 123-4567", "tel:+49301234567"),
            ("030 / 123 45 67", "tel:0301234567"),
            ("+1 555 010 0199, extension: 12", "tel:+15550100199"),
            ("+15550100199;ext=5", "tel:+15550100199"),
            ("Tel.: +43 1 5550", "tel:+4315550"),
            ("\u{ff0b}\u{ff11}\u{ff15}\u{ff15}\u{ff15}", "tel:+1555"),
        ] {
            assert_eq!(href(text).as_deref(), Some(link), "{text}");
        }
        for text in ["", "n/a", "ask Max", "12"] {
            assert_eq!(href(text), None, "{text}");
        }
    }
}
