//! `codex accounts push-freshservice`: departments whose account number drifted get ours.

use super::{
    assign, plan,
    steps::{self, About},
};
use crate::{
    error::Result,
    jobs::{
        Ended, Job,
        kind::{self, Definition, JobKind},
    },
    outbox::Operation,
    vendors::freshservice::SYSTEM,
};

/// Repairs account numbers of departments that differ from ours.
pub const JOB: JobKind = JobKind(&Definition {
    name: "push-to-freshservice",
    aliases: &["push-freshservice"],
    label: "Fix account numbers in Freshservice",
    what: "Our number for every department whose number differs",
    system: SYSTEM,
    pulls: false,
    plans: true,
    follows: None,
    in_all: None,
    has_work: kind::always,
    body: |job| Box::pin(body(job)),
});

/// The body of the job.
///
/// # Errors
/// `Upstream` when the departments cannot be read whole.
pub async fn body(job: Job) -> Result<Ended> {
    let about = About { kind: JOB, what: "departments", operation: Operation::Department };
    steps::run(job, about, |job, report| assign::departments(job, report, plan::repair)).await
}
