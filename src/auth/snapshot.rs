//! The public keys known at one moment, shared by everybody who verifies.

use std::sync::{Arc, PoisonError, RwLock};

use super::keys::Key;

/// One set of keys; the generation tells it from the one before.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The keys; empty until the first set has arrived.
    pub keys: Vec<Key>,
    /// Counts the sets; what was verified with an older one is verified again.
    pub generation: u64,
}

/// The place where the newest snapshot stands.
#[derive(Debug, Default)]
pub struct Board(RwLock<Arc<Snapshot>>);

impl Board {
    /// The newest snapshot.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts up a new set.
    pub fn publish(&self, keys: Vec<Key>) -> Arc<Snapshot> {
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *place = Arc::new(Snapshot { keys, generation: place.generation + 1 });
        place.clone()
    }
}
