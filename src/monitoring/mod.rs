//! Monitoring: what the RMM raised about devices, and its own view of them for its old clients.

pub mod alert;
pub mod alert_list_store;
pub mod alert_store;
mod api;
mod attached;
mod devices_api;
mod pages;
pub mod panels;

pub use attached::Alerts;

use crate::web::Routes;

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    api::routes().merge(pages::routes())
}
