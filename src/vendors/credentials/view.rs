//! What people see of credentials: whether they are set, where, since when, and a fingerprint.

use std::sync::Arc;

use serde::Serialize;

use super::{Problems, over, store};
use crate::{
    config::Config,
    db::Db,
    encryption,
    error::Result,
    types::Scope,
    vendors::{ALL, Vendor},
};

/// The credentials of one vendor.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Credentials {
    /// The vendor.
    pub system: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// Whether it can be asked.
    pub configured: bool,
    /// What it needs.
    pub keys: Vec<Credential>,
    /// Why what was entered in the page cannot be used.
    pub problem: Option<String>,
}

/// One key.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Credential {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Whether it is a secret.
    pub secret: bool,
    /// Whether it is set, wherever.
    pub set: bool,
    /// Where: `codex.conf:3`, `entered in the page`, `environment (…)`.
    pub origin: Option<String>,
    /// The value, unless it is a secret.
    pub value: Option<String>,
    /// Tells two secrets apart.
    pub fingerprint: Option<String>,
    /// Whether one was entered in the page, even if another source wins.
    pub entered: bool,
    /// The fingerprint of the one that was entered.
    pub entered_fingerprint: Option<String>,
    /// Who entered it.
    pub set_by: Option<String>,
    pub set_at: Option<String>,
}

/// The credentials of every vendor.
pub async fn all(db: &Db, config: &Arc<Config>) -> Result<Vec<Credentials>> {
    let (stored, salt) = db.read(&Scope::All, |c| Ok((store::all(c)?, store::salt(c)?))).await?;
    let salt = match salt {
        Some(salt) => salt,
        None => {
            let fresh = encryption::salt();
            db.write(&Scope::All, &crate::types::Actor::system("credentials"), move |w| store::salt_or(w, fresh)).await?
        }
    };
    let (config, problems) = if stored.is_empty() { (config.clone(), Problems::new()) } else { over(config, &stored) };
    let of = |vendor: Vendor| {
        let key = |(name, secret): (&'static str, bool)| {
            let path = format!("{}.{name}", vendor.system);
            let shown = config.shown().iter().find(|shown| shown.key == path && !shown.value.is_empty());
            let row = stored.iter().find(|row| row.system == vendor.system && row.name == name);
            Credential {
                name,
                secret,
                set: shown.is_some(),
                origin: shown.map(|shown| shown.origin.clone()),
                value: shown.filter(|_| !secret).map(|shown| shown.value.clone()),
                fingerprint: (vendor.secret)(&config, name).map(|value| encryption::fingerprint(&salt, value)),
                entered: row.is_some(),
                entered_fingerprint: row.filter(|_| secret).map(|row| row.fingerprint.clone()),
                set_by: row.map(|row| row.set_by.clone()),
                set_at: row.map(|row| row.set_at.clone()),
            }
        };
        let keys: Vec<_> = vendor.keys.iter().copied().map(key).collect();
        Credentials {
            system: vendor.system,
            label: vendor.name,
            configured: keys.iter().all(|key| key.set),
            problem: problems.get(vendor.system).cloned(),
            keys,
        }
    };
    Ok(ALL.iter().copied().map(of).collect())
}
