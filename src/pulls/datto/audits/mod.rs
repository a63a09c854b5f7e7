//! Audits of the RMM's devices: hardware, programs, network adapters and drives, read device by device
//! with what the lists leave of the budget. What was read stays read: a run that is killed or stops at its
//! limit is taken up by the next one.

mod mapping;
mod pace;
mod queue_store;
mod reader;
mod tell;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    assets::audit_store,
    db::Write,
    error::{Error, Result},
    jobs::{
        Ended, Job,
        kind::{self, Definition, JobKind},
        runs_store,
    },
    progress::Level,
    reconcile::report::cleaned,
    types::{Actor, Scope},
    vendors::{
        datto::{SYSTEM, client::Datto},
        fault::{Cause, Fault},
        mend::Mended,
    },
};
use pace::Pace;
use queue_store::Due;
use reader::{Read, read};

/// Devices that are asked for at the same time.
const AT_ONCE: usize = 4;
/// How long a run reads at most; the rest is the next run's.
const LONGEST: Duration = Duration::from_hours(6);
/// So many devices in a row that cannot be read: the vendor is not well, and the run ends.
const FAULTS_ENOUGH: usize = 8;
/// Faults that are described.
const DESCRIBED: usize = 20;

/// What a run did.
#[derive(Debug, Default)]
struct Done {
    due: usize,
    read: usize,
    without: usize,
    failed: usize,
    changed: usize,
    faults: Vec<String>,
    stopped: Option<Stopped>,
    mended: Mended,
}

/// Why a run ended before its queue did.
#[derive(Debug)]
enum Stopped {
    /// It had read long enough.
    Time,
    /// The vendor does not answer.
    Vendor(String),
}

/// Reads the audits of Datto RMM's devices, with what is left of its budget.
pub const JOB: JobKind = JobKind(&Definition {
    name: "datto-audits",
    aliases: &["rmm-audits"],
    label: "Datto RMM audits",
    what: "Hardware, software, network adapters and disks",
    system: SYSTEM,
    pulls: true,
    plans: true,
    follows: None,
    in_all: Some(5),
    has_work: kind::always,
    body: |job| Box::pin(body(job)),
});

/// The body of the job.
pub async fn body(job: Job) -> Result<Ended> {
    let client = Arc::new(Datto::open(&job.db, &job.config)?.shown_in(job.progress.clone()));
    let full = job.options.full;
    let due = job.db.read(&Scope::All, move |c| queue_store::due(c, full)).await?;
    if job.options.dry_run {
        let text = format!("{} devices have an audit to read", due.len());
        return Ok(Ended { text, report: json!({"dry_run": true, "due": due.len()}), ..Ended::default() });
    }
    let name = job.kind.as_str();
    let lease = job.lease.clone();
    let run = job.write(&Actor::system("sync"), move |w| runs_store::begin(w, &lease, name, false)).await?;
    let mut result = work(&job, &client, run, due).await;
    if let Ok(done) = &mut result {
        done.mended = client.mended();
    }
    let (status, error) = match &result {
        Err(error) => ("failed", Some(error.to_string())),
        Ok(Done { stopped: Some(Stopped::Vendor(why)), .. }) => ("failed", Some(why.clone())),
        Ok(_) => ("done", None),
    };
    let summary = result.as_ref().map(|done| done.report(run).to_string()).unwrap_or_default();
    let lease = job.lease.clone();
    let finish = move |w: &mut Write<'_>| runs_store::finish(w, &lease, run, status, error.as_deref(), &summary);
    let finished = job.write(&Actor::system("sync"), finish).await;
    let done = result?;
    finished?;
    Ok(done.ended(run))
}

async fn work(job: &Job, client: &Arc<Datto>, run: i64, due: Vec<Due>) -> Result<Done> {
    let mut done = Done { due: due.len(), ..Done::default() };
    if due.is_empty() {
        return Ok(done);
    }
    job.progress.begin("reading audits", Some(due.len() as u64));
    let (began, mut pace) = (Instant::now(), Pace::new());
    let mut waiting = due.into_iter();
    // Tasks of their own: what they hold of the shared budget must not wait for what we do meanwhile.
    let mut asked = JoinSet::new();
    let mut in_a_row = 0;
    loop {
        while asked.len() < AT_ONCE && done.stopped.is_none() {
            if began.elapsed() > LONGEST {
                done.stopped = Some(Stopped::Time);
                break;
            }
            let Some(mut one) = waiting.next() else { break };
            if let Err(fault) = pace.wait(client).await {
                done.stopped = Some(Stopped::Vendor(fault.to_string()));
                break;
            }
            let client = client.clone();
            asked.spawn(async move {
                let answer = read(&client, &mut one).await;
                (one, answer)
            });
        }
        let Some(joined) = asked.join_next().await else { break };
        let (one, answer) = joined.map_err(Error::internal)?;
        match answer {
            Ok(found) => {
                in_a_row = 0;
                keep(job, run, one, found, &mut done).await?;
                job.progress.add(1);
            }
            Err(fault) => {
                in_a_row += 1;
                let shut = is_final(&fault.cause);
                if shut || in_a_row >= FAULTS_ENOUGH {
                    done.stopped.get_or_insert_with(|| Stopped::Vendor(fault.to_string()));
                }
                fail(job, one, &fault, &mut done).await?;
            }
        }
    }
    Ok(done)
}

/// Whether every further question would fail as well.
fn is_final(cause: &Cause) -> bool {
    matches!(cause, Cause::Denied(400 | 401, _) | Cause::Blocked(_) | Cause::Limited(_))
}

/// Stores what was read of one device, in one transaction.
async fn keep(job: &Job, run: i64, one: Due, found: Read, done: &mut Done) -> Result<()> {
    let prefer = job.config.assets.prefer;
    let told = matches!(found, Read::Told(..));
    let write = move |w: &mut Write<'_>| match &found {
        Read::None => audit_store::keep_none(w, &one.asked).map(|()| false),
        Read::Told(audit, software) => {
            audit_store::keep(w, &one.asked, audit, software.as_deref())?;
            tell::put(w, prefer, one.asked.asset_id, audit)
        }
    };
    let changed = job.write(&Actor::sync(SYSTEM, run), write).await?;
    done.changed += usize::from(changed);
    *(if told { &mut done.read } else { &mut done.without }) += 1;
    Ok(())
}

async fn fail(job: &Job, one: Due, fault: &Fault, done: &mut Done) -> Result<()> {
    done.failed += 1;
    if done.faults.len() < DESCRIBED {
        let line = format!("{}: {fault}", one.hostname);
        job.progress.say(Level::Warning, line.clone());
        done.faults.push(line);
    }
    job.write(&Actor::system("sync"), move |w| queue_store::put_off(w, &one.asked)).await
}

impl Done {
    fn left(&self) -> usize {
        self.due.saturating_sub(self.read + self.without)
    }

    fn report(&self, run: i64) -> serde_json::Value {
        json!({
            "run_id": run, "due": self.due, "read": self.read, "without_audit": self.without, "failed": self.failed,
            "left": self.left(), "changed": self.changed, "problems": self.faults,
            "cleaned": self.mended.count(), "cleaned_records": self.mended.named(),
        })
    }

    fn ended(self, run: i64) -> Ended {
        let mut text = format!("{} audits read, {} devices have none", self.read, self.without);
        if self.failed > 0 {
            text = format!("{text}, {} could not be read", self.failed);
        }
        if self.left() > 0 {
            text = format!("{text}; {} are left for the next run", self.left());
        }
        for fault in &self.faults {
            text = format!("{text}\n{fault}");
        }
        for line in cleaned(self.mended.count(), self.mended.named()) {
            text = format!("{text}\n{line}");
        }
        let problem = match &self.stopped {
            Some(Stopped::Vendor(why)) => Some(why.clone()),
            Some(Stopped::Time) | None => None,
        };
        let exit_code = if problem.is_some() { 6 } else { 0 };
        Ended { exit_code, problem, report: self.report(run), text, items: Vec::new() }
    }
}
