//! A kind of job: its names, what it needs, and its body. The rooms that do the work define them, and `app/jobs.rs`
//! lists them; the command line, the API, the scheduler and the pages know no others.

use std::{
    hash::{Hash, Hasher},
    pin::Pin,
    sync::OnceLock,
};

use super::{Ended, Job};
use crate::{
    config::{Config, keycloak},
    db::Conn,
    error::{Error, Result},
    vendors::{self, Vendor},
};

/// A job that runs.
pub type Running = Pin<Box<dyn Future<Output = Result<Ended>> + Send>>;

/// What a room says of a kind of job that it does.
pub struct Definition {
    /// The script name that neighbours know (contract §1.11); also the name of the lease and of the runs' source.
    pub name: &'static str,
    /// Other names that neighbours use.
    pub aliases: &'static [&'static str],
    /// What people call it: "Freshservice sync".
    pub label: &'static str,
    /// What it does, in half a sentence.
    pub what: &'static str,
    /// Whose data it reads or writes: a vendor's name; any other word stands for all of them.
    pub system: &'static str,
    /// Whether it brings data in; the others write to a vendor.
    pub pulls: bool,
    /// Whether it can be asked what it would do.
    pub plans: bool,
    /// The name of the kind after which it runs as a second step of the same job when that is asked for, and what the step
    /// is called in that job's output.
    pub follows: Option<(&'static str, &'static str)>,
    /// Its place in `codex sync all`; none when that leaves it out.
    pub in_all: Option<u8>,
    /// Whether there is anything to do; a slot of the schedule waits until there is.
    pub has_work: fn(&mut Conn, &Config) -> Result<bool>,
    /// Does the work.
    pub body: fn(Job) -> Running,
}

/// Whose data a job reads and writes that is about nobody's but our own.
pub const OURS: &str = "codex";

/// For jobs that always find something to look at.
pub fn always(_: &mut Conn, _: &Config) -> Result<bool> {
    Ok(true)
}

/// A kind of job. One of each runs at a time, wherever it was started.
#[derive(Clone, Copy)]
pub struct JobKind(pub &'static Definition);

impl PartialEq for JobKind {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for JobKind {}

impl Hash for JobKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl std::fmt::Debug for JobKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

/// The kinds that are started by name, and those that are not.
static REGISTRY: OnceLock<[&'static [JobKind]; 2]> = OnceLock::new();

/// Says which kinds there are, and which there are beside that nobody starts by name; the first call counts.
pub fn register(kinds: &'static [JobKind], beside: &'static [JobKind]) {
    REGISTRY.get_or_init(|| [kinds, beside]);
}

impl JobKind {
    /// All that are started by name, in the order in which people see them.
    #[must_use]
    pub fn all() -> &'static [Self] {
        REGISTRY.get().map(|[kinds, _]| *kinds).unwrap_or_default()
    }

    /// The kind whose jobs and plans are kept under this name, whether it is started by name or not.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let beside = REGISTRY.get().map(|[_, beside]| *beside).unwrap_or_default();
        Self::parse(name).or_else(|| beside.iter().copied().find(|kind| kind.as_str() == name))
    }

    /// Whether it asks vendors, whose data is not mixed into a demo's.
    #[must_use]
    pub fn asks_vendors(self) -> bool {
        Self::all().contains(&self) && self.0.system != OURS
    }

    /// The script name of contract §1.11.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0.name
    }

    /// What people call it: "Freshservice sync".
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.0.label
    }

    /// What it does, in half a sentence.
    #[must_use]
    pub const fn what(self) -> &'static str {
        self.0.what
    }

    /// Whether it brings data in; the others write to a vendor.
    #[must_use]
    pub const fn pulls(self) -> bool {
        self.0.pulls
    }

    /// Whether it has a dry run.
    #[must_use]
    pub const fn plans(self) -> bool {
        self.0.plans
    }

    /// Whose data it reads or writes.
    #[must_use]
    pub const fn system(self) -> &'static str {
        self.0.system
    }

    /// The vendor whose data it reads or writes; `None` for one that is about all of them.
    #[must_use]
    pub fn vendor(self) -> Option<Vendor> {
        vendors::find(self.0.system)
    }

    /// The kind that may follow it as a second step.
    #[must_use]
    pub fn follower(self) -> Option<Self> {
        Self::all().iter().copied().find(|kind| kind.0.follows.is_some_and(|(first, _)| first == self.0.name))
    }

    /// The kind of a name or alias.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::all().iter().copied().find(|kind| kind.as_str() == word || kind.0.aliases.contains(&word))
    }

    /// Whether what it needs is configured.
    ///
    /// # Errors
    /// `Unavailable`, with what to set.
    pub fn configured(self, config: &Config) -> Result<()> {
        match self.vendor() {
            Some(vendor) => vendor.configured(config),
            None if self.0.system == OURS => Ok(()),
            None if self.0.system == keycloak::SYSTEM && !config.on_platform() => {
                Err(Error::Unavailable("Keycloak's users are mirrored on the platform alone (core.url)".to_owned()))
            }
            None if self.0.system == keycloak::SYSTEM => config.keycloak.account().map(|_| ()).map_err(Error::Unavailable),
            None if vendors::ALL.iter().any(|vendor| (vendor.is_configured)(config)) => Ok(()),
            None => Err(Error::Unavailable("no vendor is configured that could be written to".to_owned())),
        }
    }
}
