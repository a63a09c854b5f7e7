//! Account numbers at the vendors: giving one to who has none, repairing what drifted, telling Datto. What
//! is to be written is shown first, and goes through the outbox.

pub mod assign;
mod plan;
pub mod push_datto;
pub mod push_freshservice;
mod sites_store;
mod steps;
mod survey;
