//! How one caller sees assets: the redaction policy, and the days by which staleness is told.

use crate::{
    auth::Caller,
    compliance::RedactionPolicy,
    config::{Config, LifeDays},
    error::Result,
    resource::View,
    web::Query,
};

/// What every asset passes on its way out.
#[derive(Clone, Debug)]
pub struct AssetViewContext {
    /// What the caller may see of people.
    pub policy: RedactionPolicy,
    /// The general days of life.
    pub days: LifeDays,
    /// Whether the caller works here or is a program of the platform.
    pub staff: bool,
}

impl AssetViewContext {
    /// The context of a caller for a request with this query string.
    ///
    /// # Errors
    /// `Invalid` for a `filter` that is none.
    pub fn of(caller: &Caller, config: &Config, query: &Query) -> Result<Self> {
        Ok(Self { policy: RedactionPolicy::of(caller, config, query)?, days: config.assets.life, staff: caller.is_staff() })
    }

    /// What tells this context from others in cache keys.
    #[must_use]
    pub fn key(&self) -> String {
        self.policy.key()
    }
}

impl AsRef<RedactionPolicy> for AssetViewContext {
    fn as_ref(&self) -> &RedactionPolicy {
        &self.policy
    }
}

impl View for AssetViewContext {
    fn of(caller: &Caller, config: &Config, query: &Query) -> Result<Self> {
        Self::of(caller, config, query)
    }
}
