//! What the platform around us sees of Codex: is it well?

mod core_probe;
mod disk;
pub mod health;

pub use health::Health;
