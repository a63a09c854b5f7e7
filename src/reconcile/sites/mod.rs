//! Which site of a vendor is which company.

mod attached;
pub mod names;
pub mod store;

pub use attached::Sites;
