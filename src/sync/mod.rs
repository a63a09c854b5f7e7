//! Bringing vendors' data in, so that nothing we did not see can be destroyed: everything is fetched
//! into staging, the enumeration is proven, a plan is computed and stored, and then applied in short
//! transactions.

pub mod fault;
pub mod freshservice;
pub mod http;
pub mod plan;
pub mod planner;
pub mod quota;
pub mod retry;
pub mod walk;
