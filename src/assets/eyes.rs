//! How one caller sees assets: the compliance lens, and the days by which life is told.

use crate::auth::Caller;
use crate::compliance::Lens;
use crate::config::{Config, LifeDays};
use crate::error::Result;
use crate::web::Query;

/// What every asset passes on its way out.
#[derive(Clone, Debug)]
pub struct Eyes {
    /// What the caller may see of people.
    pub lens: Lens,
    /// The general days of life.
    pub days: LifeDays,
    /// Whether the caller works here or is a program of the platform.
    pub staff: bool,
}

impl Eyes {
    /// The eyes of a caller for a request with this query string.
    ///
    /// # Errors
    /// `Invalid` for a `filter` that is none.
    pub fn of(caller: &Caller, config: &Config, query: &Query) -> Result<Self> {
        Ok(Self { lens: Lens::of(caller, config, query)?, days: config.assets.life, staff: caller.is_staff() })
    }

    /// What tells these eyes from others in cache keys.
    #[must_use]
    pub fn key(&self) -> String {
        self.lens.key()
    }
}

impl AsRef<Lens> for Eyes {
    fn as_ref(&self) -> &Lens {
        &self.lens
    }
}
