//! The rules that a field can be held to; the first one broken is the one reported.

use super::{Fields, Reference, Sent};
use crate::error::FieldError;

/// One field on its way through the rules.
pub struct Field<'a, T> {
    fields: &'a mut Fields,
    name: String,
    sent: Sent<T>,
}

impl<'a, T> Field<'a, T> {
    pub(super) fn new(fields: &'a mut Fields, name: &str, sent: Result<Sent<T>, String>) -> Self {
        let mut field = Self { fields, name: name.to_owned(), sent: Sent::Absent };
        match sent {
            Ok(sent) => field.sent = sent,
            Err(why) => field.refuse(why),
        }
        field
    }

    /// Must be sent when something is created, and can never be emptied.
    #[must_use]
    pub fn required(mut self) -> Self {
        let wrong_already = self.fields.errors.iter().any(|error| error.field == self.name);
        match self.sent {
            Sent::Absent if self.fields.creating && !wrong_already => self.refuse(FieldError::REQUIRED),
            Sent::Null => self.refuse(FieldError::EMPTY),
            _ => {}
        }
        self
    }

    /// Cannot be emptied, though it need not be sent.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        if matches!(self.sent, Sent::Null) {
            self.refuse(FieldError::EMPTY);
        }
        self
    }

    /// Any other rule: the closure says what is wrong, as a sentence fragment.
    #[must_use]
    pub fn check(mut self, rule: impl FnOnce(&T) -> Result<(), String>) -> Self {
        if let Sent::Value(value) = &self.sent
            && let Err(why) = rule(value)
        {
            self.refuse(why);
        }
        self
    }

    /// What was sent, if it kept all rules; otherwise as if nothing had been sent.
    pub fn get(self) -> Sent<T> {
        self.sent
    }

    /// The value that was sent, if it kept all rules.
    pub fn value(self) -> Option<T> {
        self.sent.value()
    }

    fn refuse(&mut self, message: impl Into<String>) {
        self.fields.refuse(self.name.clone(), message);
        self.sent = Sent::Absent;
    }
}

impl Field<'_, String> {
    /// At most so many characters.
    #[must_use]
    pub fn max(self, most: usize) -> Self {
        self.check(|text| at_most(text, most))
    }

    /// One of these words; capitals do not matter, and the value becomes the word as listed.
    #[must_use]
    pub fn one_of(mut self, words: &[&str]) -> Self {
        if let Sent::Value(value) = &self.sent {
            match words.iter().find(|word| word.eq_ignore_ascii_case(value)) {
                Some(word) => self.sent = Sent::Value((*word).to_owned()),
                None => self.refuse(format!("must be one of {}", words.join(", "))),
            }
        }
        self
    }

    /// Something that mail can be sent to, roughly.
    #[must_use]
    pub fn email(self) -> Self {
        self.check(|text| {
            let halves = text.rsplit_once('@');
            let fine = halves.is_some_and(|(name, host)| {
                !name.is_empty() && !host.is_empty() && !host.starts_with('.') && !host.ends_with('.')
            });
            let clean = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control() || "<>,;\"".contains(letter));
            if fine && clean { Ok(()) } else { Err("must be an e-mail address".to_owned()) }
        })
    }

    /// A day, `YYYY-MM-DD`; a time after it is cut off.
    #[must_use]
    pub fn date(mut self) -> Self {
        if let Sent::Value(value) = &self.sent {
            let day = value.split(['T', ' ']).next().unwrap_or_default();
            match day.parse::<jiff::civil::Date>() {
                Ok(date) if day.len() == 10 => self.sent = Sent::Value(date.to_string()),
                _ => self.refuse("must be a date like 2026-01-31"),
            }
        }
        self
    }

    /// A web address that a page may link to.
    #[must_use]
    pub fn url(self) -> Self {
        self.check(|text| match url::Url::parse(text) {
            Ok(address) if matches!(address.scheme(), "http" | "https") && address.has_host() => Ok(()),
            _ => Err("must be an address that starts with https:// or http://".to_owned()),
        })
    }
}

impl Field<'_, Reference> {
    /// A key of at most so many characters.
    #[must_use]
    pub fn max(self, most: usize) -> Self {
        self.check(|reference| at_most(&reference.to_string(), most))
    }
}

impl Field<'_, i64> {
    /// No less than the first and no more than the second.
    #[must_use]
    pub fn between(self, least: i64, most: i64) -> Self {
        self.check(
            |value| if (least..=most).contains(value) { Ok(()) } else { Err(format!("must be between {least} and {most}")) },
        )
    }
}

impl<T> Field<'_, Vec<T>> {
    /// At most so many elements.
    #[must_use]
    pub fn max_items(self, most: usize) -> Self {
        self.check(|items| if items.len() <= most { Ok(()) } else { Err(format!("must not have more than {most} elements")) })
    }
}

impl Field<'_, Vec<String>> {
    /// At most so many characters in each element.
    #[must_use]
    pub fn max_each(self, most: usize) -> Self {
        self.check(|items| {
            items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| at_most(item, most).map_err(|why| format!("element {index} {why}")))
        })
    }
}

fn at_most(text: &str, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length <= most { Ok(()) } else { Err(format!("must not be longer than {most} characters (it has {length})")) }
}
