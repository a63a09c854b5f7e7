//! The job that freezes the month that has ended, when the operator wants that.

use std::sync::Arc;

use serde_json::json;

use crate::{
    billing::{freeze::freeze, month::Month},
    config::FREEZING,
    db::Write,
    error::Result,
    jobs::{
        Ended, Job,
        kind::{self, Definition, JobKind, OURS},
    },
    types::Actor,
};

/// Freezes last month's true-up of every client.
pub const JOB: JobKind = JobKind(&Definition {
    name: FREEZING,
    aliases: &[],
    label: "Freezing of last month",
    what: "Last month's true-up of every client, kept for good",
    system: OURS,
    pulls: false,
    plans: false,
    follows: None,
    in_all: None,
    has_work: kind::always,
    body: |job| Box::pin(body(job)),
});

async fn body(job: Job) -> Result<Ended> {
    let month = Month::current().previous();
    let (config, wanted) = (Arc::clone(&job.config), month.clone());
    let work = move |w: &mut Write<'_>| freeze(w, &config, &wanted, None, false);
    let frozen = job.write(&Actor::system(FREEZING), work).await?;
    let report = json!({ "month": month.as_str(), "frozen": frozen.made.len(), "unchanged": frozen.unchanged.len() });
    Ok(Ended { text: format!("{}: {}", month.as_str(), frozen.words()), report, ..Ended::default() })
}
