//! How strictly a company's people are protected.

use crate::history::protection;

/// A company's compliance level; the order is strictness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing beyond the ordinary.
    #[default]
    Standard,
    /// Health data (HIPAA).
    Hipaa,
    /// Criminal justice data (CJIS).
    Cjis,
}

impl Level {
    /// The level of a word in `companies.compliance_level`.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "cjis" => Self::Cjis,
            "hipaa" => Self::Hipaa,
            _ => Self::Standard,
        }
    }

    /// The level of a rank as rows keep it (`history::protection`); no row protects nothing.
    #[must_use]
    pub fn from_rank(rank: Option<i64>) -> Self {
        Self::parse(protection::word(rank.unwrap_or(0)))
    }

    /// The word in the database and in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Hipaa => "hipaa",
            Self::Cjis => "cjis",
        }
    }

    /// Its rank, as rows keep it.
    #[must_use]
    pub fn rank(self) -> i64 {
        protection::rank(self.as_str())
    }

    /// What a page says in the place of what it may not show.
    #[must_use]
    pub fn hidden(self) -> &'static str {
        match self {
            Self::Cjis => "Hidden: CJIS client",
            Self::Standard | Self::Hipaa => "Hidden: HIPAA client",
        }
    }
}
