//! Files that people put on records of any kind: a row for each, and what is in them in a folder beside the database.

pub mod files;
mod model;
pub mod store;

pub use model::Attachment;
