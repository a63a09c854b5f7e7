//! Every write leaves a trace: the one path by which domain rows change, and the readers of its trail.

pub mod batches_store;
pub mod feed_store;
pub mod forgotten_store;
pub mod links_store;
pub mod merges_store;
pub mod past_store;
pub mod pins_store;
pub mod protection_store;
pub mod ranks_store;
mod record;
pub mod retention_store;
pub mod store;
pub mod undo;
mod unredacted;

pub use batches_store as batches;
pub use feed_store as feed;
pub use forgotten_store as forgotten;
pub use links_store as links;
pub use merges_store as merges;
pub use past_store::Past;
pub use pins_store as pins;
pub use protection_store as protection;
pub use ranks_store as ranks;
pub use record::{Record, told_of_secret};
pub use retention_store as retention;
pub use store::{
    Updated, create, create_with_id, find, get, is_only_ours, record_change, record_link, reindex, rekey, restore, retire,
    update, was_taken_away,
};
pub use unredacted::Unredacted;

/// The reason of a retirement that was part of clearing all records of a kind: no decision about this one.
pub const CLEARED: &str = "data cleared";
