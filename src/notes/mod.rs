//! What people write down about records.

mod model;
pub mod store;

pub use model::Note;
