//! Vendors' devices to our assets: one matcher and one planner for every vendor that knows any.

pub mod again;
pub mod census;
pub mod fields;
pub mod marks;
pub mod matching;
pub mod moving;
pub mod names;
pub mod newcomers;
mod observing;
pub mod pass;
pub mod planner;
mod retire;
pub mod rows_store;
pub mod sealing;
mod sealing_store;
pub mod sources_store;
pub mod takeover;
pub mod told;
pub mod voices;

pub use pass::{Missing, Pass, Source};
pub use planner::Rules;
pub use told::Told;
