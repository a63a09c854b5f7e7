//! Vendors' devices to our assets: one matcher and one planner for every vendor that knows any.

pub mod fields;
mod marks;
mod matching;
mod newcomers;
mod observing;
mod pass;
mod planner;
mod retire;
mod rows_store;
pub mod sources_store;
mod told;

pub use self::{
    marks::{mac, serial},
    pass::{Missing, Pass, Source},
    rows_store::{linked, live},
    told::Told,
};
