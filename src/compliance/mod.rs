//! Decides what a caller may see of the people of protected companies, and notes who saw it.
//!
//! The policy is one table: field × level × caller (design §5). It is applied where rows become output, by type
//! ([`Veiled`]); `?filter=phi|cjis` asks for more than the policy demands, never for less.

mod api;
mod asking;
mod level;
mod policy;
pub mod trail;
mod veil;

pub use api::routes;
pub use asking::Asking;
pub use level::Level;
pub use policy::{Personal, RedactionPolicy};
pub use trail::{ToldChange, Trail, tell};
pub use veil::{Protected, Veiled};
