//! Where the rooms are joined into one program.

use std::sync::Arc;

use axum::{Extension, Router};

use crate::{
    config::Config,
    db::Db,
    error::Result,
    platform::{Health, health},
    web::{RouteInfo, Routes, Web, edge, static_files},
};

/// Every route of every room.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().merge(health::routes()).merge(static_files::routes())
}

/// Every route as (path, method), for the tables in the tests and the documents made from it.
#[must_use]
pub fn route_table() -> Vec<RouteInfo> {
    let (_, mut table) = routes().into_parts();
    table.sort();
    table
}

/// The whole program: what the rooms share, joined once.
#[derive(Clone)]
pub struct App {
    web: Web,
    health: Arc<Health>,
}

impl App {
    /// Over this configuration and database.
    pub fn new(config: Arc<Config>, db: Db) -> Result<Self> {
        let health = Arc::new(Health::new(&config, db.clone())?);
        Ok(Self { web: Web::new(config, db), health })
    }

    /// Everything as one service, at `/…` and at `/codex/…`.
    #[must_use]
    pub fn router(&self) -> Router {
        let health = self.health.clone();
        edge::wrap(routes(), self.web.clone(), |router| router.layer(Extension(health)))
    }
}
