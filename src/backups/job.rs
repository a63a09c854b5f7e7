//! The job that makes backups by itself, tries each of them out, and looks after the earlier ones.

use std::sync::Arc;

use serde_json::json;

use super::{
    care,
    make::{self, Destination, Made},
    scratch, store,
};
use crate::{
    config::BACKUP,
    db::{Write, backup::Proof},
    error::{Error, Result},
    jobs::{
        Ended, Job,
        kind::{self, Definition, JobKind, OURS},
        lease_store,
    },
    progress::Level,
    types::{Actor, Scope},
};

/// Makes a backup.
pub const JOB: JobKind = JobKind(&Definition {
    name: BACKUP,
    aliases: &[],
    label: "Backup",
    what: "Database, attachments and keys in one file, which is restored aside to prove that it can be",
    system: OURS,
    pulls: false,
    plans: false,
    follows: None,
    in_all: None,
    has_work: kind::always,
    body: |job| Box::pin(body(job)),
});

async fn body(job: Job) -> Result<Ended> {
    let (actor, folder, keep) = (Actor::system(BACKUP), job.config.backup.to.clone(), job.config.backup.keep);
    let id = job.lease.job_id.clone();
    let by = job.db.read(&Scope::All, move |c| lease_store::started_by(c, &id)).await?;
    job.progress.begin("writing and trying out", None);
    let made = match write(&job).await {
        Ok(made) => made,
        Err(error) => {
            let failure = care::failure(&folder, &by, &error);
            job.write(&actor, move |w: &mut Write<'_>| store::add(w, &failure)).await?;
            return Err(error);
        }
    };
    let row = care::row_of(&made, &by);
    job.write(&actor, move |w: &mut Write<'_>| store::add(w, &row)).await?;
    job.progress.begin("reading earlier backups again", None);
    let name = scratch::file_name(&made.path);
    let wrong = care::read_again(&job.db, &folder, &name).await?;
    let deleted = care::prune(&job.db, &job.config, &folder, keep).await?;
    for file in &deleted {
        job.progress.say(Level::Info, format!("deleted {file}, which is beyond {}", keep.words()));
    }
    let mut text = format!("wrote {}", said(&made));
    if !deleted.is_empty() {
        text.extend([format!("; {} deleted that are beyond {}", deleted.len(), keep.words())]);
    }
    let report = json!({
        "file": made.path, "bytes": made.bytes, "sha256": made.sha256, "rows": made.manifest.database.rows(),
        "restored_aside": made.proof == Proof::Restored, "broken": wrong, "deleted": deleted,
    });
    Ok(Ended { text, problem: (!wrong.is_empty()).then(|| wrong.join("; ")), report, ..Ended::default() })
}

async fn write(job: &Job) -> Result<Made> {
    let (config, target) = (Arc::clone(&job.config), job.db.target().clone());
    let work = move || {
        if let Err(error) = scratch::sweep(&config, &config.backup.to) {
            tracing::warn!(%error, "what earlier backups left behind could not all be taken away");
        }
        make::make(&config, &target, &Destination::Folder(config.backup.to.clone()), &config.backup.encrypt_to)
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

/// A backup in a line.
#[must_use]
pub fn said(made: &Made) -> String {
    let proof = match &made.proof {
        Proof::Restored => format!(
            "restored aside: {} rows in {} tables are as they were",
            made.manifest.database.rows(),
            made.manifest.database.tables.len()
        ),
        Proof::Impossible(why) => format!("not tried out: {why}"),
    };
    let remarks = made.manifest.remarks().map(|remarks| format!("; {remarks}")).unwrap_or_default();
    format!("{}, {}, {proof}{remarks}", scratch::file_name(&made.path), megabytes(made.bytes))
}

/// A size for people.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a size for people")]
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1_000_000.0)
}
