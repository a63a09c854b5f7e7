//! Stored words, counts and links as people read them.

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
