//! Which site of a vendor is which company.

pub mod names;
pub mod store;
