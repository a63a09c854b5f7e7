//! What one caller sees in one request.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    Level,
    screen::{Screen, WITHHELD},
};
use crate::{
    auth::{Caller, Level as Role},
    config::Config,
    error::{Error, Result},
    web::{Query, disclosure::Readings},
};

/// How close a caller is to protected data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clearance {
    /// Technicians, administrators, and the services that the operator has cleared.
    Full,
    /// A client among their own colleagues.
    Colleague,
    /// Those who bill: the billing and primary contacts, and nobody else.
    Billing,
    /// Everybody else.
    None,
}

impl Clearance {
    /// All of them, in the order of the policy's columns.
    pub const ALL: [Self; 4] = [Self::Full, Self::Colleague, Self::Billing, Self::None];

    /// The word in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "cleared",
            Self::Colleague => "client",
            Self::Billing => "billing",
            Self::None => "uncleared",
        }
    }

    /// What people call those callers.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Full => "Cleared",
            Self::Colleague => "Client",
            Self::Billing => "Billing",
            Self::None => "Everybody else",
        }
    }

    /// Who they are.
    #[must_use]
    pub fn tells(self) -> &'static str {
        match self {
            Self::Full => "Administrators, technicians and the services in [compliance] cleared_services",
            Self::Colleague => "Clients, among the people of their own companies",
            Self::Billing => "Users of the billing role; they see billing and primary contacts in full",
            Self::None => "Services that are not cleared, and whoever asks with filter=phi or filter=cjis",
        }
    }
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
    /// What it says on their card.
    Title,
    /// What their device tells of them: its addresses (IP, MAC) and what somebody wrote about it.
    Device,
    /// Everything else about them: address, notes, location.
    Private,
    /// What a ticket is about, in a line.
    Subject,
    /// What is written on a ticket: its description, what was said.
    Text,
}

impl Personal {
    /// The word in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Title => "title",
            Self::Device => "device",
            Self::Private => "private",
            Self::Subject => "subject",
            Self::Text => "text",
        }
    }

    /// What such fields hold.
    #[must_use]
    pub fn tells(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Email => "E-mail address",
            Self::Phone => "Phone numbers",
            Self::Title => "Job title",
            Self::Device => "Their device: its addresses, who used it, what is written about it",
            Self::Private => "Everything else about them: postal address, notes, location, own fields",
            Self::Subject => "The subject of a ticket or planned change",
            Self::Text => "What is written on it: description, conversation, notes",
        }
    }
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It stands as it is.
    Show,
    /// It tells that it is there, and no more.
    Mask,
    /// It is left out.
    Withhold,
}

impl Treatment {
    /// The word in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Show => "shown",
            Self::Mask => "masked",
            Self::Withhold => "withheld",
        }
    }
}

/// A line of the policy: a kind of field, and what becomes of it for the callers in the order of [`Clearance::ALL`].
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Which fields.
    pub field: Personal,
    hipaa: [Treatment; 4],
    cjis: [Treatment; 4],
}

impl Line {
    const fn new(field: Personal, hipaa: [Treatment; 4], cjis: [Treatment; 4]) -> Self {
        Self { field, hipaa, cjis }
    }

    /// What becomes of the field at this level, by caller.
    #[must_use]
    pub fn at(&self, level: Level) -> [Treatment; 4] {
        match level {
            Level::Standard => [Treatment::Show; 4],
            Level::Hipaa => self.hipaa,
            Level::Cjis => self.cjis,
        }
    }
}

/// The policy, whole; everything that is decided about people's data is decided by it.
pub const POLICY: [Line; 8] = {
    use Personal::{Device, Email, Name, Phone, Private, Subject, Text, Title};
    use Treatment::{Mask as M, Show as S, Withhold as W};
    [
        // By caller: cleared, client, billing, everybody else.
        Line::new(Name, [S, S, M, M], [S, S, M, M]),
        Line::new(Email, [S, S, M, M], [S, S, W, W]),
        Line::new(Phone, [S, S, M, M], [S, W, W, W]),
        Line::new(Title, [S, S, M, M], [S, S, W, W]),
        Line::new(Device, [S, S, W, W], [S, S, W, W]),
        Line::new(Private, [S, W, W, W], [S, W, W, W]),
        Line::new(Subject, [S, S, W, W], [S, W, W, W]),
        Line::new(Text, [S, S, W, W], [S, W, W, W]),
    ]
};

/// What the policy says; of what it says nothing, nothing is shown.
fn treatment(level: Level, clearance: Clearance, field: Personal) -> Treatment {
    let column = Clearance::ALL.iter().position(|known| *known == clearance);
    let line = POLICY.iter().find(|line| line.field == field);
    line.zip(column).and_then(|(line, column)| line.at(level).get(column).copied()).unwrap_or(Treatment::Withhold)
}

/// What a caller may see, and how much less they asked for.
#[derive(Clone, Debug)]
pub struct RedactionPolicy {
    clearance: Clearance,
    /// What the caller would see without asking for less: what they may ask about.
    own: Clearance,
    /// Every record is treated as at least this strict.
    at_least: Level,
    /// Whether the caller may read the accounts of users.
    accounts: bool,
    /// What the request has read.
    readings: Readings,
    /// Whether a cleared caller, who has asked for less, has asked by what is then hidden: what comes back tells.
    asks: Arc<AtomicBool>,
    /// What is struck from texts that are shown; none when nobody knows.
    screen: Option<Arc<Screen>>,
}

impl RedactionPolicy {
    /// The policy of a caller for a request with this query string.
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
            _ if caller.is_cleared(config) => Clearance::Full,
            Some(Role::Client) => Clearance::Colleague,
            Some(Role::Billing) => Clearance::Billing,
            Some(Role::Admin | Role::Technician) | None => Clearance::None,
        };
        let clearance = if at_least > Level::Standard { Clearance::None } else { own };
        let accounts = matches!(caller.level(), Some(Role::Admin) | None);
        let (readings, screen) = (Readings::current(), Screen::current());
        Ok(Self { clearance, own, at_least, accounts, readings, asks: Arc::default(), screen })
    }

    /// The policy of somebody at the machine itself, who could read the database as well.
    #[must_use]
    pub fn of_program() -> Self {
        Self {
            clearance: Clearance::Full,
            own: Clearance::Full,
            at_least: Level::Standard,
            accounts: true,
            readings: Readings::current(),
            asks: Arc::default(),
            screen: None,
        }
    }

    /// The policy of a program that Codex tells by itself what happened: as of a service, cleared or not.
    #[must_use]
    pub fn of_receiver(cleared: bool) -> Self {
        let clearance = if cleared { Clearance::Full } else { Clearance::None };
        Self { clearance, own: clearance, accounts: false, ..Self::of_program() }
    }

    /// What tells this policy from others in cache keys.
    #[must_use]
    pub fn key(&self) -> String {
        let screen = self.screen.as_ref().filter(|_| self.is_screened()).map(|screen| screen.version);
        format!("{:?}{:?}{:?}{screen:?}", self.clearance, self.at_least, self.own)
    }

    /// Whether everything is shown: then questions about personal fields are harmless too.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        self.clearance == Clearance::Full
    }

    /// Whether this caller may read everything, however little they have asked for.
    #[must_use]
    pub fn is_cleared(&self) -> bool {
        self.own == Clearance::Full
    }

    /// Whether what happened to accounts of users is told: to administrators and services, as the accounts are.
    #[must_use]
    pub fn reads_accounts(&self) -> bool {
        self.accounts
    }

    /// Whether billing and primary contacts are shown in full.
    #[must_use]
    pub fn bills(&self) -> bool {
        self.clearance == Clearance::Billing
    }

    /// From which level on this caller may not ask by a field: where it is not shown in full.
    #[must_use]
    pub fn hidden_from(&self, field: Personal) -> Option<Level> {
        [Level::Hipaa, Level::Cjis].into_iter().find(|level| treatment(*level, self.own, field) != Treatment::Show)
    }

    /// How strictly records of this level are shown to this caller.
    #[must_use]
    pub fn strictness(&self, level: Level) -> Level {
        level.max(self.at_least)
    }

    /// Whether every record is to be treated as protected.
    #[must_use]
    pub fn is_tightened(&self) -> bool {
        self.at_least > Level::Standard
    }

    /// A value as this caller may see it; `None` when it is withheld.
    #[must_use]
    pub fn reveal(&self, level: Level, field: Personal, text: &str) -> Option<String> {
        match treatment(level.max(self.at_least), self.clearance, field) {
            Treatment::Show if matches!(field, Personal::Subject | Personal::Text) => Some(self.screen(text)),
            Treatment::Show => Some(text.to_owned()),
            Treatment::Withhold => None,
            Treatment::Mask => Some(match field {
                Personal::Email => mask_email(text),
                Personal::Phone => mask_phone(text),
                _ => mask_words(text),
            }),
        }
    }

    /// Whether texts are kept from this caller: from those who bill and from everybody else.
    fn is_screened(&self) -> bool {
        matches!(self.clearance, Clearance::Billing | Clearance::None)
    }

    /// Whether anything can be struck from texts for this caller.
    #[must_use]
    pub fn strikes(&self) -> bool {
        self.is_screened() && self.screen.as_ref().is_none_or(|screen| screen.anybody || self.is_tightened())
    }

    /// A text that somebody has written and that nothing else hides, as this caller may read it: once anybody is protected,
    /// without protected people's names and what looks like somebody's number or address. The second net.
    #[must_use]
    pub fn screen(&self, text: &str) -> String {
        match &self.screen {
            _ if !self.is_screened() => text.to_owned(),
            Some(screen) if screen.anybody || self.is_tightened() => screen.of(text),
            Some(_) => text.to_owned(),
            None => WITHHELD.to_owned(),
        }
    }

    /// Refuses to set a text of which this caller does not see everything: what was struck would be lost.
    ///
    /// # Errors
    /// `Forbidden`, naming the field.
    pub fn refuse_screened(&self, field: &str, stored: Option<&String>) -> Result<()> {
        match stored {
            Some(text) if self.screen(text) != **text => {
                Err(Error::Forbidden(format!("{field}: something in it is hidden from you, so you cannot set it")))
            }
            _ => Ok(()),
        }
    }

    /// An optional value as this caller may see it.
    #[must_use]
    pub fn reveal_option(&self, level: Level, field: Personal, text: Option<String>) -> Option<String> {
        text.and_then(|text| self.reveal(level, field, &text))
    }

    /// The same, but a line that says what something is about says instead why it is withheld.
    #[must_use]
    pub fn reveal_or_word(&self, level: Level, field: Personal, text: &str) -> Option<String> {
        let withheld = || (field == Personal::Subject).then(|| self.strictness(level).hidden().to_owned());
        self.reveal(level, field, text).or_else(withheld)
    }

    /// Whether this caller is shown this field of such a record in full.
    #[must_use]
    pub fn shows(&self, level: Level, field: Personal) -> bool {
        treatment(level.max(self.at_least), self.clearance, field) == Treatment::Show
    }

    /// The same caller among people who are none of their colleagues.
    #[must_use]
    pub fn among_strangers(&self) -> Self {
        let stranger = |clearance| if clearance == Clearance::Colleague { Clearance::None } else { clearance };
        Self { clearance: stranger(self.clearance), own: stranger(self.own), ..self.clone() }
    }

    /// Whether this caller is shown any of these fields of such a record in full.
    #[must_use]
    pub fn shows_any(&self, level: Level, fields: &[(&str, Personal)]) -> bool {
        fields.iter().any(|(_, field)| self.shows(level, *field))
    }

    /// Refuses whoever is not cleared to say to whom a record of this level belongs, or who stands in it: that decides who
    /// sees it.
    ///
    /// # Errors
    /// `Forbidden`, naming the field.
    pub fn refuse_uncleared(&self, level: Level, field: &str) -> Result<()> {
        if level == Level::Standard || self.is_cleared() {
            return Ok(());
        }
        Err(Error::Forbidden(format!("{field}: only somebody who may see protected records in full can change it here")))
    }

    /// Refuses to set fields that this caller may not see of a record of this level: whether anything changes would
    /// tell what is stored, and a mask that is sent back would take its place.
    ///
    /// # Errors
    /// `Forbidden`, naming them.
    pub fn refuse_hidden<'a>(&self, level: Level, fields: impl IntoIterator<Item = (&'a str, Personal)>) -> Result<()> {
        let hidden = |field| self.hidden_from(field).is_some_and(|from| level >= from);
        let names: Vec<&str> = fields.into_iter().filter(|(_, field)| hidden(*field)).map(|(name, _)| name).collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(Error::Forbidden(format!("{}: hidden from you in this record, so you cannot set it", names.join(", "))))
    }

    /// Notes that this request asks by what tells of people.
    pub(super) fn ask_of_people(&self) {
        self.asks.store(true, Ordering::Relaxed);
    }

    /// Whether what this caller gets tells of people although it hides them: they are cleared, asked for less, and asked
    /// by what is hidden then.
    #[must_use]
    pub fn learns_by_asking(&self) -> bool {
        self.is_cleared() && self.is_tightened() && self.asks.load(Ordering::Relaxed)
    }

    /// Notes that this caller is shown these protected records in full.
    pub fn log_disclosure(&self, entity: &'static str, ids: impl IntoIterator<Item = i64>) {
        self.readings.note(entity, ids);
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
        use Personal::{Device, Email, Name, Phone, Private, Subject, Text, Title};
        use Treatment::{Mask, Show, Withhold};
        const FIELDS: [Personal; 8] = [Name, Email, Phone, Title, Device, Private, Subject, Text];
        for field in FIELDS {
            for clearance in [Clearance::Full, Clearance::Colleague, Clearance::Billing, Clearance::None] {
                assert_eq!(treatment(Level::Standard, clearance, field), Show);
            }
            assert_eq!(treatment(Level::Cjis, Clearance::Full, field), Show);
        }
        let row = |level, clearance| FIELDS.map(|field| treatment(level, clearance, field));
        assert_eq!(row(Level::Hipaa, Clearance::Colleague), [Show, Show, Show, Show, Show, Withhold, Show, Show]);
        assert_eq!(row(Level::Cjis, Clearance::Colleague), [Show, Show, Withhold, Show, Show, Withhold, Withhold, Withhold]);
        for clearance in [Clearance::Billing, Clearance::None] {
            assert_eq!(row(Level::Hipaa, clearance), [Mask, Mask, Mask, Mask, Withhold, Withhold, Withhold, Withhold]);
            let cjis = [Mask, Withhold, Withhold, Withhold, Withhold, Withhold, Withhold, Withhold];
            assert_eq!(row(Level::Cjis, clearance), cjis);
        }
    }

    #[test]
    fn masks_keep_nothing_that_identifies() {
        assert_eq!(mask_words("Ava Patel"), "A••• P•••");
        assert_eq!(mask_email("ava@acme.example"), "a•••@acme.example");
        assert_eq!(mask_email("none"), "");
        assert_eq!(mask_phone("+1 555 010 42"), "•••42");
    }
}
