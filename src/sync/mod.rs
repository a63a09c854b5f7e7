//! Bringing vendors' data in, so that nothing we did not see can be destroyed: everything is fetched
//! into staging, the enumeration is proven, a plan is computed and stored, and then applied in short
//! transactions.

mod answer;
pub mod api;
mod apply;
pub mod assets;
pub mod budget;
mod budget_store;
pub mod catalogue;
mod cells;
pub mod center_store;
mod columns;
pub mod credentials;
pub mod datto;
pub mod decisions;
pub mod devices;
mod evidence;
pub mod fault;
mod fetch;
pub mod freshservice;
pub mod http;
pub mod job_log_store;
pub mod jobs;
pub mod jobs_store;
pub mod keyring;
pub mod live;
mod locals_store;
pub mod pages;
pub mod plan;
mod plan_page_store;
mod planner;
mod planning;
pub mod plans_store;
pub mod probe;
mod process;
pub mod progress;
pub mod quota;
pub mod report;
pub mod retry;
pub mod review;
pub mod run;
mod runs_store;
pub mod scheduler;
pub mod tickets;
mod walk;
pub mod windows;
