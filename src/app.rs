//! Where the rooms are joined into one program.

use crate::web::{RouteInfo, Routes, Web, edge};
use axum::Router;
use std::sync::Arc;

/// Every route of every room.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
}

/// Every route as (path, method), for the tables in the tests and the documents made from it.
#[must_use]
pub fn route_table() -> Vec<RouteInfo> {
    let (_, mut table) = routes().into_parts();
    table.sort();
    table
}

/// The whole program as one service, at `/…` and at `/codex/…`.
pub fn router(web: Web, edge: edge::Edge) -> Router {
    edge::wrap(routes(), web, Arc::new(edge), |router| router)
}
