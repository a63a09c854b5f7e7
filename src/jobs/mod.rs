//! Running a job: with a lease, a heartbeat and an end that is written down whatever happens.

pub mod kind;
pub mod lease_store;
pub mod live;
pub mod log_store;
pub mod process;
pub mod retention_store;
pub mod run_log;
pub mod runs_store;
pub mod scheduler;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    config::Config,
    db::{Db, Write},
    error::{Error, Result},
    plan::Item,
    progress::{Level, Progress},
    types::{Actor, Scope},
    vendors::credentials,
    web::settings_store,
};
use kind::JobKind;
use lease_store::{Acquired, Lease};

/// How often a job says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// How often one that waits for another of its kind looks whether that has ended.
const WAIT: Duration = Duration::from_millis(100);

/// What a person at a terminal decides about a plan that takes something away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Apply it all.
    All,
    /// Apply it, but let every retirement wait.
    KeepRows,
    /// Apply nothing.
    Nothing,
}

/// What a person at a terminal is asked about a plan.
pub struct Question<'q> {
    /// What it would do.
    pub items: &'q [Item],
    /// The same in a few lines.
    pub text: String,
    /// Why some of it would wait.
    pub held_because: Option<&'q str>,
}

/// Asks a person about a plan.
pub type Confirm = Arc<dyn Fn(&Question<'_>) -> Decision + Send + Sync>;

/// How a job was asked for.
#[derive(Clone, Default)]
pub struct Options {
    /// Plan only: nothing is changed here or at the vendor.
    pub dry_run: bool,
    /// Read everything from the start, whatever an interrupted run has left.
    pub full: bool,
    /// Approve what the retirement guard would hold.
    pub yes: bool,
    /// Change what differs at the vendor as well.
    pub force: bool,
    /// Read what changed since this time, instead of since the last run.
    pub since: Option<String>,
    /// Run what belongs to it afterwards, as a second step (contract §1.11).
    pub follow_up: bool,
    /// Who decides at a terminal; nobody elsewhere.
    pub ask: Option<Confirm>,
}

/// What a job's body gets.
#[derive(Clone)]
pub struct Job {
    /// Which.
    pub kind: JobKind,
    pub db: Db,
    /// What the operator decided.
    pub config: Arc<Config>,
    /// Proof that this job may write; every write of it proves the lease again.
    pub lease: Lease,
    /// How it was asked for.
    pub options: Options,
    /// Where to say how far we are.
    pub progress: Arc<Progress>,
}

impl Job {
    /// One short transaction of the job, in the bulk lane, that proves the lease first.
    ///
    /// # Errors
    /// `Conflict` when another process took the job over; those of `work`.
    pub async fn write<T: Send + 'static>(
        &self,
        actor: &Actor,
        work: impl FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let lease = self.lease.clone();
        let proven = move |w: &mut Write<'_>| {
            lease_store::check_lease(w, &lease)?;
            work(w)
        };
        self.db.write_bulk(&Scope::All, actor, proven).await
    }
}

/// How a job ended, when it ended by itself.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// What it did, for people; the job keeps the end of it.
    pub text: String,
    /// What went wrong without stopping it; such a job counts as failed.
    pub problem: Option<String>,
    /// The exit code of the command (design §7).
    pub exit_code: u8,
    /// The same as JSON.
    pub report: Value,
    /// For a dry run, what it would do; what a real run did is in its stored plan.
    pub items: Vec<Item>,
}

/// A job that was started, or that runs already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The job.
    pub job_id: String,
    /// Whether it ran before.
    pub already: bool,
}

/// Takes the right to run a kind of job, or names the job that has it.
pub async fn acquire(db: &Db, kind: JobKind, started_by: &str) -> Result<Acquired> {
    let by = started_by.to_owned();
    let take = move |w: &mut Write<'_>| {
        if kind.asks_vendors() {
            settings_store::refuse_demo(w)?;
        }
        lease_store::acquire(w, kind.as_str(), kind.system(), &by)
    };
    db.write(&Scope::All, &Actor::system("sync"), take).await
}

/// Does under the lease of a kind of job what was not started as one: what a person decides, a table that is imported. It
/// is a job in every other way: it lives and ends as all do. `work` gives what is kept as its output beside what it is for.
///
/// # Errors
/// `Conflict` in the words of `busy` when another job has the lease for longer than `patience`; those of `work`.
pub async fn under_lease<T, W>(
    db: &Db,
    (kind, by): (JobKind, &str),
    patience: Duration,
    busy: impl Fn(&str) -> String,
    progress: &Arc<Progress>,
    work: impl FnOnce(Lease) -> W,
) -> Result<T>
where
    W: Future<Output = Result<(String, T)>>,
{
    let since = Instant::now();
    let lease = loop {
        match acquire(db, kind, by).await? {
            Acquired::Ours(lease) => break lease,
            Acquired::Running(job) if since.elapsed() >= patience => return Err(Error::conflict(busy(&job))),
            Acquired::Running(_) => tokio::time::sleep(WAIT).await,
        }
    };
    let beating = tokio::spawn(heartbeat(db.clone(), lease.clone(), progress.clone()));
    let result = work(lease.clone()).await;
    beating.abort();
    let (output, error) = match &result {
        Ok((output, _)) => (output.clone(), None),
        Err(error) => (String::new(), Some(error.to_string())),
    };
    let finish = move |w: &mut Write<'_>| lease_store::finish(w, &lease, &output, error.as_deref());
    let finish = db.write(&Scope::All, &Actor::system("sync"), finish).await;
    let (_, done) = result?;
    finish.map(|()| done)
}

/// Starts a job in the background, or names the one of its kind that runs.
///
/// # Errors
/// `Unavailable` when its vendor is not configured.
pub async fn start(db: &Db, config: &Arc<Config>, kind: JobKind, options: Options, by: &str) -> Result<Started> {
    kind.configured(&*credentials::effective(db, config).await?)?;
    match acquire(db, kind, by).await? {
        Acquired::Running(job_id) => Ok(Started { job_id, already: true }),
        Acquired::Ours(lease) => {
            let job_id = lease.job_id.clone();
            tokio::spawn(drive(db.clone(), config.clone(), kind, lease, options, Arc::new(Progress::default())));
            Ok(Started { job_id, already: false })
        }
    }
}

/// Runs the job that the lease allows and writes down how it ended.
///
/// # Errors
/// Those of the job's body, or of the database.
pub async fn drive(
    db: Db,
    config: Arc<Config>,
    kind: JobKind,
    lease: Lease,
    options: Options,
    progress: Arc<Progress>,
) -> Result<Ended> {
    let began = Instant::now();
    run_log::started(kind, &lease, &options);
    let beating = tokio::spawn(heartbeat(db.clone(), lease.clone(), progress.clone()));
    // With what was entered in the page since the program started; should that fail, so will the job's body.
    let config = credentials::effective(&db, &config).await.unwrap_or(config);
    let job = Job { kind, db: db.clone(), config, lease: lease.clone(), options, progress: progress.clone() };
    progress.say(Level::Info, format!("{} started", kind.label()));
    let ended = tokio::spawn(whole(job)).await.unwrap_or_else(|cause| Err(Error::internal(format!("the job stopped: {cause}"))));
    beating.abort();
    let (output, error) = match &ended {
        Ok(ended) => (ended.text.clone(), ended.problem.clone()),
        Err(error) => (String::new(), Some(error.to_string())),
    };
    run_log::ended(kind, &lease, began.elapsed(), &ended);
    progress.end_phase();
    output.lines().for_each(|line| progress.say(Level::Info, line));
    if let Some(error) = &error {
        progress.say(Level::Error, error);
    }
    let lines = progress.take_lines();
    let finish = move |w: &mut Write<'_>| {
        log_store::append(w, &lease, &lines)?;
        log_store::prune(w)?;
        lease_store::finish(w, &lease, &output, error.as_deref())
    };
    let finish = db.write(&Scope::All, &Actor::system("sync"), finish).await;
    match (ended, finish) {
        (Ok(ended), Ok(())) => Ok(ended),
        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
    }
}

/// The job's own work, and then what was asked for to follow it, as a second step of the same job (contract §1.11). It
/// is left out when the first could not read everything, or was a dry run; how it failed is told beside what the first
/// one did.
async fn whole(job: Job) -> Result<Ended> {
    let mut ended = (job.kind.0.body)(job.clone()).await?;
    let wanted = job.options.follow_up && job.config.sync.follow_up && !job.options.dry_run && ended.exit_code != 6;
    let Some(follower) = job.kind.follower().filter(|_| wanted) else { return Ok(ended) };
    let second = (follower.0.body)(job).await;
    let (text, problem, code, report) = match second {
        Ok(second) => (second.text, second.problem, second.exit_code, second.report),
        Err(error) => (String::new(), Some(error.to_string()), 6, Value::Null),
    };
    let called = follower.0.follows.map_or(follower.label(), |(_, called)| called);
    ended.text = format!("{}\n{called}: {text}", ended.text);
    ended.problem = match (ended.problem, problem) {
        (Some(one), Some(two)) => Some(format!("{one}; {two}")),
        (one, two) => one.or(two),
    };
    ended.exit_code = if ended.exit_code == 0 { code } else { ended.exit_code };
    if let Some(body) = ended.report.as_object_mut() {
        body.insert("follow_up".to_owned(), report);
    }
    Ok(ended)
}

/// Says again and again that the job lives, until it is told to stop or another process took over.
async fn heartbeat(db: Db, lease: Lease, progress: Arc<Progress>) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let (lease, line, lines) = (lease.clone(), progress.now().line(), progress.take_lines());
        let beat = move |w: &mut Write<'_>| {
            lease_store::heartbeat(w, &lease, &line)?;
            log_store::append(w, &lease, &lines)
        };
        let beat = db.write(&Scope::All, &Actor::system("sync"), beat).await;
        if let Err(error) = beat {
            tracing::warn!(%error, "a heartbeat of the job failed");
            if matches!(error, Error::Conflict { .. }) {
                return;
            }
        }
    }
}

/// Marks the jobs of dead processes failed; called when the program starts.
pub async fn reap(db: &Db) -> Result<usize> {
    // Who looks at a job that runs writes nothing, and does not wait for those who do.
    if db.read(&Scope::All, lease_store::dead).await?.is_empty() {
        return Ok(0);
    }
    let reaped = db.write(&Scope::All, &Actor::system("sync"), |w| lease_store::reap(w)).await?;
    if reaped > 0 {
        tracing::error!(target: run_log::TARGET, reaped, "jobs of processes that ended without a word were marked failed");
    }
    Ok(reaped)
}
