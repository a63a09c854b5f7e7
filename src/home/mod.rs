//! What people see first: the dashboard.

pub mod dashboard;
pub mod dashboard_store;

use crate::web::Routes;

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().get("/", dashboard::show)
}
