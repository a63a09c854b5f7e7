//! `codex accounts`: account numbers at the vendors, and what waits to be written there.

use std::sync::Arc;

use clap::Subcommand;
use serde_json::json;

use super::{Context, Failure, context, failure, out, sync_progress, sync_show};
use crate::{
    accounts::{assign, push_datto, push_freshservice},
    config::{Config, Database},
    db::Db,
    history::Unredacted,
    jobs::{self, Confirm, Decision, Options, Question, kind::JobKind, lease_store::Acquired},
    outbox::{self, Entry, State, store},
    types::{Actor, Scope},
    vendors::credentials,
};

/// Arguments of `codex accounts`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  codex accounts assign --dry-run\n  codex accounts assign\n  codex accounts push-datto\n  codex accounts outbox\n  codex accounts approve 12"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Give every company that lacks one a free six-digit number, and write it to Freshservice
    Assign(How),
    /// Write missing account numbers to the sites of Datto RMM; list those that differ
    PushDatto(How),
    /// Repair account numbers at Freshservice that differ from ours
    PushFreshservice(How),
    /// List what waits to be written to the vendors, or for a decision
    Outbox {
        /// What is over, too
        #[arg(long)]
        all: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write everything that is due now
    Deliver {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Overwrite what the vendor has instead
    Approve {
        /// The entry's number in the outbox
        id: i64,
    },
    /// Send an entry again that failed
    Retry {
        /// The entry's number in the outbox
        id: i64,
    },
    /// Decide against an entry; the vendor keeps what it has
    Discard {
        /// The entry's number in the outbox
        id: i64,
    },
}

#[derive(Debug, clap::Args)]
struct How {
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Overwrite what differs at the vendor as well
    #[arg(long)]
    force: bool,
    /// Do not ask at the terminal
    #[arg(long)]
    yes: bool,
    /// Everything as JSON
    #[arg(long)]
    json: bool,
}

/// Who a command is, in jobs and decisions.
const BY: &str = "command line";

/// Runs the verb.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = Arc::new(context.start(true)?);
    let kind = match &args.verb {
        Verb::Assign(_) => Some(assign::JOB),
        Verb::PushDatto(_) => Some(push_datto::JOB),
        Verb::PushFreshservice(_) => Some(push_freshservice::JOB),
        Verb::Deliver { .. } | Verb::Approve { .. } | Verb::Retry { .. } => Some(outbox::JOB),
        Verb::Outbox { .. } | Verb::Discard { .. } => None,
    };
    let configured = |config: &Config| match kind {
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
        match (&args.verb, kind) {
            (Verb::Assign(how) | Verb::PushDatto(how) | Verb::PushFreshservice(how), Some(kind)) => {
                job(&db, config, kind, how).await
            }
            (Verb::Approve { id }, _) => again(&db, config, *id, true).await,
            (Verb::Retry { id }, _) => again(&db, config, *id, false).await,
            (Verb::Discard { id }, _) => {
                let id = *id;
                db.write(&Scope::All, &Actor::cli("accounts"), move |w| store::discard(w, id)).await?;
                out::line(format_args!("entry {id} discarded"))?;
                Ok(failure::DONE)
            }
            (Verb::Deliver { json }, _) => job(&db, config, outbox::JOB, &quietly(*json)).await,
            (Verb::Outbox { all, json }, _) => list(&db, *all, *json).await,
            (_, None) => Err(Failure::usage("this needs a vendor")),
        }
    })?
}

fn quietly(json: bool) -> How {
    How { dry_run: false, force: false, yes: true, json }
}

/// Runs a job here and now, with its progress on stderr.
async fn job(db: &Db, config: Arc<Config>, kind: JobKind, how: &How) -> Result<u8, Failure> {
    let lease = match jobs::acquire(db, kind, BY).await.map_err(Failure::refused)? {
        Acquired::Ours(lease) => lease,
        Acquired::Running(job) => {
            return Err(Failure::new(failure::BUSY, format!("{} is already running (job {job})", kind.label())));
        }
    };
    let progress = sync_progress::new();
    let ask = (out::can_ask() && !how.dry_run && !how.yes).then(|| asker(progress.clone()));
    let options = Options { dry_run: how.dry_run, yes: how.yes, force: how.force, ask, ..Options::default() };
    let ended = jobs::drive(db.clone(), config, kind, lease, options, progress.progress.clone()).await;
    progress.clear();
    let ended = ended?;
    if how.json {
        let mut body = ended.report;
        body["exit_code"] = json!(ended.exit_code);
        body["items"] = serde_json::to_value(&ended.items)?;
        out::json(&body)?;
    } else {
        if how.dry_run {
            sync_show::items(&ended.items)?;
        }
        out::line(&ended.text)?;
    }
    Ok(ended.exit_code)
}

/// Shows the person what would be written, and asks.
fn asker(progress: Arc<sync_progress::Shown>) -> Confirm {
    Arc::new(move |question: &Question<'_>| {
        progress.clear();
        if sync_show::items_to_stderr(question.items).is_err() {
            return Decision::Nothing;
        }
        match sync_progress::ask("Write this [y], or nothing [n]? ").as_deref() {
            Some("y" | "yes" | "a" | "all") => Decision::All,
            _ => Decision::Nothing,
        }
    })
}

/// Sends an entry (again), and says what became of it.
async fn again(db: &Db, config: Arc<Config>, id: i64, overwrite: bool) -> Result<u8, Failure> {
    db.write(&Scope::All, &Actor::cli("accounts"), move |w| store::retry(w, id, overwrite)).await?;
    let code = job(db, config, outbox::JOB, &quietly(false)).await?;
    let entry = db.read(&Scope::All, move |c| store::get(c, id)).await?.reveal();
    out::line(line(&entry))?;
    Ok(match entry.state {
        State::Done => failure::DONE,
        State::Conflict => failure::APPROVAL,
        _ => code.max(failure::UPSTREAM),
    })
}

async fn list(db: &Db, all: bool, as_json: bool) -> Result<u8, Failure> {
    let entries = db.read(&Scope::All, |c| store::list(c, None, 1_000)).await?;
    let entries: Vec<Entry> = entries.into_iter().map(Unredacted::reveal).filter(|entry| all || !entry.state.is_over()).collect();
    if as_json {
        out::json(&entries)?;
        return Ok(failure::DONE);
    }
    let value = |entry: &Entry| {
        let said = |(field, value): (&String, &serde_json::Value)| {
            format!("{field} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        entry.wanted.iter().map(said).collect::<Vec<_>>().join(", ")
    };
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            vec![
                entry.id.to_string(),
                entry.state.as_str().to_owned(),
                entry.system.clone(),
                entry.label.clone(),
                value(entry),
                entry.created_at.clone(),
                entry.error.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let nothing = if all { "The outbox is empty." } else { "Nothing waits to be written (--all shows what is done)." };
    out::table(&["entry", "state", "vendor", "what", "wanted", "since", "because"], &rows, nothing)?;
    Ok(failure::DONE)
}

fn line(entry: &Entry) -> String {
    let why = entry.error.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("entry {} ({}) is {}{why}", entry.id, entry.label, entry.state.as_str())
}
