//! The pull from Datto RMM: sites to companies, devices to assets.

mod fetch;
mod inventory;
mod mapping;
mod prove;
mod run;
mod sheets;
pub mod site_names;
pub mod sites;
pub mod sites_store;
mod source;
pub mod staged_store;
mod walk;

pub use self::run::body;
