//! Datto RMM: its client and its JSON.

mod answers;
pub mod client;
mod rate;
mod token;
pub mod wire;

/// The system's name in links, plans and history.
pub const SYSTEM: &str = "datto";
/// The system's name for people.
pub const NAME: &str = "Datto RMM";
