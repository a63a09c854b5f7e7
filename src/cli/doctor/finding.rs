//! One thing that was looked at: how it is, what was seen, what to do, and what has been done.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth a look.
    Warning,
    /// Something does not work, or will not.
    Error,
}

/// One thing looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub level: Level,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// What was done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mended: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, ok: true, detail: detail.into(), advice: None, mended: None }
    }

    /// Worth a look.
    pub fn warning(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Warning, ok: false, advice: Some(advice.into()), ..Self::ok(check, detail) }
    }

    /// Wrong.
    pub fn wrong(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Error, ..Self::warning(check, detail, advice) }
    }

    /// What somebody who was asked has said.
    pub fn of(check: &'static str, verdict: Result<String, String>, advice: &str) -> Self {
        verdict.map_or_else(|why| Self::wrong(check, why, advice), |detail| Self::ok(check, detail))
    }

    /// It was wrong, and is not any more.
    #[must_use]
    pub fn mended(self, what: impl Into<String>) -> Self {
        Self { level: Level::Ok, ok: true, advice: None, mended: Some(what.into()), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match (self.level, &self.mended) {
            (_, Some(_)) => "fixed",
            (Level::Ok, None) => "ok",
            (Level::Warning, None) => "warn",
            (Level::Error, None) => "WRONG",
        };
        write!(out, "{word:5} {:13} {}", self.check, self.detail)?;
        if let Some(advice) = self.advice.as_deref().filter(|advice| !self.detail.contains(advice)) {
            write!(out, " -> {advice}")?;
        }
        if let Some(mended) = &self.mended {
            write!(out, " -> {mended}")?;
        }
        Ok(())
    }
}
