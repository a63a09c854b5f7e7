//! By what a person is recognised in text: their full names, addresses and numbers, and their records at vendors.

use serde_json::Value as Json;

pub use crate::compliance::forgotten::MARK;
use crate::{compliance::forgotten, encryption::Encryption, types::fold};

/// The fewest digits of a number that is taken for one person's.
const DIGITS: usize = 7;

/// What the person is known by.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// In lower case, one character for each of the text's.
    words: Vec<Vec<char>>,
    /// As they are known again when a vendor goes on telling of the person.
    names: Vec<String>,
    emails: Vec<String>,
    records: Vec<(String, String)>,
}

fn lower(text: &str) -> Vec<char> {
    text.chars().map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect()
}

impl Tokens {
    fn push(&mut self, text: &str) {
        let text = text.trim();
        let escaped = text.replace('&', "&amp;").replace('\'', "&#39;");
        let quoted = serde_json::to_string(text).unwrap_or_default();
        for form in [text, escaped.as_str(), quoted.trim_matches('"'), fold(text).as_str()] {
            let form = lower(form);
            if !form.is_empty() && !self.words.contains(&form) {
                self.words.push(form);
            }
        }
        // The longest first, so that nothing is left of it.
        self.words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    }

    /// A name; one word alone may be anybody's.
    pub fn name(&mut self, name: &str) {
        let parts: Vec<&str> = name.split_whitespace().collect();
        if let [first @ .., last] = parts.as_slice()
            && !first.is_empty()
        {
            self.names.push(name.to_owned());
            self.push(name);
            self.push(&format!("{last}, {}", first.join(" ")));
        }
    }

    /// What stands, or stood, in a field of the person.
    pub fn value(&mut self, field: &str, value: &Json) {
        match value {
            Json::String(text) => match serde_json::from_str::<Json>(text) {
                Ok(parts @ (Json::Array(_) | Json::Object(_))) => self.value(field, &parts),
                _ if field == "name" => self.name(text),
                _ if text.contains('@') && !text.contains(char::is_whitespace) => {
                    self.emails.push(text.clone());
                    self.push(text);
                }
                _ if field.ends_with("phone_number") && text.chars().filter(char::is_ascii_digit).count() >= DIGITS => {
                    self.push(text);
                }
                _ => {}
            },
            Json::Array(parts) => parts.iter().for_each(|part| self.value(field, part)),
            Json::Object(parts) => parts.values().for_each(|part| self.value(field, part)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// The names under which the person signs in, as far as addresses tell: `soren.castillo` of Søren Castillo. Of what is not
    /// made of parts of the name nobody knows whose it is.
    pub fn sign_ins(&mut self) {
        let is_name = |local: &str| {
            let parts: Vec<String> = local.split(['.', '_', '-']).map(fold).collect();
            let is_of = |name: &String| {
                let words: Vec<String> = name.split_whitespace().map(fold).collect();
                parts.iter().all(|part| !part.is_empty() && words.iter().any(|word| word.starts_with(part.as_str())))
            };
            // Initials alone are other words, too.
            let is_telling = parts.len() > 1 && parts.iter().any(|part| part.chars().count() > 2);
            is_telling && self.names.iter().any(is_of)
        };
        let locals = self.emails.iter().filter_map(|email| Some(email.split_once('@')?.0));
        let found: Vec<String> = locals.filter(|local| is_name(local)).map(str::to_owned).collect();
        found.iter().for_each(|name| self.push(name));
    }

    /// The person's record at a vendor.
    pub fn record(&mut self, system: String, id: String) {
        self.records.push((system, id));
    }

    /// The ids of those.
    pub fn records(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(|(_, id)| id.as_str())
    }

    /// Digests of all of that, by which it is known again.
    #[must_use]
    pub fn digests(&self, key: &Encryption) -> Vec<String> {
        forgotten::digests(key, &self.names, &self.emails, &self.records)
    }

    /// A text without what names the person; nothing when it does not.
    #[must_use]
    pub fn without(&self, text: &str) -> Option<String> {
        if let Ok(mut json @ (Json::Array(_) | Json::Object(_))) = serde_json::from_str::<Json>(text)
            && self.blank(&mut json)
        {
            let left = json.to_string();
            return Some(self.replaced(&left).unwrap_or(left));
        }
        self.replaced(text)
    }

    /// Empties the texts of the vendor's records of the person: of those with its id that name them.
    fn blank(&self, json: &mut Json) -> bool {
        match json {
            Json::Array(parts) => self.blank_each(parts.iter_mut()),
            Json::Object(parts) => {
                let id = match parts.get("id") {
                    Some(Json::String(id)) => id.clone(),
                    Some(Json::Number(id)) => id.to_string(),
                    _ => String::new(),
                };
                let is_theirs = self.records().any(|known| known == id)
                    && parts.values().any(|part| self.replaced(&part.to_string()).is_some());
                if is_theirs {
                    parts.values_mut().for_each(empty);
                }
                is_theirs || self.blank_each(parts.values_mut())
            }
            _ => false,
        }
    }

    /// Every one of them, also when the first was blanked.
    fn blank_each<'a>(&self, parts: impl Iterator<Item = &'a mut Json>) -> bool {
        parts.map(|part| usize::from(self.blank(part))).sum::<usize>() > 0
    }

    fn replaced(&self, text: &str) -> Option<String> {
        let letters = lower(text);
        let is_word = |at: Option<usize>| at.and_then(|at| letters.get(at)).is_some_and(|letter| letter.is_alphanumeric());
        let found = |at: usize| {
            let rest = letters.get(at..).unwrap_or_default();
            let word = self.words.iter().find(|word| {
                rest.starts_with(word)
                    && !(is_word(at.checked_sub(1)) && is_word(Some(at)))
                    && !(is_word(Some(at + word.len() - 1)) && is_word(Some(at + word.len())))
            })?;
            Some(word.len())
        };
        let firsts: Vec<char> = self.words.iter().filter_map(|word| word.first().copied()).collect();
        let (mut left, mut at, mut any) = (String::new(), 0, false);
        let mut original = text.chars();
        while let Some(letter) = letters.get(at) {
            match Some(letter).filter(|letter| firsts.contains(letter)).and_then(|_| found(at)) {
                Some(length) => {
                    left.push_str(MARK);
                    original.nth(length - 1);
                    (at, any) = (at + length, true);
                }
                None => {
                    left.extend(original.next());
                    at += 1;
                }
            }
        }
        any.then_some(left)
    }
}

fn empty(json: &mut Json) {
    match json {
        Json::String(text) => text.clear(),
        Json::Array(parts) => parts.iter_mut().for_each(empty),
        Json::Object(parts) => parts.values_mut().for_each(empty),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_to_sign_in_with_is_one_that_is_made_of_the_persons() {
        let mut tokens = Tokens::default();
        tokens.name("Søren Castillo");
        for email in [
            "soren.castillo@acme.example",
            "s_castillo@acme.example",
            "help-desk@acme.example",
            "soren@acme.example",
            "s-c@acme.example",
        ] {
            tokens.value("email", &Json::from(email));
        }
        tokens.sign_ins();
        for (text, left) in [
            ("ACME\\Soren.Castillo", Some("ACME\\[forgotten]")),
            ("s_castillo", Some("[forgotten]")),
            ("help-desk", None),
            ("soren", None),
            ("S-C", None),
            ("x.soren.castillos", None),
        ] {
            assert_eq!(tokens.without(text).as_deref(), left, "{text}");
        }
    }

    #[test]
    fn exactly_the_person_goes() {
        let mut tokens = Tokens::default();
        tokens.name("Zoë O'Brien");
        tokens.value("email", &Json::from("zoe@acme.example"));
        tokens.value("work_phone_number", &Json::from("+49 30 1234567"));
        tokens.record("freshservice".to_owned(), "77".to_owned());
        for (text, left) in [
            ("Call zoë o'brien now", Some("Call [forgotten] now")),
            ("<b>Zoë O&#39;Brien</b>", Some("<b>[forgotten]</b>")),
            ("O'Brien, Zoë", Some("[forgotten]")),
            ("ZOE@acme.example.", Some("[forgotten].")),
            ("at +49 30 1234567", Some("at [forgotten]")),
            ("mczoe@acme.example", None),
            ("Zoë O'Briens", None),
            ("Zoë", None),
            (
                r#"[{"id":77,"n":"Zoë O'Brien","job":"Boss"},{"id":8,"job":"Boss"}]"#,
                Some(r#"[{"id":77,"job":"","n":""},{"id":8,"job":"Boss"}]"#),
            ),
        ] {
            let without = tokens.without(text);
            let same = |one: &str, other: &str| match (serde_json::from_str::<Json>(one), serde_json::from_str::<Json>(other)) {
                (Ok(one), Ok(other)) => one == other,
                _ => one == other,
            };
            assert!(
                match (&without, left) {
                    (Some(one), Some(other)) => same(one, other),
                    (None, None) => true,
                    _ => false,
                },
                "{text}: {without:?}"
            );
        }
    }
}
