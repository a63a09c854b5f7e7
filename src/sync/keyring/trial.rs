//! Tries credentials: one small question to the vendor, asked once.

use std::sync::Arc;

use super::{Vendor, effective};
use crate::{
    config::Config,
    db::Db,
    error::Result,
    sync::probe::{self, Verdict},
};

/// Tries the credentials that count now, those entered in the page included.
///
/// # Errors
/// Those of the database.
pub async fn run(db: &Db, config: &Arc<Config>, vendor: Vendor) -> Result<Verdict> {
    let config = effective(db, config).await?;
    if let Some(until) = probe::shut_out(db, &config, vendor.system).await? {
        return Ok(Err(format!("{} shut this address out (403); nothing is asked before {until}", vendor.label)));
    }
    Ok(vendor_says(&config, vendor.system).await)
}

/// Tries the credentials of this configuration; good news when the vendor is not configured at all.
///
/// # Errors
/// What is wrong, without secrets.
pub async fn vendor_says(config: &Config, system: &str) -> Verdict {
    match system {
        "freshservice" => probe::freshservice(config).await,
        _ => probe::datto(config).await,
    }
}
