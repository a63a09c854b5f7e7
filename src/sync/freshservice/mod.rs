//! Freshservice: its client, its JSON, and what that means in our words.

pub mod asset_mapping;
pub mod client;
mod inventory;
pub mod mapping;
#[cfg(test)]
mod mapping_tests;
pub mod tickets;
pub mod wire;
mod writes;

/// The system's name in links, plans and history.
pub const SYSTEM: &str = "freshservice";
/// The system's name for people.
pub const NAME: &str = "Freshservice";
