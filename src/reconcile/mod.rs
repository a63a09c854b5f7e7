//! From what a vendor lists to our rows: matched, proven, planned, applied in short transactions, and what a person must decide.

pub mod absence;
pub mod apply;
pub mod assets;
pub mod assign;
pub mod decisions;
pub mod paginator;
pub mod people;
pub mod planner;
pub mod plans_store;
pub mod reconciliation;
pub mod report;
pub mod review;
pub mod rows_store;
pub mod sites;
pub mod staged_store;
pub mod ticket_losses_store;
pub mod walk;
