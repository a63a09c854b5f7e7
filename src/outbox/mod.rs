//! The outbox: everything that Codex writes to a vendor goes through here. What is to be written is stored in
//! the transaction that decides it; a delivery marks it, sends it and reads it back. Whatever is killed in
//! between, the next delivery asks the vendor before it sends again.

pub mod api;
mod decide;
mod deliver;
mod delivered;
pub mod fields;
mod job;
mod model;
mod notes;
pub mod push;
pub mod run_report;
pub mod store;
pub mod tickets;
mod turn;
mod turn_store;
pub mod variables;
mod vendors;

pub use deliver::Delivered;
pub use job::{JOB, deliver_for};
pub use model::{Entry, Operation, State, Values, Write as Wish};
