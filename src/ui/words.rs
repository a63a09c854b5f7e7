//! Stored words, counts and links as people read them.

use askama::filters::{Escaper as _, Html};

use super::{Crumb, thousands};

/// A thing that a page mentions and leads to.
#[must_use]
pub fn link_to(href: String, text: impl Into<String>) -> Crumb {
    Crumb { href, text: text.into() }
}

/// `virtual_machine` as people read it: `Virtual machine`.
#[must_use]
pub fn words(key: &str) -> String {
    // The contract's word for it is short.
    let key = if key == "ap" { "access_point" } else { key };
    let plain = key.replace('_', " ");
    let mut letters = plain.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
}

/// A word of a choice as people read it: short names stay capital.
#[must_use]
pub fn label(word: &str) -> String {
    match word {
        "hipaa" => "HIPAA".to_owned(),
        "cjis" => "CJIS".to_owned(),
        other => words(other),
    }
}

/// `1 asset`, `3 assets`.
#[must_use]
pub fn count_of(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}

/// The longest word that a narrow column takes.
const LONG_WORD: usize = 24;

/// The text as HTML in which a long word (an e-mail address, a key) may be broken, after a mark where it has one.
#[must_use]
pub fn breakable(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for piece in text.split_inclusive(char::is_whitespace) {
        let is_long = piece.chars().count() > LONG_WORD;
        let mut unbroken = 0;
        for (at, letter) in piece.char_indices() {
            let _infallible = Html.write_escaped_char(&mut html, letter);
            unbroken += 1;
            let rest = piece.len() - at - letter.len_utf8();
            if is_long && rest > 0 && (!letter.is_alphanumeric() || unbroken == LONG_WORD) {
                html.push_str("<wbr>");
                unbroken = 0;
            }
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_may_be_broken_and_nothing_else_changes() {
        for (text, html) in [
            ("Ethan Delgado <b>&'\"", "Ethan Delgado &#60;b&#62;&#38;&#39;&#34;"),
            ("ada@acme.example", "ada@acme.example"),
            ("ethan.delgado@hartwellclinic.example", "ethan.<wbr>delgado@<wbr>hartwellclinic.<wbr>example"),
            ("0123456789012345678901234567", "012345678901234567890123<wbr>4567"),
            ("", ""),
        ] {
            assert_eq!(breakable(text), html, "{text}");
        }
    }
}
