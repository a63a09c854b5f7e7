//! How fresh each vendor's data is, and what waits for a person: for banners, the dashboard and health.

pub mod store;

pub use store::{Freshness, Waiting, freshness, waiting};
