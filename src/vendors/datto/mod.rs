//! Datto RMM: its client and its JSON.

mod answers;
pub mod client;
mod rate;
mod token;
pub mod wire;

use super::{Vendor, probe};
use crate::types::fold;

pub use crate::config::datto::SYSTEM;
/// The system's name for people.
pub const NAME: &str = "Datto RMM";

/// What the rest of the house knows of it.
pub const VENDOR: Vendor = Vendor {
    system: SYSTEM,
    name: NAME,
    takes_records: false,
    takes_tickets: false,
    tells_secrets: true,
    keys: &[("api_endpoint", false), ("public_key", true), ("secret_key", true)],
    setup: "set [datto] api_endpoint, public_key and secret_key in codex.conf, or CODEX_DATTO_API_ENDPOINT, \
            CODEX_DATTO_PUBLIC_KEY and CODEX_DATTO_SECRET_KEY",
    spell: crate::config::datto::endpoint,
    address: |config| config.datto.api_endpoint.as_deref(),
    secret: |config, key| match key {
        "public_key" => config.datto.public_key.as_ref(),
        "secret_key" => config.datto.secret_key.as_ref(),
        _ => None,
    },
    is_configured: |config| config.datto.credentials().is_some(),
    account: client::account,
    probe: |config| Box::pin(probe::datto(config)),
};

/// Whether the name of a site's variable means this one: case, blanks, underscores and hyphens do not count.
#[must_use]
pub fn same_name(name: &str, wanted: &str) -> bool {
    let plain = |text: &str| -> String { fold(text).chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-')).collect() };
    !plain(wanted).is_empty() && plain(name) == plain(wanted)
}
