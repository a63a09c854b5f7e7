//! Assets: the devices and other things that companies use.

mod api;
pub mod list_store;
pub mod model;
pub mod rules;
pub mod store;

pub use api::routes;
pub use model::{Asset, AssetDetail, AssetView, Observation};
