//! Begins again what a dead process left half done, a few times at most.

use std::sync::Arc;

use super::{BY, drive, store};
use crate::{
    config::Config,
    db::{Db, Write},
    error::Result,
    jobs::{
        kind::JobKind,
        lease_store::{self, Acquired, Lease},
    },
    types::{Actor, Scope},
};

/// A job that killed its process so often in a row waits for its next slot.
const MOST: i64 = 3;

/// Looks at the newest job of every kind.
pub async fn run(db: &Db, config: &Arc<Config>) -> Result<()> {
    for kind in JobKind::all().iter().copied().filter(|kind| kind.configured(config).is_ok()) {
        let broken = db.read(&Scope::All, move |c| store::broken_off(c, kind.as_str(), MOST)).await?;
        if broken.is_none_or(|(_, times)| times >= MOST) {
            continue;
        }
        let lease = db.write(&Scope::All, &Actor::system(BY), move |w| take(w, kind)).await?;
        if let Some(lease) = lease {
            tracing::info!(job = lease.job_id, "going on with the {}, which broke off", kind.label());
            drive(db, config, kind, lease);
        }
    }
    Ok(())
}

/// Takes the lease, unless another instance or a person was faster.
fn take(w: &mut Write<'_>, kind: JobKind) -> Result<Option<Lease>> {
    if store::broken_off(w, kind.as_str(), MOST)?.is_none() {
        return Ok(None);
    }
    Ok(match lease_store::acquire(w, kind.as_str(), kind.system(), BY)? {
        Acquired::Ours(lease) => Some(lease),
        Acquired::Running(_) => None,
    })
}
