//! From what a vendor lists to our rows: matched, proven, planned, applied in short transactions, and what a person must decide.

pub mod apply;
pub mod assets;
pub mod assign;
pub mod decisions;
pub mod paginator;
pub mod planner;
pub mod planning;
pub mod plans_store;
pub mod report;
pub mod review;
pub mod rows_store;
pub mod sites;
pub mod ticket_losses_store;
