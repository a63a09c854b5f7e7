//! Companies: who the provider works for, buys from, or hopes to win.

pub mod location;
pub mod model;
pub mod rules;
pub mod store;

pub use location::{Location, LocationView};
pub use model::{Company, CompanyView};
