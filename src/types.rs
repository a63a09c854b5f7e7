//! The small vocabulary that every layer shares: who acts, what they may see, what time it is.

use std::sync::Arc;

pub mod decimal;
pub mod office;
pub mod phone;
mod text;

pub use text::{KEY_VERSION, SearchText, TRIGRAM, Wanted, clean, email_key, finds_phone, fold, ticket_named};

/// The tenant boundary of a query: every company, or only these (by `companies.id`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Staff, services and the program itself.
    All,
    /// A client user: only rows that belong to these companies. Empty means nothing at all.
    Companies(Arc<[i64]>),
}

/// The kind of hand behind a change; stored in `changes.actor_kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// A person, through a page or the API.
    User,
    /// Another program with a service token.
    Service,
    /// A program of a person's own, with an API key.
    Key,
    /// A vendor sync; `Actor::source` names the vendor.
    Sync,
    /// Rows brought in from a file, or the demo data.
    Import,
    /// The command line.
    Cli,
    /// Codex itself (first run, repair).
    System,
}

impl ActorKind {
    /// The word stored in the database and shown to clients.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
            Self::Key => "key",
            Self::Sync => "sync",
            Self::Import => "import",
            Self::Cli => "cli",
            Self::System => "system",
        }
    }
}

/// Who makes a change, and why: written beside every change row.
#[derive(Clone, Debug)]
pub struct Actor {
    /// What kind of hand it is.
    pub kind: ActorKind,
    /// A name a person recognises: user name, service name, vendor, command.
    pub name: String,
    /// The vendor (`freshservice`, `datto`) when a sync acts.
    pub source: Option<String>,
    /// The sync run that this change belongs to.
    pub run_id: Option<i64>,
    /// Whether an edit of a synced field pins it (users do; services and imports on request).
    pub pins: bool,
    /// Whether this hand may make people's data less strictly protected: an administrator, who is a person.
    pub lowers_protection: bool,
}

impl Actor {
    /// Whose hand made-up data is from, as an import.
    pub const DEMO: &str = "demo data";

    /// Codex itself.
    #[must_use]
    pub fn system(name: &str) -> Self {
        Self { kind: ActorKind::System, name: name.to_owned(), source: None, run_id: None, pins: false, lowers_protection: false }
    }

    /// The command line, by verb.
    #[must_use]
    pub fn cli(verb: &str) -> Self {
        Self { kind: ActorKind::Cli, ..Self::system(verb) }
    }

    /// Rows brought in from elsewhere.
    #[must_use]
    pub fn import(name: &str) -> Self {
        Self { kind: ActorKind::Import, ..Self::system(name) }
    }

    /// A vendor sync's run.
    #[must_use]
    pub fn sync(source: &str, run_id: i64) -> Self {
        Self {
            kind: ActorKind::Sync,
            name: source.to_owned(),
            source: Some(source.to_owned()),
            run_id: Some(run_id),
            pins: false,
            lowers_protection: false,
        }
    }
}

/// The one form of a time in Codex: `2026-11-21T13:46:36Z`, UTC, whole seconds, 20 bytes, so that
/// text order is time order on both engines and every neighbour's parser accepts it (contract §7.2).
#[must_use]
pub fn now() -> String {
    format_time(jiff::Timestamp::now())
}

/// A moment in the one form of [`now`].
#[must_use]
pub fn format_time(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time this many seconds from now (negative: before), in the one form.
#[must_use]
pub fn now_plus(seconds: i64) -> String {
    let at = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second().saturating_add(seconds));
    format_time(at.unwrap_or(jiff::Timestamp::UNIX_EPOCH))
}

/// The calendar day that a text names, `YYYY-MM-DD`, as it is written: a time or a zone behind it never moves it.
#[must_use]
pub fn day(text: &str) -> Option<String> {
    let text = text.trim();
    let (day, rest) = text.split_at_checked(10)?;
    let date: jiff::civil::Date = day.parse().ok().filter(|_| day.as_bytes()[4] == b'-' && day.as_bytes()[7] == b'-')?;
    (rest.is_empty() || rest.starts_with(['T', 't', ' '])).then(|| date.to_string())
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<Vec<_>>().concat()
}
