//! Credentials of vendors entered in the page: sealed in the database, never shown, and given to jobs in
//! the place that they have among all sources of the configuration.

pub mod api;
pub mod connection_test;
mod store;
pub mod view;

use std::{collections::BTreeMap, sync::Arc};

use super::{ALL, Vendor, address};
use crate::{
    config::{Config, ENTERED, Secret},
    db::{Db, Write},
    encryption::{self, Encryption},
    error::{Error, Result},
    types::{Actor, Scope},
};
use store::Stored;
pub use view::Credentials;

/// Why a secret must not be used in this configuration: an address that was entered over HTTP is given no
/// secret of another origin, or whoever may enter one could have the operator's key sent to themselves.
fn mismatch(vendor: Vendor, config: &Config, on_disk: &Config) -> Option<(&'static str, String)> {
    let entered = |name: &str| config.origin(vendor.system, name) == Some(ENTERED);
    if !entered(vendor.address_key()) || (vendor.address)(config) == (vendor.address)(on_disk) {
        return None;
    }
    let foreign = vendor.secrets().find_map(|name| Some((name, config.origin(vendor.system, name)?)).filter(|_| !entered(name)));
    foreign.map(|(name, origin)| {
        let address = vendor.address_key();
        (name, format!("comes from {origin}, and the {address} was entered in the page: set both in the same place"))
    })
}

/// The configuration with the credentials that were entered in the page. What cannot be opened or must not be
/// used is left out and said in the log: the rest goes on without it.
pub async fn effective(db: &Db, config: &Arc<Config>) -> Result<Arc<Config>> {
    Ok(effective_or_why(db, config).await?.0)
}

/// The same, and what is wrong with what was entered.
pub async fn effective_or_why(db: &Db, config: &Arc<Config>) -> Result<(Arc<Config>, Option<String>)> {
    let stored = db.read(&Scope::All, store::all).await?;
    if stored.is_empty() {
        return Ok((config.clone(), None));
    }
    let (config, problems) = over(config, &stored);
    let told: Vec<String> = problems.into_values().collect();
    Ok((config, if told.is_empty() { None } else { Some(told.join("; ")) }))
}

/// What is wrong with what was entered, by vendor.
type Problems = BTreeMap<&'static str, String>;
/// Values by section and key.
type Values = BTreeMap<(String, String), String>;

/// The configuration with these credentials, and what is wrong with them.
fn over(config: &Arc<Config>, stored: &[Stored]) -> (Arc<Config>, Problems) {
    let of_all = |why: &str| {
        let systems = ALL.iter().map(|vendor| vendor.system);
        let concerned = systems.filter(|system| stored.iter().any(|row| row.system == *system));
        concerned.map(|system| (system, why.to_owned())).collect::<Problems>()
    };
    let opened = Encryption::open(config).and_then(|encryption| open_all(&encryption, stored));
    let mut values = match opened {
        Ok(values) => values,
        Err(error) => {
            tracing::debug!(%error, "stored credentials are left out");
            return (config.clone(), of_all(&error.to_string()));
        }
    };
    // The message may quote a value.
    let not_understood = || of_all("what was entered in the page is not understood; enter it again");
    let (Ok(whole), Ok(on_disk)) = (config.with_stored(values.clone()), config.as_on_disk()) else {
        return (config.clone(), not_understood());
    };
    let mut problems = Problems::new();
    for vendor in ALL.iter().copied() {
        let entered = (vendor.system.to_owned(), vendor.address_key().to_owned());
        // What the files say, too, counts as said there.
        if (vendor.address)(&whole) == (vendor.address)(&on_disk) {
            values.remove(&entered);
            continue;
        }
        if let Some(why) = unusable(vendor, &whole, &on_disk) {
            tracing::debug!(vendor = vendor.system, why, "stored credentials are left out");
            values.retain(|(system, _), _| system != vendor.system);
            problems.insert(vendor.system, why);
        }
    }
    match config.with_stored(values) {
        Ok(config) => (Arc::new(config), problems),
        Err(_) => (config.clone(), not_understood()),
    }
}

/// Why what was entered for a vendor is not used.
fn unusable(vendor: Vendor, config: &Config, on_disk: &Config) -> Option<String> {
    if let Some((name, why)) = mismatch(vendor, config, on_disk) {
        return Some(format!("{name} {why}"));
    }
    let guarded = config.origin(vendor.system, vendor.address_key()) == Some(ENTERED) && !on_disk.sync.private_addresses;
    let address = (vendor.address)(config).filter(|_| guarded)?;
    address::check(address).err().map(|why| format!("{} {why}", vendor.address_key()))
}

fn open_all(encryption: &Encryption, stored: &[Stored]) -> Result<Values> {
    let mut values = Values::new();
    let known = |row: &&Stored| {
        ALL.iter().any(|vendor| vendor.system == row.system && vendor.keys.iter().any(|(name, _)| *name == row.name))
    };
    for row in stored.iter().filter(known) {
        let value = encryption.open_sealed(&purpose(&row.system, &row.name), &row.sealed).ok_or_else(|| {
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

/// Keeps or forgets credentials of a vendor. A new address must be a public one, and needs the secrets again:
/// none is ever sent to an address that was entered without it.
///
/// # Errors
/// `Invalid` when a value cannot be understood or must not be used; `Unavailable` or `Storage` when there is no
/// key to seal with.
pub async fn change(db: &Db, config: &Arc<Config>, vendor: Vendor, mut changes: Vec<Change>, by: &str) -> Result<()> {
    let known = db.read(&Scope::All, store::all).await?;
    judge(config, vendor, &known, &mut changes).await?;
    let setting: Vec<_> = changes.iter().filter_map(|(name, value)| Some((*name, value.clone()?))).collect();
    let fresh = encryption::salt();
    let salt = db.write(&Scope::All, &Actor::system("credentials"), move |w| store::salt_or(w, fresh)).await?;
    let mut sealed = Vec::new();
    if !setting.is_empty() {
        let encryption = Encryption::create(config)?;
        for (name, value) in &setting {
            sealed.push(Stored {
                system: vendor.system.to_owned(),
                name: (*name).to_owned(),
                sealed: encryption.seal(&purpose(vendor.system, name), value.expose())?,
                key_id: encryption.id().to_owned(),
                fingerprint: encryption::fingerprint(&salt, value),
                set_by: by.to_owned(),
                set_at: String::new(),
            });
        }
    }
    let forgotten: Vec<_> = changes.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    let keep = move |w: &mut Write<'_>| {
        // It was judged by what was there then: an address that has come meanwhile was not seen.
        if store::all(w)? != known {
            return Err(Error::conflict("the credentials have just been changed by somebody else; look and try again"));
        }
        // What another key sealed cannot be opened any more, and would keep the rest from being used.
        if let Some(ours) = sealed.first().map(|row| row.key_id.clone()) {
            for row in known.iter().filter(|row| row.key_id != ours) {
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

/// Refuses what must not be changed this way. An address that stays as it is, is taken out of the changes.
async fn judge(config: &Arc<Config>, vendor: Vendor, known: &[Stored], changes: &mut Vec<Change>) -> Result<()> {
    let key_of = |name: &str| (vendor.system.to_owned(), name.to_owned());
    for (name, value) in changes.iter() {
        let alone = value.iter().map(|value| (key_of(name), value.expose().to_owned())).collect();
        if config.with_stored(alone).is_err() {
            return Err(Error::field(*name, "is not understood: it must be an account name, a host or an https address"));
        }
    }
    let broken = |_| Error::Unavailable("the configuration on disk cannot be read".to_owned());
    let on_disk = config.as_on_disk().map_err(broken)?;
    let stored = Encryption::open(config).and_then(|encryption| open_all(&encryption, known)).unwrap_or_default();
    let key = vendor.address_key();
    let spelled = |text: &str| (vendor.spell)(text).ok().flatten();
    let stored_address = stored.get(&key_of(key)).and_then(|text| spelled(text));
    let wanted =
        changes.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_ref().and_then(|text| spelled(text.expose())));
    let moves = match &wanted {
        None => false,
        // What the files say counts again.
        Some(None) => {
            stored_address.is_some() && (vendor.address)(&on_disk).is_some_and(|there| Some(there) != stored_address.as_deref())
        }
        Some(Some(new)) => {
            let before = stored_address.clone().or_else(|| (vendor.address)(&on_disk).map(str::to_owned));
            before.as_ref() != Some(new)
        }
    };
    if let Some(Some(new)) = &wanted {
        if !moves {
            changes.retain(|(name, _)| *name != key);
        } else if !on_disk.sync.private_addresses && (vendor.address)(&on_disk) != Some(new) {
            address::check_now(new).await.map_err(|why| Error::field(key, why))?;
        }
    }
    // Sent to another place, a secret that was entered must be entered again.
    let again = vendor.secrets().find(|name| {
        let changed = changes.iter().any(|(sent, _)| sent == name);
        moves && !changed && stored.contains_key(&key_of(name))
    });
    if let Some(name) = again {
        return Err(Error::field(name, format!("must be sent again, because the {key} changes")));
    }
    let mut values = stored;
    for (name, value) in changes.iter() {
        match value {
            Some(value) => values.insert(key_of(name), value.expose().to_owned()),
            None => values.remove(&key_of(name)),
        };
    }
    match mismatch(vendor, &config.with_stored(values).map_err(broken)?, &on_disk) {
        Some((name, why)) => Err(Error::field(name, why)),
        None => Ok(()),
    }
}
