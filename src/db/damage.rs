//! What is known about damage to the database: seen by any statement, or by a search.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::error::Error;

/// What was seen last; nothing while all is well.
#[derive(Default)]
pub(super) struct Damage {
    found: Mutex<Option<String>>,
    unstorable: AtomicBool,
}

impl Damage {
    pub(super) fn found(&self) -> Option<String> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, found: Option<String>) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// Keeps what a failure says about damage, or about what keeps everything from being stored; other failures say
    /// nothing about either.
    pub(super) fn note(&self, cause: &Error) {
        match cause {
            Error::Damaged(text) => self.set(Some(text.clone())),
            Error::Storage(_) => self.unstorable.store(true, Ordering::Relaxed),
            _ => {}
        }
    }

    /// Something was stored.
    pub(super) fn stored(&self) {
        self.unstorable.store(false, Ordering::Relaxed);
    }

    /// Whether the last change could not be stored.
    pub(super) fn is_unstorable(&self) -> bool {
        self.unstorable.load(Ordering::Relaxed)
    }
}
