//! `codex sync review`: what no sync will guess, and what a person decides about it.

use clap::Subcommand;

use super::{Failure, failure, out, sync_progress};
use crate::{
    config::Config,
    db::{Conn, Db},
    error::Error,
    reconcile::review::{
        Entry,
        decide::{self, Wish},
        exact::{self, Accepted},
        review_store,
    },
    types::{Actor, Scope},
    web::Reference,
};

/// Arguments of `codex sync review`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  codex sync review list\n  codex sync review link 3 204729\n  codex sync review accept-exact --dry-run\n  codex sync review create-company 5\n  codex sync review ignore 4"
)]
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
    /// Link every site whose name is exactly a company's
    AcceptExact {
        /// Show them, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a company of a site, and link the site to it
    CreateCompany {
        /// The entry's number
        id: i64,
        /// Another name than the site's
        #[arg(long)]
        name: Option<String>,
        /// Its account number; by default the one that the site carries, else a free one
        #[arg(long)]
        number: Option<String>,
        /// Although a company of that name exists
        #[arg(long)]
        force: bool,
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
            let read = move |c: &mut Conn| {
                let (names, mut entries) = (exact::names(c)?, review_store::list(c, state, i64::MAX)?);
                entries.iter_mut().filter(|entry| entry.state == "open").for_each(|entry| exact::offer(&names, entry));
                Ok(entries)
            };
            list(&db.read(&Scope::All, read).await?, *json)?;
        }
        Verb::AcceptExact { dry_run, yes, json } => return accept_exact(db, config, &actor, *dry_run, *yes, *json).await,
        Verb::CreateCompany { id, name, number, force } => {
            let wish = Wish { name: name.clone(), number: number.clone(), force: *force };
            say(&decide::create_company(db, config, *id, wish, &actor).await.map_err(refused)?)?;
        }
        Verb::Link { id, target } => {
            let target = Reference::Key(target.trim().to_owned());
            say(&decide::link(db, config, *id, target, &actor).await.map_err(refused)?)?;
        }
        Verb::Ignore { id } => say(&decide::ignore(db, *id, &actor).await.map_err(refused)?)?,
    }
    Ok(failure::DONE)
}

/// Shows the sites, asks, and links them.
async fn accept_exact(db: &Db, config: &Config, actor: &Actor, dry_run: bool, yes: bool, json: bool) -> Result<u8, Failure> {
    let plan = exact::accept(db, config, None, true, actor).await?;
    if dry_run || plan.linked.is_empty() {
        shown(&plan, json)?;
        return Ok(failure::DONE);
    }
    if !yes {
        if !out::can_ask() {
            return Err(Failure::usage(format!(
                "{} sites would be linked; say --yes, or --dry-run to see them",
                plan.linked.len()
            )));
        }
        shown(&plan, false)?;
        let answer = sync_progress::ask(&format!("Link these {} sites [y/N]? ", plan.linked.len()));
        if !matches!(answer.as_deref(), Some("y" | "yes")) {
            out::line("nothing was linked")?;
            return Ok(failure::DONE);
        }
    }
    let ids = plan.linked.iter().map(|one| one.id).collect();
    let done = exact::accept(db, config, Some(ids), false, actor).await.map_err(refused)?;
    shown(&done, json)?;
    Ok(if done.refused.is_empty() { failure::DONE } else { failure::FAILED })
}

fn shown(accepted: &Accepted, json: bool) -> Result<(), Failure> {
    if json {
        return out::json(accepted);
    }
    let rows: Vec<Vec<String>> = accepted
        .linked
        .iter()
        .map(|one| {
            vec![
                one.id.to_string(),
                one.site.clone(),
                one.company.clone(),
                one.company_account_number.clone(),
                one.devices.to_string(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        out::table(&["id", "site", "company", "number", "devices"], &rows, "No site has exactly a company's name.")?;
    }
    for refused in &accepted.refused {
        out::line(format_args!("{}: not linked: {}", refused.site, refused.error))?;
    }
    let verb = if accepted.dry_run { "would be linked" } else { "linked" };
    Ok(out::line(format_args!("{} sites {verb}, {} still wait", accepted.linked.len(), accepted.left))?)
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
    let row = |entry: &Entry| {
        let candidate = |one: &crate::reconcile::review::Candidate| {
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
    Ok(out::table(&["id", "state", "from", "what", "name", "why", "candidates"], &rows, "Nothing to review.")?)
}
