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

pub use extract::{Path, Query};
pub use fields::{Fields, Sent};
pub use peer::Peer;
pub use prefix::Prefix;
pub use request_id::RequestId;
pub use routes::{RouteInfo, Routes};

/// The state that every handler can ask for.
#[derive(Clone)]
#[non_exhaustive]
pub struct Web {}

#[cfg(test)]
impl Web {
    /// A state for tests of what is around the rooms.
    #[must_use]
    pub fn for_tests() -> Self {
        Self {}
    }
}
