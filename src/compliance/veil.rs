//! What a store reads of people lies under a veil until the policy has looked at it for the caller.
//!
//! A [`Veiled`] record cannot be written as JSON, shown on a page or put into a reply: the compiler knows no way to.
//! [`Veiled::redact`] is the only one, and it takes the caller's policy, leaves out what they may not see, and notes
//! what of protected people they do see. So no handler, whatever its method, can forget either.

use super::{Level, Personal, RedactionPolicy};

/// A record that tells of people.
pub trait Protected: Sized {
    /// What disclosures call it.
    const ENTITY: &'static str;
    /// The fields in which people stand, and what of them those tell.
    const TELLS: &'static [(&'static str, Personal)];
    /// What it is looked at with.
    type Viewer: AsRef<RedactionPolicy>;

    /// Which one it is.
    fn record(&self) -> i64;
    /// How strictly it is protected.
    fn level(&self) -> Level;
    /// Whether this caller sees any personal data of it in full, should it be protected: who they are does not matter.
    fn is_disclosed_to(&self, policy: &RedactionPolicy) -> bool {
        policy.shows_any(self.level(), Self::TELLS)
    }
    /// What this caller may see of it.
    #[must_use]
    fn redacted(self, viewer: &Self::Viewer) -> Self;
}

/// A record that nobody has been shown yet.
#[derive(Clone, Debug)]
pub struct Veiled<T>(T);

impl<T: Protected> Veiled<T> {
    /// Puts a record under the veil; what stores do.
    pub fn new(record: T) -> Self {
        Self(record)
    }

    /// The record as this caller may see it.
    pub fn redact(self, viewer: &T::Viewer) -> T {
        let policy = viewer.as_ref();
        if self.0.level() > Level::Standard && (self.0.is_disclosed_to(policy) || policy.learns_by_asking()) {
            policy.log_disclosure(T::ENTITY, [self.0.record()]);
        }
        self.0.redacted(viewer)
    }

    /// The record for the program's own work; nothing of it may reach an answer.
    pub fn inside(&self) -> &T {
        &self.0
    }

    /// The same as a part of something larger, which lies under the veil instead.
    pub fn within<U: Protected>(self, around: impl FnOnce(T) -> U) -> Veiled<U> {
        Veiled(around(self.0))
    }
}

impl AsRef<Self> for RedactionPolicy {
    fn as_ref(&self) -> &Self {
        self
    }
}
