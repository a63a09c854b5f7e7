//! The pull from Datto RMM: sites to companies, devices to assets.

pub mod alerts;
pub mod audits;
mod fetch;
mod inventory;
mod mapping;
mod prove;
mod run;
mod sheets;
pub mod sites;
mod source;

use crate::jobs::kind::{self, Definition, JobKind};

/// Pulls sites, devices and alerts from Datto RMM.
pub const JOB: JobKind = JobKind(&Definition {
    name: "datto",
    aliases: &["rmm"],
    label: "Datto RMM sync",
    what: "Sites, devices and alerts",
    system: crate::vendors::datto::SYSTEM,
    pulls: true,
    plans: true,
    follows: None,
    in_all: Some(4),
    has_work: kind::always,
    body: |job| Box::pin(run::body(job)),
});
