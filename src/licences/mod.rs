//! Licences and subscriptions, and who or what holds their seats.
//!
//! They are nouns of their own and no assets of a type `license`: a licence has a term, a price, seats and a key, and none of
//! what a device has; every list of assets that is billed would count it as a workstation; and no vendor lists licences
//! among its assets: Freshservice's software is no device and is not read.

mod held;
mod keys;
mod model;
pub mod panels;
pub mod store;

pub use held::Held;
pub use keys::routes;
pub use model::{License, Seat};
