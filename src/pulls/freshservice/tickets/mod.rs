//! The tickets job: everything that the vendor knows of tickets, kept up to date from what changed.

mod change;
mod changes;
mod changes_store;
mod details;
mod details_store;
mod hours;
mod labels;
mod list;
mod listing;
mod listings_store;
mod messages;
mod pace;
mod pages_store;
mod record;
mod report;
mod retire;
mod run;
mod sightings_store;
mod single;
pub mod text;
mod verify;

pub use sightings_store::live;
pub use single::fetch;

use crate::{
    jobs::kind::{self, Definition, JobKind},
    vendors::freshservice::SYSTEM,
};

/// Pulls tickets and change requests from Freshservice.
pub const JOB: JobKind = JobKind(&Definition {
    name: "tickets",
    aliases: &[],
    label: "Ticket sync",
    what: "Tickets, conversations, time entries and change requests",
    system: SYSTEM,
    pulls: true,
    plans: true,
    follows: None,
    in_all: Some(6),
    has_work: kind::always,
    body: |job| Box::pin(run::body(job)),
});

/// The name under which it is kept how far the list of tickets has been read.
const LIST: &str = "tickets";
/// The same of the list of change requests.
const CHANGES: &str = "changes";
