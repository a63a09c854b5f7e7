//! Contacts: the people at the companies.

mod api;
pub mod list_store;
pub mod model;
pub mod panels;
pub mod rules;
pub mod store;

pub use api::{Belonging, routes};
pub use model::{Contact, ContactDetail, ContactView, Membership};
