//! Credentials of vendors entered in the page: sealed in the database, never shown, and given to jobs in
//! the place that they have among all sources of the configuration.

pub mod api;
mod store;
pub mod trial;
pub mod vault;
pub mod view;

use std::{collections::BTreeMap, sync::Arc};

pub use self::view::Credentials;
use self::{store::Stored, vault::Vault};
use crate::{
    config::{Config, Secret},
    db::{Db, Write},
    error::{Error, Result},
    types::{Actor, Scope},
};

/// A vendor with what it needs: the section of the configuration, and (key, whether it is a secret).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// The vendor, and the section.
    pub system: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// Its keys.
    pub keys: &'static [(&'static str, bool)],
}

/// The vendors whose credentials can be entered.
pub const VENDORS: [Vendor; 2] = [
    Vendor { system: "freshservice", label: "Freshservice", keys: &[("domain", false), ("api_key", true)] },
    Vendor { system: "datto", label: "Datto RMM", keys: &[("api_endpoint", false), ("public_key", true), ("secret_key", true)] },
];

/// The vendor of this name.
///
/// # Errors
/// `NotFound`.
pub fn vendor(system: &str) -> Result<Vendor> {
    let known = VENDORS.into_iter().find(|vendor| vendor.system == system);
    known.ok_or(Error::NotFound { what: "Vendor" })
}

/// The configuration with the credentials that were entered in the page. What cannot be opened is left
/// out and said in the log: the rest goes on without it.
///
/// # Errors
/// Those of the database.
pub async fn effective(db: &Db, config: &Arc<Config>) -> Result<Arc<Config>> {
    Ok(effective_or_why(db, config).await?.0)
}

/// The same, and what is wrong with what was entered.
///
/// # Errors
/// Those of the database.
pub async fn effective_or_why(db: &Db, config: &Arc<Config>) -> Result<(Arc<Config>, Option<String>)> {
    let stored = db.read(&Scope::All, store::all).await?;
    Ok(if stored.is_empty() { (config.clone(), None) } else { over(config, &stored) })
}

/// The configuration with these credentials, and what is wrong with them.
fn over(config: &Arc<Config>, stored: &[Stored]) -> (Arc<Config>, Option<String>) {
    let opened = Vault::open(config).and_then(|vault| open_all(&vault, stored));
    let values = match opened {
        Ok(values) => values,
        Err(error) => {
            tracing::debug!(%error, "stored credentials are left out");
            return (config.clone(), Some(error.to_string()));
        }
    };
    match config.with_stored(values) {
        Ok(config) => (Arc::new(config), None),
        // The message may quote a value.
        Err(_) => (config.clone(), Some("what was entered in the page is not understood; enter it again".to_owned())),
    }
}

fn open_all(vault: &Vault, stored: &[Stored]) -> Result<BTreeMap<(String, String), String>> {
    let mut values = BTreeMap::new();
    for row in stored {
        let value = vault.open_sealed(&purpose(&row.system, &row.name), &row.sealed).ok_or_else(|| {
            Error::Unavailable(
                "the stored credentials were sealed with another key; put credentials.key back, or enter them again".to_owned(),
            )
        })?;
        values.insert((row.system.clone(), row.name.clone()), value.expose().to_owned());
    }
    Ok(values)
}

fn purpose(system: &str, name: &str) -> String {
    format!("codex {system}.{name}")
}

/// What is to be kept of one key: a new value, or nothing more.
pub type Change = (&'static str, Option<Secret>);

/// Keeps or forgets credentials of a vendor.
///
/// # Errors
/// `Invalid` when a value cannot be understood; `Unavailable` or `Storage` when there is no key to seal with.
pub async fn change(db: &Db, config: &Arc<Config>, vendor: Vendor, changes: Vec<Change>, by: &str) -> Result<()> {
    let setting: Vec<_> = changes.iter().filter_map(|(name, value)| Some((*name, value.clone()?))).collect();
    for (name, value) in &setting {
        let alone = BTreeMap::from([((vendor.system.to_owned(), (*name).to_owned()), value.expose().to_owned())]);
        if config.with_stored(alone).is_err() {
            return Err(Error::field(*name, "is not understood: it must be an account name, a host or an https address"));
        }
    }
    let fresh = vault::salt();
    let salt = db.write(&Scope::All, &Actor::system("credentials"), move |w| store::salt_or(w, fresh)).await?;
    let mut sealed = Vec::new();
    if !setting.is_empty() {
        let vault = Vault::create(config)?;
        for (name, value) in &setting {
            sealed.push(Stored {
                system: vendor.system.to_owned(),
                name: (*name).to_owned(),
                sealed: vault.seal(&purpose(vendor.system, name), value.expose())?,
                key_id: vault.id().to_owned(),
                fingerprint: vault::fingerprint(&salt, value),
                set_by: by.to_owned(),
                set_at: String::new(),
            });
        }
    }
    let forgotten: Vec<_> = changes.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    let keep = move |w: &mut Write<'_>| {
        // What another key sealed cannot be opened any more, and would keep the rest from being used.
        if let Some(ours) = sealed.first().map(|row| row.key_id.clone()) {
            for row in store::all(w)?.iter().filter(|row| row.key_id != ours) {
                store::forget(w, &row.system, &row.name)?;
            }
        }
        sealed.iter().try_for_each(|row| store::set(w, row))?;
        forgotten.iter().try_for_each(|name| store::forget(w, vendor.system, name))
    };
    db.write(&Scope::All, &Actor::system("credentials"), keep).await?;
    tracing::info!(vendor = vendor.system, by, "credentials were changed");
    Ok(())
}
