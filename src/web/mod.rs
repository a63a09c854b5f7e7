//! What every room needs to speak HTTP: state, routes, extractors, errors, lists, static files.

pub mod ask;
pub mod cache;
mod csv;
pub mod disclosure;
pub mod edge;
pub mod error_page;
pub mod errors;
pub mod etag;
pub mod extract;
pub mod fields;
mod form;
mod idempotency_store;
pub mod json;
mod links;
pub mod list;
pub mod openapi;
pub mod peer;
pub mod prefix;
pub mod request_id;
pub mod routes;
mod segment;
pub mod server;
pub mod settings_store;
pub mod static_files;
pub mod table;
pub mod view;
pub mod write;

use crate::{config::Config, db::Db};
use std::sync::Arc;

pub use ask::Ask;
pub use extract::{Path, Query};
pub use fields::{Fields, Reference, Sent};
pub use peer::Peer;
pub use prefix::Prefix;
pub use request_id::RequestId;
pub use routes::{RouteInfo, Routes};
pub use segment::encode_segment;
pub use write::{Conditions, Reply};

/// The state that every handler can ask for.
#[derive(Clone)]
#[non_exhaustive]
pub struct Web {
    /// What the operator decided.
    pub config: Arc<Config>,
    /// The database.
    pub db: Db,
    /// Answers kept until their data changes.
    pub cache: cache::Cache,
}

impl Web {
    /// The state of a program that runs with these.
    #[must_use]
    pub fn new(config: Arc<Config>, db: Db) -> Self {
        Self { config, db, cache: cache::Cache::default() }
    }
}

/// A state over an empty database in a folder of its own, which goes with the second value.
#[cfg(test)]
pub(crate) fn test_state(standalone: bool) -> (Web, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut config = Config::for_instance(folder.path()).expect("the default configuration");
    config.core.url = (!standalone).then(|| "http://127.0.0.1:1".to_owned());
    let db = Db::open(crate::db::Target::Sqlite(folder.path().join("codex.db")), 64).expect("a new database");
    (Web::new(Arc::new(config), db), folder)
}

#[cfg(test)]
mod tests;
