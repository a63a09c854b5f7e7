//! Assets: the devices and other things that companies use.

pub mod model;
pub mod rules;
pub mod store;

pub use model::{Asset, AssetDetail, AssetView, Observation};
