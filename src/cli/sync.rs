//! `codex sync`: bringing vendors' data in, and deciding about plans that wait.

use std::sync::Arc;

use clap::Subcommand;
use serde_json::json;

use super::{Context, Failure, context, failure, out, sync_all, sync_progress, sync_review, sync_show};
use crate::{
    config::{Config, Database},
    db::Db,
    error::Error,
    history::Unredacted,
    jobs::{self, Confirm, Decision, Options, Question, kind::JobKind, lease_store::Acquired},
    plan::Item,
    pulls,
    reconcile::{decisions, plans_store},
    types::Scope,
    vendors::credentials,
};

/// Arguments of `codex sync`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  codex sync freshservice --dry-run\n  codex sync freshservice\n  codex sync all\n  codex sync plans\n  codex sync approve 12"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Departments, requesters and agents of Freshservice
    Freshservice(Pull),
    /// Sites, devices and alerts of Datto RMM
    Datto(Pull),
    /// Hardware, software, network adapters and disks of Datto's devices, where their audit has moved
    DattoAudits(Pull),
    /// What no sync will guess: list it, and decide
    Review(sync_review::Args),
    /// Everything that is configured, one after the other: Freshservice, account numbers to Datto, Datto, tickets
    All(Pull),
    /// Tickets, conversations, time sheets and change requests of Freshservice
    Tickets(Tickets),
    /// List the newest plans
    Plans {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a plan, field by field
    Show {
        /// The plan's number
        id: i64,
        /// As JSON, with every item
        #[arg(long)]
        json: bool,
    },
    /// Apply what a plan holds back, or a part of it
    Approve {
        /// The plan's number
        id: i64,
        /// Only these items (`codex sync show` has their numbers); the others go on waiting
        #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
        items: Option<Vec<i64>>,
    },
    /// Decide against a plan; the rows stay
    Discard {
        /// The plan's number
        id: i64,
    },
}

#[derive(Debug, clap::Args)]
struct Tickets {
    #[command(flatten)]
    pull: Pull,
    /// Read what changed at or after this time, such as 2026-11-01T00:00:00Z, instead of since the last run
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<String>,
}

/// A time in the one form that Codex knows.
fn since(text: &str) -> Result<String, String> {
    crate::tickets::utc(text).ok_or_else(|| "must be a time such as 2026-11-01T00:00:00Z".to_owned())
}

#[derive(Debug, clap::Args)]
pub(super) struct Pull {
    /// Show what would change, field by field, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Read everything from the first page, also what an interrupted run has already read
    #[arg(long)]
    full: bool,
    /// Approve the retirements that this run's plan would hold back
    #[arg(long)]
    yes: bool,
    /// Everything as JSON, with every item of the plan
    #[arg(long)]
    json: bool,
}

impl Pull {
    /// Of a job that has nothing to be asked for.
    pub(super) const fn plain(json: bool) -> Self {
        Self { dry_run: false, full: false, yes: false, json }
    }
}

impl Verb {
    /// The job that it runs, if it runs one.
    fn job(&self) -> Option<JobKind> {
        match self {
            Self::Freshservice(_) => Some(pulls::freshservice::JOB),
            Self::Datto(_) => Some(pulls::datto::JOB),
            Self::Tickets(_) => Some(pulls::freshservice::tickets::JOB),
            Self::DattoAudits(_) => Some(pulls::datto::audits::JOB),
            Self::All(_)
            | Self::Review(_)
            | Self::Plans { .. }
            | Self::Show { .. }
            | Self::Approve { .. }
            | Self::Discard { .. } => None,
        }
    }
}

/// Who a command is, in jobs and decisions.
const BY: &str = "command line";

/// Runs the verb.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = Arc::new(context.start(true)?);
    let configured = |config: &Config| match args.verb.job() {
        Some(kind) => kind.configured(config).map_err(|error| Failure::usage(error.to_string())),
        None => Ok(()),
    };
    // Credentials may also be in the database; one that is not there yet is not made for this question.
    if matches!(&config.database, Database::Sqlite(path) if !path.exists()) {
        configured(&config)?;
    }
    context::block_on(async {
        let db = context::open(&config)?;
        let config = credentials::effective(&db, &config).await?;
        configured(&config)?;
        match &args.verb {
            Verb::Freshservice(args) => run_job(db, config, pulls::freshservice::JOB, args, None).await,
            Verb::Datto(args) => run_job(db, config, pulls::datto::JOB, args, None).await,
            Verb::DattoAudits(args) => run_job(db, config, pulls::datto::audits::JOB, args, None).await,
            Verb::Review(args) => sync_review::run(&db, &config, args).await,
            Verb::All(args) => sync_all::run(&db, &config, args).await,
            Verb::Tickets(args) => run_job(db, config, pulls::freshservice::tickets::JOB, &args.pull, args.since.clone()).await,
            Verb::Plans { json } => plans(&db, *json).await,
            Verb::Show { id, json } => show(&db, *id, *json).await,
            Verb::Approve { id, items } => approve(&db, *id, items.clone()).await,
            Verb::Discard { id } => {
                decisions::discard(&db, *id, BY).await.map_err(decision)?;
                out::line(format_args!("plan {id} discarded"))?;
                Ok(failure::DONE)
            }
        }
    })?
}

/// Runs a pull here and now, with its progress on stderr.
pub(super) async fn run_job(
    db: Db,
    config: Arc<Config>,
    kind: JobKind,
    args: &Pull,
    since: Option<String>,
) -> Result<u8, Failure> {
    let lease = match jobs::acquire(&db, kind, BY).await.map_err(Failure::refused)? {
        Acquired::Ours(lease) => lease,
        Acquired::Running(job) => {
            return Err(Failure::new(failure::BUSY, format!("a {} is already running (job {job})", kind.label())));
        }
    };
    let progress = sync_progress::new();
    let ask = (out::can_ask() && !args.dry_run && !args.yes).then(|| asker(progress.clone()));
    let options = Options { dry_run: args.dry_run, full: args.full, yes: args.yes, since, ask, ..Options::default() };
    let ended = jobs::drive(db.clone(), config, kind, lease, options, progress.progress.clone()).await;
    progress.clear();
    let ended = ended?;
    if args.json {
        let mut items = ended.items;
        if let (Some(plan), false) = (ended.report["plan_id"].as_i64(), args.dry_run) {
            items = revealed(db.read(&Scope::All, move |c| plans_store::items(c, plan, 0, i64::MAX)).await?);
        }
        let mut body = ended.report;
        body["exit_code"] = json!(ended.exit_code);
        body["items"] = serde_json::to_value(&items)?;
        out::json(&body)?;
    } else {
        if args.dry_run {
            sync_show::items(&ended.items)?;
        }
        out::line(&ended.text)?;
    }
    Ok(ended.exit_code)
}

/// Shows the person what would be retired, and asks.
fn asker(progress: Arc<sync_progress::Shown>) -> Confirm {
    Arc::new(move |question: &Question<'_>| {
        progress.clear();
        if sync_show::items_to_stderr(question.items).is_err() {
            return Decision::KeepRows;
        }
        question.text.lines().filter(|line| !line.contains("applied")).for_each(out::note);
        if let Some(why) = question.held_because {
            out::note(format_args!("This is more than a sync retires by itself: {why}"));
        }
        match sync_progress::ask("Apply all of it [a], everything but the retirements [k], or nothing [n]? ").as_deref() {
            Some("a" | "all" | "y" | "yes") => Decision::All,
            Some("k" | "keep") => Decision::KeepRows,
            _ => Decision::Nothing,
        }
    })
}

async fn plans(db: &Db, as_json: bool) -> Result<u8, Failure> {
    let plans = db.read(&Scope::All, |c| plans_store::list(c, 50)).await?;
    if as_json {
        out::json(&plans)?;
        return Ok(failure::DONE);
    }
    let rows: Vec<Vec<String>> = plans
        .iter()
        .map(|plan| {
            let count = |key: &str| plan.summary[key].as_u64().unwrap_or(0).to_string();
            let why = plan.held_because.clone().unwrap_or_default();
            vec![
                plan.id.to_string(),
                plan.source.clone(),
                plan.created_at.clone(),
                plan.status.clone(),
                count("changes"),
                count("held"),
                why,
            ]
        })
        .collect();
    out::table(
        &["plan", "source", "made", "status", "changes", "held", "because"],
        &rows,
        "No plans yet: every sync makes one (codex sync freshservice).",
    )?;
    Ok(failure::DONE)
}

async fn show(db: &Db, id: i64, as_json: bool) -> Result<u8, Failure> {
    let (plan, items) =
        db.read(&Scope::All, move |c| Ok((plans_store::get(c, id)?, revealed(plans_store::items(c, id, 0, i64::MAX)?)))).await?;
    if as_json {
        let mut body = serde_json::to_value(&plan)?;
        body["items"] = serde_json::to_value(&items)?;
        out::json(&body)?;
        return Ok(failure::DONE);
    }
    out::line(format_args!("plan {} of {} from {}: {}", plan.id, plan.source, plan.created_at, plan.status))?;
    if let Some(why) = &plan.held_because {
        out::line(format_args!("held because {why}"))?;
    }
    sync_show::items(&items)?;
    Ok(failure::DONE)
}

async fn approve(db: &Db, id: i64, only: Option<Vec<i64>>) -> Result<u8, Failure> {
    let progress = sync_progress::new();
    let applied = decisions::approve(db, id, only, BY, progress.progress.clone()).await;
    progress.clear();
    let applied = applied.map_err(decision)?;
    out::line(format_args!("plan {id}: {} applied", applied.done))?;
    if applied.stale == 0 {
        return Ok(failure::DONE);
    }
    out::note(format_args!("{} rows had changed since the plan was made and were left alone; sync again", applied.stale));
    Ok(failure::APPROVAL)
}

/// A plan that cannot be decided about any more is stale.
fn decision(error: Error) -> Failure {
    match error {
        Error::Conflict { message, .. } if message.starts_with("a sync is running") => Failure::new(failure::BUSY, message),
        Error::Conflict { message, .. } => Failure::new(failure::APPROVAL, message),
        other => other.into(),
    }
}

/// What the command line shows: its user reads the database anyway.
fn revealed(items: Vec<Unredacted<Item>>) -> Vec<Item> {
    items.into_iter().map(Unredacted::reveal).collect()
}
