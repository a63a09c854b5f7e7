//! Assets: the devices and other things that companies use.

mod api;
pub mod audit;
pub mod audit_store;
pub mod hardware;
pub mod list_store;
pub mod model;
pub mod other_types;
mod pages;
pub mod pages_store;
pub mod panels;
pub mod rules;
pub mod secrets;
pub mod staleness;
pub mod staleness_store;
pub mod store;
mod traces_store;
pub mod view_context;

pub use api::{Assets, Owned, Used};
pub use model::{Asset, AssetDetail, AssetView, Observation};
pub use view_context::AssetViewContext;

use crate::web::Routes;

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    api::routes().merge(pages::routes())
}
