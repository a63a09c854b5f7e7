//! Assets: the devices and other things that companies use.

mod api;
pub mod hardware;
pub mod hardware_store;
pub mod list_store;
pub mod model;
pub mod panels;
pub mod rules;
pub mod secrets;
pub mod staleness;
pub mod staleness_store;
pub mod store;
mod traces_store;
pub mod view_context;

pub use api::{Assets, Owned, routes};
pub use model::{Asset, AssetDetail, AssetView, Observation};
pub use view_context::AssetViewContext;
