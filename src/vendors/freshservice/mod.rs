//! Freshservice: its client, its JSON, and what that means in our words.

pub mod client;
mod inventory;
pub mod mapping;
#[cfg(test)]
mod mapping_tests;
pub mod tickets;
pub mod wire;
mod writes;

use super::{Vendor, probe};
pub use crate::config::freshservice::SYSTEM;

/// The system's name for people.
pub const NAME: &str = "Freshservice";

/// What the rest of the house knows of it.
pub const VENDOR: Vendor = Vendor {
    system: SYSTEM,
    name: NAME,
    takes_records: true,
    takes_tickets: true,
    tells_secrets: false,
    keys: &[("domain", false), ("api_key", true)],
    setup: "set [freshservice] domain and api_key in codex.conf, or CODEX_FRESHSERVICE_DOMAIN and CODEX_FRESHSERVICE_API_KEY",
    spell: crate::config::freshservice::account,
    address: |config| config.freshservice.url.as_deref(),
    secret: |config, key| config.freshservice.api_key.as_ref().filter(|_| key == "api_key"),
    is_configured: |config| config.freshservice.credentials().is_some(),
    account: client::account,
    probe: |config| Box::pin(probe::freshservice(config)),
};
