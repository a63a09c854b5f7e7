//! `codex forget`: erases a person on request.

use super::{Context, Failure, context, failure, out, sync_progress};
use crate::{records::forget, types::Actor};

/// Arguments of `codex forget`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  codex forget contact jane@acme.example\n  codex forget contact 17 --dry-run\n  codex forget contact 17 --yes"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Forget a contact: their data goes for good, the record stays as a forgotten person
    Contact {
        /// Its id, or its e-mail address
        who: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Only tell what would go
        #[arg(long)]
        dry_run: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Does what was asked for.
pub fn run(context: &Context, args: Args) -> Result<u8, Failure> {
    let Verb::Contact { who, yes, dry_run, json } = args.verb;
    let config = context.start(true)?;
    let db = context::open_existing(&config)?;
    let actor = Actor::cli("forget contact");
    let (id, name) = context::block_on(forget::meant(&db, &who))??;
    let known = context::block_on(forget::forget(&db, &config, &actor, id, true))??;
    let texts: usize = known.texts.values().sum();
    if dry_run {
        if json {
            out::json(&known)?;
        }
        out::note(format_args!("Contact {id}, {name}, is named in {texts} texts elsewhere. Nothing was changed."));
        return Ok(failure::DONE);
    }
    let question = format!("Forget contact {id}, {name}, named in {texts} texts elsewhere? This cannot be undone. [y/N] ");
    let sure = yes || (out::can_ask() && matches!(sync_progress::ask(&question).as_deref(), Some("y" | "yes")));
    if !sure {
        return Err(Failure::usage("nobody was forgotten; to go ahead, repeat this with --yes"));
    }
    let done = context::block_on(forget::forget(&db, &config, &actor, id, false))??;
    if json {
        out::json(&done)?;
    }
    out::note(format_args!("Contact {id} is {} from now on.", done.name));
    if let Some(residue) = &done.residue {
        out::note(format_args!("{residue}."));
    }
    Ok(failure::DONE)
}
