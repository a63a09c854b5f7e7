//! Tries credentials: one small question to the vendor, asked once.

use std::sync::Arc;

use super::effective;
use crate::{
    config::Config,
    db::Db,
    error::Result,
    vendors::{
        Vendor,
        probe::{self, Verdict},
    },
};

/// Tries the credentials that count now, those entered in the page included.
pub async fn run(db: &Db, config: &Arc<Config>, vendor: Vendor) -> Result<Verdict> {
    let config = effective(db, config).await?;
    if let Some(until) = probe::shut_out(db, &config, vendor).await? {
        return Ok(Err(format!("{} shut this address out (403); nothing is asked before {until}", vendor.name)));
    }
    Ok((vendor.probe)(&config).await)
}
