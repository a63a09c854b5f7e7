//! Where the rooms are joined into one program.

use crate::web::{RouteInfo, Routes, Web, edge, static_files};
use axum::Router;

/// Every route of every room.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().merge(static_files::routes())
}

/// Every route as (path, method), for the tables in the tests and the documents made from it.
#[must_use]
pub fn route_table() -> Vec<RouteInfo> {
    let (_, mut table) = routes().into_parts();
    table.sort();
    table
}

/// The whole program as one service, at `/…` and at `/codex/…`.
pub fn router(web: Web) -> Router {
    edge::wrap(routes(), web, |router| router)
}
