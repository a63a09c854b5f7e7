//! What people write down about records.

mod model;

pub use model::Note;
