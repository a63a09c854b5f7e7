//! What clients' networks are made of, and how it hangs together.

pub mod adopt_store;
pub mod check_store;
mod drawing;
mod layout;
mod model;
mod topology;
pub mod topology_store;

pub use model::{Connection, Equipment, Interface, Subnet, Vlan};
pub use topology::routes;
