//! How strictly a company's people are protected.

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

    /// The level of a rank as SQL computes it; no company at all protects nothing.
    #[must_use]
    pub fn from_rank(rank: Option<i64>) -> Self {
        match rank {
            Some(0) => Self::Cjis,
            Some(1) => Self::Hipaa,
            _ => Self::Standard,
        }
    }
}
