//! `codex sync all`: everything that is configured, one after the other, fit for cron.

use std::sync::Arc;

use super::{
    Failure, failure, out,
    sync::{Pull, run_job},
};
use crate::{config::Config, db::Db, jobs::kind::JobKind, types::Scope, web::settings_store};

/// Runs them all; one that fails does not keep the rest from running. The exit code is that of the first
/// that was not well.
pub async fn run(db: &Db, config: &Arc<Config>, args: &Pull) -> Result<u8, Failure> {
    let kinds = JobKind::all().iter().copied().filter(|kind| kind.0.in_all.is_some() && kind.configured(config).is_ok());
    // A dry run of what only sends would have nothing to show.
    let mut kinds: Vec<JobKind> = kinds.filter(|kind| kind.plans() || !args.dry_run).collect();
    // Who we know, the numbers that sites are recognised by, what they have, what they ask for.
    kinds.sort_by_key(|kind| kind.0.in_all);
    if kinds.is_empty() {
        return Err(Failure::usage("no vendor is configured: codex init, or see the table of settings in the README"));
    }
    // Said once, not for each of them.
    db.read(&Scope::All, settings_store::refuse_demo).await.map_err(Failure::refused)?;
    let mut code = failure::DONE;
    for kind in kinds {
        out::note(format_args!("{}:", kind.label()));
        let ended = match run_job(db.clone(), config.clone(), kind, args, None).await {
            Ok(ended) => ended,
            Err(failure) => {
                failure.report();
                failure.code()
            }
        };
        if code == failure::DONE {
            code = ended;
        }
    }
    Ok(code)
}
