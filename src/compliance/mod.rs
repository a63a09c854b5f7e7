//! Decides what a caller may see of the people of protected companies, and notes who saw it.
//!
//! The policy is one table: field × level × caller (design §5). It is applied where rows become output, by type
//! ([`Veiled`]); `?filter=phi|cjis` asks for more than the policy demands, never for less. What stands in a text about
//! somebody else than whom it belongs to, a second net strikes (`screen`).

mod api;
mod asking;
pub mod forgotten;
pub mod forgotten_store;
mod level;
mod names;
pub mod names_store;
mod policy;
mod scan;
pub mod screen;
pub mod trail;
mod veil;

pub use api::{record, routes, since, usual};
pub use asking::{Asking, found_by_shown, without_hidden};
pub use level::Level;
pub use policy::{Clearance, POLICY, Personal, RedactionPolicy, Treatment};
pub use trail::{RedactedChange, Trail, tell};
pub use veil::{Protected, Veiled};
