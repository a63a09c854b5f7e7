//! Contacts: the people at the companies.

pub mod model;
pub mod rules;
pub mod store;

pub use model::{Contact, ContactDetail, ContactView, Membership};
