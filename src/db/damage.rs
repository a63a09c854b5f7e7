//! What is known about damage to the database: seen by any statement, or by a search.

use std::sync::{Mutex, PoisonError};

use crate::error::Error;

/// The last damage that was seen; nothing while all is well.
#[derive(Default)]
pub(super) struct Damage(Mutex<Option<String>>);

impl Damage {
    pub(super) fn found(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, found: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// Keeps what a failure says about damage; other failures say nothing about it.
    pub(super) fn note(&self, cause: &Error) {
        if let Error::Damaged(text) = cause {
            self.set(Some(text.clone()));
        }
    }
}
