//! What the platform around us sees of Codex: is it well, and what do its runs say?

pub mod core_probe;
pub mod damage_watch;
pub mod disk;
pub mod health;
mod helm;
mod helm_client;
mod helm_layer;
pub mod metrics;
mod metrics_store;

pub use health::Health;
pub use helm::Helm;
pub use helm_layer::HelmLayer;
