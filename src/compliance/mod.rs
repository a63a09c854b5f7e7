//! Decides what a caller may see of the people of protected companies, and notes who saw it.
//!
//! The policy is one table: field × level × caller (design §5). It is applied where rows become output;
//! `?filter=phi|cjis` asks for more than the policy demands, never for less.

mod lens;
mod level;
mod store;

pub use lens::{Lens, Personal};
pub use level::Level;
pub use store::{NOT_PROTECTED, STRICTEST_OF_CONTACT};
