//! The kinds of things that people are told when they go wrong. Rooms that know of one say how to look for it, and `app.rs`
//! lists them; what is told to whom, and how, is `notices/`.

use std::{sync::OnceLock, time::Duration};

use serde::Serialize;

use crate::{auth::Level, db::Conn, error::Result};

/// How somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// At once.
    Now,
    /// In one mail a day.
    Daily,
    /// Not at all.
    Off,
}

impl How {
    /// All of them, in words.
    pub const ALL: [(Self, &'static str, &'static str); 3] =
        [(Self::Now, "now", "At once"), (Self::Daily, "daily", "Daily digest"), (Self::Off, "off", "Off")];

    /// The word of the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Daily => "daily",
            Self::Off => "off",
        }
    }

    /// What a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(how, ..)| *how)
    }
}

/// Something that is wrong now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Tells the things of a kind apart: the same thing is told once, until it is well again.
    pub thing: String,
    /// In a line, without anything that tells of people.
    pub title: String,
    /// More of it, for the mail; may be empty.
    pub detail: String,
    /// The page to look at.
    pub path: String,
}

/// A kind of notices.
pub struct Kind {
    /// The word of the database and the API.
    pub name: &'static str,
    /// What people call it: "Sync failed or late".
    pub label: &'static str,
    /// The roles that may be told.
    pub roles: &'static [Level],
    /// How administrators are told who have not chosen; others are not.
    pub usual: How,
    /// Whether it is told too that it is well again.
    pub tells_end: bool,
    /// How often it is looked for.
    pub every: Duration,
    /// Looks for everything of this kind that is wrong now.
    pub look: fn(&mut Conn) -> Result<Vec<Found>>,
}

static REGISTRY: OnceLock<&'static [&'static Kind]> = OnceLock::new();

/// Says which kinds there are; the first call counts.
pub fn register(kinds: &'static [&'static Kind]) {
    REGISTRY.get_or_init(|| kinds);
}

/// Every kind, in the order in which people see them.
#[must_use]
pub fn kinds() -> &'static [&'static Kind] {
    REGISTRY.get().copied().unwrap_or_default()
}

/// The kind of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Kind> {
    kinds().iter().find(|kind| kind.name == name).copied()
}
