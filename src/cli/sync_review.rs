//! `codex sync review`: what no sync will guess, and what a person decides about it.

use clap::Subcommand;

use super::{Failure, failure, out};
use crate::{
    config::Config,
    db::Db,
    error::Error,
    sync::review::{Entry, decide, review_store},
    types::{Actor, Scope},
};

/// Arguments of `codex sync review`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  codex sync review list\n  codex sync review link 3 204729\n  codex sync review ignore 4")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// What waits for a decision
    List {
        /// What was decided, too
        #[arg(long)]
        all: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what it is: for a site a company (account number or id), for a device an asset (id)
    Link {
        /// The entry's number
        id: i64,
        /// Account number or id
        target: String,
    },
    /// Leave it as it is, and ask no more
    Ignore {
        /// The entry's number
        id: i64,
    },
}

/// Runs the verb.
pub async fn run(db: &Db, config: &Config, args: &Args) -> Result<u8, Failure> {
    let actor = Actor::cli("sync review");
    match &args.verb {
        Verb::List { all, json } => {
            let state = (!all).then_some("open");
            let entries = db.read(&Scope::All, move |c| review_store::list(c, state, i64::MAX)).await?;
            list(&entries, *json)?;
        }
        Verb::Link { id, target } => say(&decide::link(db, config, *id, target, &actor).await.map_err(refused)?)?,
        Verb::Ignore { id } => say(&decide::ignore(db, *id, &actor).await.map_err(refused)?)?,
    }
    Ok(failure::DONE)
}

/// A wrong number or target is the caller's mistake.
fn refused(error: Error) -> Failure {
    match error {
        error @ (Error::NotFound { .. } | Error::Invalid(_) | Error::Conflict { .. }) => Failure::usage(error.to_string()),
        other => other.into(),
    }
}

fn say(entry: &Entry) -> Result<(), Failure> {
    let decision = entry.decision.as_deref().unwrap_or_default();
    Ok(out::line(format_args!("{} {}: {decision}", entry.kind, entry.label))?)
}

fn list(entries: &[Entry], json: bool) -> Result<(), Failure> {
    if json {
        return out::json(&entries);
    }
    if entries.is_empty() {
        return Ok(out::line("nothing waits for a decision")?);
    }
    let row = |entry: &Entry| {
        let candidate = |one: &crate::sync::review::Candidate| {
            let key = one.account_number.clone().unwrap_or_else(|| one.id.to_string());
            format!("{} ({key}, {})", one.name, one.why)
        };
        let candidates: Vec<String> = entry.candidates.iter().map(candidate).collect();
        vec![
            entry.id.to_string(),
            entry.state.clone(),
            entry.system.clone(),
            entry.kind.clone(),
            entry.label.clone(),
            entry.reason.clone(),
            candidates.join("; "),
        ]
    };
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    Ok(out::table(&["id", "state", "from", "what", "name", "why", "candidates"], &rows)?)
}
