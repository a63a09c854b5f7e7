//! Clients of the vendors: who may be asked, how often, with what credentials, and what their answers mean.

pub mod address;
pub mod answer;
pub mod authorization;
pub mod credentials;
pub mod datto;
pub mod fault;
pub mod freshservice;
pub mod http;
pub mod mend;
pub mod probe;
pub mod rate_limit;
pub mod retry;

use std::pin::Pin;

use crate::{
    config::{Config, Secret},
    error::{Error, Result},
};

/// A vendor, as far as the rest of the house knows one: by this, and never by its name.
#[derive(Clone, Copy)]
pub struct Vendor {
    /// Its name in links, plans and history; also the section of the configuration.
    pub system: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Whether contacts and companies that are linked to it can be written there.
    pub takes_records: bool,
    /// Whether tickets that came from it can be written there.
    pub takes_tickets: bool,
    /// Whether what it tells of devices may hold secrets, which are sealed.
    pub tells_secrets: bool,
    /// The keys it needs in that section, and which of them are secrets.
    pub keys: &'static [(&'static str, bool)],
    /// What to set when it is not configured.
    pub setup: &'static str,
    /// An address as it is used, of what somebody entered; none when that is nothing.
    pub spell: fn(&str) -> std::result::Result<Option<String>, String>,
    /// Where its secrets are sent, as far as that is configured.
    pub address: fn(&Config) -> Option<&str>,
    /// The configured secret of this key.
    pub secret: for<'c> fn(&'c Config, &str) -> Option<&'c Secret>,
    /// Whether everything it needs is set.
    pub is_configured: fn(&Config) -> bool,
    /// The fingerprint of the configured account, under which its rate limit is kept.
    pub account: fn(&Config) -> Result<String>,
    /// Asks it whether the credentials fit.
    pub probe: for<'c> fn(&'c Config) -> Probing<'c>,
}

/// A question to a vendor that is under way.
pub type Probing<'c> = Pin<Box<dyn Future<Output = probe::Verdict> + Send + 'c>>;

/// Every vendor.
pub const ALL: &[Vendor] = &[freshservice::VENDOR, datto::VENDOR];

/// The vendor of this name.
///
/// # Errors
/// `NotFound`.
pub fn vendor(system: &str) -> Result<Vendor> {
    find(system).ok_or(Error::NotFound { what: "Vendor" })
}

/// The vendor of this name, if there is one.
#[must_use]
pub fn find(system: &str) -> Option<Vendor> {
    ALL.iter().copied().find(|vendor| vendor.system == system)
}

/// The vendor that tells secrets of devices.
#[must_use]
pub fn teller_of_secrets() -> &'static str {
    ALL.iter().find(|vendor| vendor.tells_secrets).map_or("", |vendor| vendor.system)
}

impl Vendor {
    /// That it is configured.
    ///
    /// # Errors
    /// `Unavailable`, with what to set.
    pub fn configured(self, config: &Config) -> Result<()> {
        if (self.is_configured)(config) {
            return Ok(());
        }
        Err(Error::Unavailable(format!("{} is not configured: {}", self.name, self.setup)))
    }

    /// The key of its address.
    fn address_key(self) -> &'static str {
        self.keys.iter().find(|(_, secret)| !secret).map_or("", |(name, _)| name)
    }

    /// The keys of its secrets.
    fn secrets(self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().filter(|(_, secret)| *secret).map(|(name, _)| *name)
    }
}
