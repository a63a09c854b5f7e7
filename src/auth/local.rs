//! The keys that count in stand-alone mode: those of every instance that shares this database.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{
    keys::{Jwk, Key},
    signer::Signer,
    snapshot::{Board, Snapshot},
    store,
};
use crate::{
    db::Db,
    error::Result,
    types::{Actor, Scope},
};

/// The least time between two looks into the database for keys we do not know.
const PAUSE: Duration = Duration::from_secs(1);

/// Our own signer, and the public keys of all instances.
#[derive(Debug)]
pub struct LocalKeys {
    db: Db,
    signer: Arc<Signer>,
    board: Board,
    looked: Mutex<Option<Instant>>,
}

impl LocalKeys {
    /// The keys around this signer; nothing is read yet.
    #[must_use]
    pub fn new(db: Db, signer: Arc<Signer>) -> Self {
        Self { db, signer, board: Board::default(), looked: Mutex::default() }
    }

    /// The keys to verify with; the first call publishes our own.
    pub async fn ready(&self) -> Result<Arc<Snapshot>> {
        let current = self.board.current();
        if current.keys.is_empty() {
            publish(&self.db, &self.signer).await?;
            return self.look().await;
        }
        Ok(current)
    }

    /// Newer keys than those of this generation, if another instance has published some.
    pub async fn newer_than(&self, generation: u64) -> Option<Arc<Snapshot>> {
        let current = self.board.current();
        if current.generation != generation {
            return Some(current);
        }
        if self.may_look() { self.look().await.ok() } else { None }
    }

    fn may_look(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let may = looked.is_none_or(|at| at.elapsed() >= PAUSE);
        if may {
            *looked = Some(Instant::now());
        }
        may
    }

    async fn look(&self) -> Result<Arc<Snapshot>> {
        let keys = public_keys(&self.db).await?;
        Ok(self.board.publish(keys.iter().filter_map(Key::new).collect()))
    }
}

/// Makes the public half of this signer known to every instance.
pub async fn publish(db: &Db, signer: &Signer) -> Result<()> {
    let (key, holder) = (signer.public().clone(), signer.holder());
    let known = public_keys(db).await?.contains(&key);
    if known {
        return Ok(());
    }
    db.write(&Scope::All, &Actor::system("keys"), move |w| store::publish_key(w, &key, &holder)).await
}

/// The public keys of every instance, as `/.well-known/jwks.json` shows them.
pub async fn public_keys(db: &Db) -> Result<Vec<Jwk>> {
    db.read(&Scope::All, store::public_keys).await
}
