//! How fresh each vendor's data is, and what waits for a person: for banners, lists, the dashboard and
//! health.

pub mod freshness;
mod judge;
pub mod notice;
pub mod store;

pub use freshness::Ages;
pub use judge::{Freshness, State};
pub use store::{Waiting, freshness, waiting};

use crate::ui::FreshLine;

/// Where data comes from: the job that brings it, what people call it, and the rooms whose lists it feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The job's script name.
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// The rooms.
    pub feeds: &'static [&'static str],
    /// Whether each run reads everything, so that runs can be compared with one another.
    pub whole: bool,
}

/// Every source.
pub const SOURCES: [Source; 4] = [
    Source { name: "freshservice", label: "Freshservice", feeds: &["companies", "contacts", "assets"], whole: true },
    Source { name: "datto", label: "Datto RMM", feeds: &["assets", "devices", "alerts"], whole: true },
    Source { name: "datto-audits", label: "Datto RMM audits", feeds: &[], whole: false },
    Source { name: "tickets", label: "Freshservice tickets", feeds: &["tickets"], whole: false },
];

/// What lists say of the sources that feed them.
#[must_use]
pub fn lines(sources: &[Freshness]) -> Vec<FreshLine> {
    let line = |known: &Freshness| {
        let feeds = SOURCES.iter().find(|source| source.name == known.source)?.feeds;
        let words = match known.state {
            State::Ok => "",
            State::Never => "never read",
            State::Late => "late",
            State::Failing => "the last run failed",
            State::Suspicious => "the last run looks wrong",
        };
        Some(FreshLine { label: known.label, as_of: known.as_of.clone(), words, feeds })
    };
    sources.iter().filter_map(line).collect()
}
