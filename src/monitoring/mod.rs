//! Monitoring: what the RMM raised about devices, and what its audits found inside them.

pub mod alert;
pub mod alert_list_store;
pub mod alert_store;
mod api;
mod attached;
pub mod audit;
pub mod audit_store;
mod devices_api;

pub use api::routes;
pub use attached::Alerts;
