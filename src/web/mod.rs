//! What every room needs to speak HTTP: state, routes, extractors, errors, lists, static files.

pub mod edge;
pub mod error_page;
pub mod errors;
pub mod extract;
pub mod fields;
mod form;
mod json;
pub mod peer;
pub mod prefix;
pub mod request_id;
pub mod routes;
pub mod static_files;

use crate::config::Config;
use std::sync::Arc;

pub use extract::{Path, Query};
pub use fields::{Fields, Sent};
pub use peer::Peer;
pub use prefix::Prefix;
pub use request_id::RequestId;
pub use routes::{RouteInfo, Routes};

/// The state that every handler can ask for.
#[derive(Clone)]
#[non_exhaustive]
pub struct Web {
    /// What the operator decided.
    pub config: Arc<Config>,
}

impl Web {
    /// The state of a program that runs with these.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        Self { config }
    }
}
