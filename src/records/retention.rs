//! The job that removes what is kept no longer: `[retention]`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::entities::ENTITIES;
use crate::{
    config::{Config, RETENTION, Retention},
    db::{Conn, Write},
    error::{Error, Result},
    history::retention,
    jobs::{
        Ended, Job,
        kind::{Definition, JobKind, OURS},
        retention_store as jobs,
    },
    outbox,
    types::{Actor, format_time},
    web::disclosures_store as disclosures,
};

/// How many rows one transaction removes.
const CHUNK: i64 = 500;

/// Removes what is kept no longer.
pub const JOB: JobKind = JobKind(&Definition {
    name: RETENTION,
    aliases: &[],
    label: "Retention",
    what: "Removes history, logs and what else is kept no longer",
    system: OURS,
    pulls: false,
    plans: false,
    follows: None,
    in_all: None,
    has_work,
    body: |job| Box::pin(body(job)),
});

/// What is removed in portions: what it is called, for how many days it is kept, and how some of what is older goes.
struct Sweep {
    name: &'static str,
    days: fn(&Retention) -> Option<i64>,
    remove: fn(&mut Conn, &str) -> Result<u64>,
}

/// All but history, which has an edge.
const SWEEPS: [Sweep; 5] = [
    Sweep { name: "disclosures", days: |kept| kept.disclosures, remove: |c, before| disclosures::remove(c, before, CHUNK) },
    Sweep { name: "runs", days: |kept| kept.jobs, remove: |c, before| jobs::runs(c, before, CHUNK) },
    Sweep { name: "jobs", days: |kept| kept.jobs, remove: |c, before| jobs::jobs(c, before, CHUNK) },
    Sweep { name: "staged pages", days: |kept| Some(kept.staging), remove: jobs::staged },
    Sweep { name: "outbox entries", days: |kept| Some(kept.outbox), remove: |c, before| outbox::store::remove(c, before, CHUNK) },
];

/// The moment so many days ago.
fn ago(days: i64) -> Result<String> {
    let before = Timestamp::now().checked_sub(SignedDuration::from_hours(days.saturating_mul(24)));
    before.map(format_time).map_err(Error::internal)
}

/// The slot of every day is taken as long as anything is kept for a time.
#[expect(clippy::unnecessary_wraps, reason = "the shape that every job has")]
fn has_work(_: &mut Conn, config: &Config) -> Result<bool> {
    Ok(config.retention.history.is_some() || SWEEPS.iter().any(|sweep| (sweep.days)(&config.retention).is_some()))
}

async fn body(job: Job) -> Result<Ended> {
    let mut removed = Map::new();
    let mut since = None;
    if let Some(days) = job.config.retention.history {
        let edge = ago(days)?;
        removed.insert("changes".to_owned(), history(&job, &edge).await?.into());
        since = Some(edge);
    }
    for sweep in &SWEEPS {
        let Some(days) = (sweep.days)(&job.config.retention) else { continue };
        let before = ago(days)?;
        let mut gone = 0;
        loop {
            let (remove, before) = (sweep.remove, before.clone());
            match job.write(&actor(), move |w: &mut Write<'_>| remove(w, &before)).await? {
                0 => break,
                some => gone += some,
            }
        }
        removed.insert(sweep.name.to_owned(), gone.into());
    }
    let told = removed.iter().filter(|(_, gone)| **gone != json!(0)).map(|(name, gone)| format!("{gone} {name}"));
    let told = told.collect::<Vec<_>>().join(", ");
    let text = if told.is_empty() { "Nothing was older than is kept".to_owned() } else { format!("Removed: {told}") };
    let report = json!({ "removed": Value::Object(removed), "history_since": since });
    Ok(Ended { text, report, ..Ended::default() })
}

fn actor() -> Actor {
    Actor::system(RETENTION)
}

/// Moves the edge of history, tells everybody, and then removes what lies before it; how many changes went.
async fn history(job: &Job, edge: &str) -> Result<u64> {
    let edge = edge.to_owned();
    let shift = move |w: &mut Write<'_>| {
        if retention::keep_since(w, &edge)? {
            // Answers about the past that are kept are none any more.
            ENTITIES.iter().for_each(|entity| w.touch(entity.name()));
        }
        Ok(())
    };
    job.write(&actor(), shift).await?;
    let (mut from, mut gone) = (0, 0);
    while let Some((some, last)) = job.write(&actor(), move |w: &mut Write<'_>| retention::remove(w, from, CHUNK)).await? {
        gone += some;
        from = last;
    }
    Ok(gone)
}
