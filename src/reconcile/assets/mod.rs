//! Vendors' devices to our assets: one matcher and one planner for every vendor that knows any.

pub mod again;
pub mod census;
pub mod device_identifiers;
pub mod field_sources;
pub mod fields;
pub mod matching;
pub mod moving;
pub mod names;
mod observing;
pub mod planner;
pub mod reconciliation;
mod retire;
pub mod rows_store;
pub mod sealing;
mod sealing_store;
pub mod sources_store;
pub mod takeover;
pub mod told;
pub mod unlinked_devices;

pub use planner::Rules;
pub use reconciliation::{Missing, Reconciliation, Source};
pub use told::Told;
