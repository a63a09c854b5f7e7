//! What every room needs to speak HTTP: state, routes, extractors, errors, lists, static files.

pub mod answers;
pub mod bodies;
pub mod budget;
pub mod cache;
mod columns;
pub mod csv;
pub mod disclosure;
pub mod disclosures_store;
pub mod errors;
pub mod etag;
pub mod extract;
pub mod fields;
mod form;
mod head;
mod idempotency_store;
pub mod json;
mod link;
mod links;
pub mod list;
pub mod memory;
pub mod metrics;
pub mod middleware;
pub mod multipart;
pub mod openapi;
pub mod peer;
pub mod prefix;
pub mod read_request;
pub mod request_id;
pub mod routes;
mod segment;
pub mod server;
pub mod settings_store;
mod shape;
pub mod shares;
pub mod static_files;
pub mod table;
pub mod text;
pub mod tls;
mod wire;
pub mod write;

use std::{ops::Deref, sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    config::Config,
    db::Db,
    error::{Error, Result},
};

pub use bodies::Raw;
pub use extract::{Path, Query};
pub use fields::{Fields, OneOrMany, Reference, Sent};
pub use peer::Peer;
pub use prefix::Prefix;
pub use read_request::ReadRequest;
pub use request_id::RequestId;
pub use routes::{RouteInfo, Routes};
pub use segment::encode_segment;
pub use shape::AsOf;
pub use write::{Preconditions, Reply};

/// The state that every handler can ask for; every layer and handler of a request has its own handle.
#[derive(Clone)]
pub struct Web(Arc<State>);

impl Deref for Web {
    type Target = State;
    fn deref(&self) -> &State {
        &self.0
    }
}

/// What it is made of.
#[non_exhaustive]
pub struct State {
    /// What the operator decided.
    pub config: Arc<Config>,
    /// The database.
    pub db: Db,
    /// Answers kept until their data changes.
    pub cache: cache::Cache,
    /// Whole answers kept for a moment.
    pub answers: answers::Answers,
    /// Turns at making answers with very many rows.
    turns: Arc<Semaphore>,
    /// Who read which protected records.
    pub disclosures: disclosure::Disclosures,
}

/// How many answers with very many rows are made at once; fewer than read, so that others are served.
const HEAVY: usize = 3;
/// How long such an answer waits for its turn.
const TURN: Duration = Duration::from_secs(20);

impl Web {
    /// The state of a program that runs with these.
    #[must_use]
    pub fn new(config: Arc<Config>, db: Db) -> Self {
        if config.limits.cache == 0 || config.server.dev {
            db.keep_nothing();
        }
        let budget = budget::Budget::new(config.limits.answers);
        let cache = cache::Cache::new(config.limits.cache, budget);
        let moment = config.limits.cache / 4;
        let answers = answers::Answers::new(db.clone(), cache.budget().clone(), moment, config.server.dev);
        let disclosures = disclosure::Disclosures::new(config.limits.disclosures);
        Self(Arc::new(State { config, db, cache, answers, turns: Arc::new(Semaphore::new(HEAVY)), disclosures }))
    }

    /// What callers may take of a server with this state.
    #[must_use]
    pub fn limits(&self) -> server::Limits {
        let limits = &self.config.limits;
        let waiting = self.cache.budget().clone();
        let patience = link::Patience { head: limits.head_patience, send: limits.send_patience, waiting };
        server::Limits { patience, connections: limits.connections }
    }

    /// Waits for a turn at making an answer with very many rows: no caller has them all.
    async fn turn(&self) -> Result<(Option<OwnedSemaphorePermit>, OwnedSemaphorePermit)> {
        let busy = || Error::Unavailable("too many large answers are being made; try again".to_owned());
        let turns = async {
            let own = match shares::long() {
                Some(own) => Some(own.acquire_owned().await.ok()?),
                None => None,
            };
            Some((own, Arc::clone(&self.turns).acquire_owned().await.ok()?))
        };
        let turns = tokio::time::timeout(TURN, turns).await.ok().flatten().ok_or_else(busy)?;
        self.cache.wait_for_room().await;
        Ok(turns)
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
