//! What one caller sees in one request.

use super::Level;
use crate::auth::{Caller, Level as Role};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::web::{Query, disclosure};

/// How close a caller is to protected data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clearance {
    /// Technicians, administrators, and the services that the operator has cleared.
    Full,
    /// A client among their own colleagues.
    Colleague,
    /// Everybody else.
    None,
}

/// The kinds of personal fields that the policy tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personal {
    /// What the person is called.
    Name,
    /// Where to write to.
    Email,
    /// Where to ring.
    Phone,
    /// Everything else about them: address, notes, location.
    Private,
    /// What a ticket is about, in a line.
    Subject,
    /// What is written on a ticket: its description, what was said.
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Treatment {
    Show,
    Mask,
    Withhold,
}

/// The policy. Cleared callers see everything; the others by level and field.
fn treatment(level: Level, clearance: Clearance, field: Personal) -> Treatment {
    match (level, clearance, field) {
        (Level::Standard, _, _) | (_, Clearance::Full, _) => Treatment::Show,
        (_, Clearance::Colleague, Personal::Name | Personal::Email) => Treatment::Show,
        (Level::Hipaa, Clearance::Colleague, Personal::Phone | Personal::Subject | Personal::Text) => Treatment::Show,
        (Level::Hipaa, Clearance::None, Personal::Name | Personal::Email | Personal::Phone)
        | (Level::Cjis, Clearance::None, Personal::Name) => Treatment::Mask,
        (_, Clearance::Colleague | Clearance::None, _) => Treatment::Withhold,
    }
}

/// What a caller may see, and how much less they asked for.
#[derive(Clone, Debug)]
pub struct Lens {
    clearance: Clearance,
    /// Whether the caller may ask by personal fields without learning what they may not see.
    may_ask: bool,
    /// Every record is treated as at least this strict.
    at_least: Level,
    caller: String,
}

impl Lens {
    /// The lens of a caller for a request with this query string.
    ///
    /// # Errors
    /// `Invalid` when `filter` is neither `phi` nor `cjis`.
    pub fn of(caller: &Caller, config: &Config, query: &Query) -> Result<Self> {
        let at_least = match query.text("filter")? {
            None => Level::Standard,
            Some("phi" | "hipaa") => Level::Hipaa,
            Some("cjis") => Level::Cjis,
            Some(_) => return Err(Error::field("filter", "must be phi or cjis")),
        };
        let own = match caller.level() {
            Some(Role::Admin | Role::Technician) => Clearance::Full,
            Some(Role::Client) => Clearance::Colleague,
            Some(Role::Billing) => Clearance::None,
            None if config.compliance.cleared_services.contains(&caller.name().to_lowercase()) => Clearance::Full,
            None => Clearance::None,
        };
        let clearance = if at_least > Level::Standard { Clearance::None } else { own };
        Ok(Self { clearance, may_ask: own != Clearance::None, at_least, caller: caller.name().to_owned() })
    }

    /// The program's own eyes: everything, for work that answers nobody.
    #[must_use]
    pub fn clear() -> Self {
        Self { clearance: Clearance::Full, may_ask: true, at_least: Level::Standard, caller: "codex".to_owned() }
    }

    /// What tells this lens from others in cache keys.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{:?}{:?}{}", self.clearance, self.at_least, self.may_ask)
    }

    /// Whether everything is shown: then questions about personal fields are harmless too.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        self.clearance == Clearance::Full
    }

    /// Whether a search or filter by personal fields may also match protected people.
    #[must_use]
    pub fn may_ask(&self) -> bool {
        self.may_ask
    }

    /// Whether every record is to be treated as protected.
    #[must_use]
    pub fn is_tightened(&self) -> bool {
        self.at_least > Level::Standard
    }

    /// A value as this caller may see it; `None` when it is withheld.
    #[must_use]
    pub fn see(&self, level: Level, field: Personal, text: &str) -> Option<String> {
        match treatment(level.max(self.at_least), self.clearance, field) {
            Treatment::Show => Some(text.to_owned()),
            Treatment::Withhold => None,
            Treatment::Mask => Some(match field {
                Personal::Email => mask_email(text),
                Personal::Phone => mask_phone(text),
                Personal::Name | Personal::Private | Personal::Subject | Personal::Text => mask_words(text),
            }),
        }
    }

    /// An optional value as this caller may see it.
    #[must_use]
    pub fn see_option(&self, level: Level, field: Personal, text: Option<String>) -> Option<String> {
        text.and_then(|text| self.see(level, field, &text))
    }

    /// Notes that this caller reads `count` records of protected companies unmasked.
    pub fn disclose(&self, what: &str, count: usize) {
        if self.sees_all() {
            disclosure::shown(&self.caller, what, count);
        }
    }
}

fn mask_words(text: &str) -> String {
    text.split_whitespace()
        .filter_map(|word| word.chars().next())
        .map(|first| format!("{first}•••"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn mask_email(text: &str) -> String {
    let Some((local, domain)) = text.split_once('@') else { return String::new() };
    local.chars().next().map_or_else(String::new, |first| format!("{first}•••@{domain}"))
}

fn mask_phone(text: &str) -> String {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    let tail: String = digits.iter().skip(digits.len().saturating_sub(2)).collect();
    format!("•••{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_of_the_policy() {
        use Personal::{Email, Name, Phone, Private, Subject, Text};
        use Treatment::{Mask, Show, Withhold};
        for field in [Name, Email, Phone, Private, Subject, Text] {
            for clearance in [Clearance::Full, Clearance::Colleague, Clearance::None] {
                assert_eq!(treatment(Level::Standard, clearance, field), Show);
            }
            assert_eq!(treatment(Level::Cjis, Clearance::Full, field), Show);
        }
        let row = |level, clearance| [Name, Email, Phone, Private, Subject, Text].map(|field| treatment(level, clearance, field));
        assert_eq!(row(Level::Hipaa, Clearance::Colleague), [Show, Show, Show, Withhold, Show, Show]);
        assert_eq!(row(Level::Cjis, Clearance::Colleague), [Show, Show, Withhold, Withhold, Withhold, Withhold]);
        assert_eq!(row(Level::Hipaa, Clearance::None), [Mask, Mask, Mask, Withhold, Withhold, Withhold]);
        assert_eq!(row(Level::Cjis, Clearance::None), [Mask, Withhold, Withhold, Withhold, Withhold, Withhold]);
    }

    #[test]
    fn masks_keep_nothing_that_identifies() {
        assert_eq!(mask_words("Ava Patel"), "A••• P•••");
        assert_eq!(mask_email("ava@acme.example"), "a•••@acme.example");
        assert_eq!(mask_email("none"), "");
        assert_eq!(mask_phone("+1 555 010 42"), "•••42");
    }
}
