//! The four permission levels of a person, as they stand in tokens and in the user table.

use serde::{Deserialize, Serialize};

/// What a person may do in general; a token that names none, or one we do not know, is a client's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// May do everything.
    Admin,
    /// Reads and edits everything but settings, people and money.
    Technician,
    /// Reads everything, edits nothing but billing's own records.
    Billing,
    /// Sees their own companies and nothing else.
    #[default]
    Client,
}

impl Level {
    /// Every level, the most powerful first.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Technician, Self::Billing, Self::Client];

    /// The word in tokens, in the database and on pages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Technician => "technician",
            Self::Billing => "billing",
            Self::Client => "client",
        }
    }

    /// The word that people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Admin => "Administrator",
            Self::Technician => "Technician",
            Self::Billing => "Billing",
            Self::Client => "Client",
        }
    }

    /// The level with exactly this name.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// Whether this level has more power than the other.
    #[must_use]
    pub fn is_above(self, other: Self) -> bool {
        let place = |level| Self::ALL.iter().position(|known| *known == level);
        place(self) < place(other)
    }

    /// The level a token's claim stands for: what is missing or unknown has the least power.
    #[must_use]
    pub fn from_claim(word: Option<&str>) -> Self {
        word.and_then(Self::find).unwrap_or_default()
    }
}
