//! Vendors' devices to our assets: one matcher and one planner for every vendor that knows any.

pub mod again;
pub mod census;
pub mod device_identifiers;
pub mod device_record;
pub mod devices;
pub mod field_sources;
pub mod fields;
pub mod matching;
pub mod moving;
pub mod names;
mod observing;
pub mod panel;
pub mod planner;
mod retire;
pub mod rows_store;
pub mod sealing;
mod sealing_store;
pub mod sources_store;
pub mod takeover;
pub mod unlinked_devices;

pub use device_record::DeviceRecord;
pub use devices::{DeviceList, Devices, Missing};
pub use planner::Rules;
