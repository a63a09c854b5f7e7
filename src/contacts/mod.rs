//! Contacts: the people at the companies.

mod api;
pub mod list_store;
pub mod model;
mod pages;
pub mod pages_store;
pub mod panels;
mod resource;
pub mod rules;
pub mod store;

pub use api::Belonging;
pub use model::{Contact, ContactDetail, ContactView, Membership};
pub use resource::Contacts;

use crate::web::Routes;

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    api::routes().merge(resource::routes()).merge(pages::routes())
}
