//! The demo data of `codex serve --demo`: put in, and taken out again by `codex demo remove`.

use super::{Context, Failure, context, failure, out, sync_progress};
use crate::{
    db::Db,
    demo::{self, Outcome},
};

/// Arguments of `codex demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Empty a database that was filled by serve --demo: all companies, contacts, assets and tickets in it,
    /// also those that were added by hand, and their history. Users, their passwords and settings stay
    #[command(after_help = "Example:\n  codex --instance demo-instance demo remove --yes")]
    Remove {
        /// Do not ask at the terminal
        #[arg(long)]
        yes: bool,
    },
}

/// Does what was asked for.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let Verb::Remove { yes } = &args.verb;
    let config = context.start(true)?;
    let db = context::open_existing(&config)?;
    if !context::block_on(demo::is_there(&db))?? {
        return Err(Failure::usage(format!("{} holds no demo data; nothing was removed", config.database.describe())));
    }
    let question = "Remove all companies, contacts, assets and tickets, also those added by hand? [y/N] ";
    let sure = *yes || (out::can_ask() && matches!(sync_progress::ask(question).as_deref(), Some("y" | "yes")));
    if !sure {
        return Err(Failure::usage("nothing was removed; to go ahead: codex demo remove --yes"));
    }
    let rows = context::block_on(demo::remove(&db))??;
    out::note(format_args!("The demo data is gone ({rows} rows); users and settings have stayed."));
    Ok(failure::DONE)
}

/// Fills an empty database and says what came of it; another database is served as it is.
pub async fn fill(db: &Db) -> Result<(), Failure> {
    match demo::fill(db).await.map_err(Failure::opening)? {
        Outcome::Filled { companies, contacts, assets } => {
            out::note(format_args!("Demo data: {companies} companies, {contacts} contacts, {assets} assets, all made up."));
        }
        Outcome::There => out::note("The demo data is there from an earlier start."),
        Outcome::NotEmpty => {
            out::note(
                "warning: the database already holds data, so no demo data was added; choose another folder with --instance",
            );
        }
    }
    Ok(())
}
