//! What the operator decided: defaults, then `codex.conf`, then credentials entered in the page, then
//! `.flaskenv`, then the environment, then flags; the last one that says something wins.
//!
//! A [`Config`] is passed to whoever needs it; there is no global.

mod backup;
pub mod cadence;
mod database;
pub mod datto;
mod dotenv;
pub mod freshservice;
pub mod ini;
mod kept_address;
pub mod keycloak;
mod keys;
pub mod mail;
mod oidc;
mod parts;
pub mod private;
mod read;
mod retention;
mod scheduler;
mod secret;
mod services;
mod show;
mod sources;
pub mod suggest;
mod write;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub use self::{
    backup::{Backup, Keep, recipients},
    cadence::Cadence,
    database::{Database, Sessions, host_at},
    datto::Datto,
    freshservice::{FieldNames, Freshservice},
    kept_address::{keep as keep_address, sections_lost_to_helm},
    keycloak::Keycloak,
    keys::{Key, Kind, keys},
    mail::Mail,
    oidc::{LocalSignIn, Oidc},
    parts::{Assets, Compat, Compliance, Core, Display, LifeDays, Limits, Server, Sync, Webhooks},
    retention::Retention,
    scheduler::{BACKUP, FREEZING, JobSchedule, RETENTION, Scheduler},
    secret::Secret,
    show::Shown,
    sources::{ENTERED, Sources, Value},
    write::{Setting, save},
};

/// What the service desk is called in the database, for statements that are put together when Codex is compiled.
macro_rules! service_desk {
    () => {
        "freshservice"
    };
}

/// What the RMM is called in the database, likewise.
macro_rules! rmm {
    () => {
        "datto"
    };
}

pub(crate) use {rmm, service_desk};

/// A configuration that cannot be used: says which key, what is wrong, and where it was said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Problem(String);

impl Problem {
    /// A problem in the operator's words.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Everything the operator decided, one struct for each concern.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder with the data: database, keys, `codex.conf`.
    pub instance: PathBuf,
    /// Where and how we listen and log.
    pub server: Server,
    /// What callers may take of us.
    pub limits: Limits,
    /// Which database.
    pub database: Database,
    /// The same database past a pooler, for backups and restores.
    pub direct_database: Option<Secret>,
    /// From how long on a statement is logged.
    pub slow_query: Option<Duration>,
    /// How sessions on a PostgreSQL server are kept.
    pub sessions: Sessions,
    /// The platform, when there is one.
    pub core: Core,
    /// The platform's users.
    pub keycloak: Keycloak,
    /// Whoever vouches for people who sign in here, when there is one.
    pub oidc: Option<Oidc>,
    /// The Freshservice account.
    pub freshservice: Freshservice,
    /// The Datto RMM account.
    pub datto: Datto,
    /// Calls from vendors.
    pub webhooks: Webhooks,
    /// Whether outgoing webhooks and notices may go to private addresses.
    pub private_webhooks: bool,
    /// The SMTP server, when there is one.
    pub mail: Option<Mail>,
    /// For how long things are kept that are over.
    pub retention: Retention,
    /// Limits of a sync.
    pub sync: Sync,
    /// Who sees protected companies' data.
    pub compliance: Compliance,
    /// What neighbours are given beyond the reference.
    pub compat: Compat,
    /// How pages show money and time.
    pub display: Display,
    /// Rules for assets.
    pub assets: Assets,
    /// When jobs run by themselves.
    pub scheduler: Scheduler,
    /// Where backups go, and which are kept.
    pub backup: Backup,
    /// Protects credentials entered in the page; none means the key file.
    pub credentials_key: Option<Secret>,
    /// What was odd but no reason to stop; to be said once, at start.
    pub warnings: Vec<String>,
    shown: Vec<Shown>,
    said: GivenSettings,
}

/// What every source said, kept so that credentials entered later can take their place among them.
#[derive(Clone)]
struct GivenSettings(Arc<Sources>);

impl std::fmt::Debug for GivenSettings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("***")
    }
}

impl Config {
    /// Understands what the sources say; the message lists everything that is wrong.
    pub fn load(sources: &Sources) -> Result<Self, Problem> {
        let resolved = sources.resolve()?;
        let mut read = read::Reader::new(&resolved);
        let mut config = Self {
            instance: sources.instance.clone(),
            server: Server::read(&mut read, &sources.instance),
            limits: Limits::read(&mut read),
            database: Database::read(&mut read, &sources.instance),
            direct_database: database::direct(&mut read),
            slow_query: database::slow_query(&mut read),
            sessions: Sessions::read(&mut read),
            core: Core::read(&mut read),
            keycloak: Keycloak::read(&mut read),
            oidc: Oidc::read(&mut read),
            freshservice: Freshservice::read(&mut read),
            datto: Datto::read(&mut read),
            webhooks: Webhooks::read(&mut read),
            private_webhooks: read.flag("outgoing_webhooks", "private_addresses"),
            mail: Mail::read(&mut read),
            retention: Retention::read(&mut read),
            sync: Sync::read(&mut read),
            compliance: Compliance::read(&mut read),
            compat: Compat::read(&mut read),
            display: Display::read(&mut read),
            assets: Assets::read(&mut read),
            scheduler: Scheduler::read(&mut read),
            backup: Backup::read(&mut read, &sources.instance),
            credentials_key: read.secret("credentials", "key"),
            warnings: resolved.warnings.clone(),
            shown: show::all(&resolved),
            said: GivenSettings(Arc::new(sources.clone())),
        };
        read.finish()?;
        if config.on_platform() && config.core.helm_url.is_none() {
            config.core.helm_url = services::address(&config.services_lists(sources), "helm");
        }
        Ok(config)
    }

    /// The address of a neighbour on the platform, by its name in the list of services; our own settings win.
    #[must_use]
    pub fn neighbour(&self, service: &str) -> Option<String> {
        let own = match service {
            "core" => self.core.url.clone(),
            "helm" => self.core.helm_url.clone(),
            _ => None,
        };
        own.or_else(|| services::address(&self.services_lists(&self.said.0), service))
    }

    /// Where the platform's list of services may be: the file that was named and no other, else in the folder
    /// of the start, beside the instance and beside the binary.
    fn services_lists(&self, sources: &Sources) -> Vec<PathBuf> {
        if let Some(named) = &self.core.services {
            return vec![sources.folder.join(named)];
        }
        let binary = std::env::current_exe().ok();
        let folders = [Some(sources.folder.as_path()), sources.instance.parent(), binary.as_deref().and_then(Path::parent)];
        folders.into_iter().flatten().map(|folder| folder.join("services.json")).collect()
    }

    /// The defaults over an instance folder and whatever `codex.conf` it holds; no environment.
    pub fn for_instance(instance: &Path) -> Result<Self, Problem> {
        Self::load(&Sources { instance: instance.to_owned(), folder: instance.to_owned(), ..Sources::default() })
    }

    /// The same with these credentials entered in the page, each (`section`, `key`) and value: they win
    /// over `codex.conf`, and lose to `.flaskenv`, the environment and flags.
    ///
    /// # Errors
    /// When a value cannot be understood.
    pub fn with_stored(&self, stored: BTreeMap<(String, String), String>) -> Result<Self, Problem> {
        Self::load(&Sources { stored, ..(*self.said.0).clone() })
    }

    /// The same without anything that was entered: what the files, the environment and the flags say.
    ///
    /// # Errors
    /// When a value cannot be understood any more.
    pub fn as_on_disk(&self) -> Result<Self, Problem> {
        self.with_stored(BTreeMap::new())
    }

    /// Where a setting was said, when it is set.
    #[must_use]
    pub fn origin(&self, section: &str, name: &str) -> Option<&str> {
        let found =
            self.shown.iter().find(|shown| shown.key.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')) == Some(name));
        found.filter(|shown| !shown.value.is_empty()).map(|shown| shown.origin.as_str())
    }

    /// A setting as it was given, secrets included.
    fn given(&self, section: &'static str, name: &'static str) -> Option<Value> {
        self.said.0.resolve().ok()?.values.remove(&(section, name))
    }

    /// Every setting with its value and origin, secrets hidden.
    #[must_use]
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }

    /// Whether Core issues the tokens; otherwise our own identity room does.
    #[must_use]
    pub fn on_platform(&self) -> bool {
        self.core.url.is_some()
    }
}

#[cfg(test)]
mod tests;
