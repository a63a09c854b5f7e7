//! `codex migrate`: the database's schema, without starting the server.

use serde_json::json;

use super::{Context, Failure, context, failure, out};
use crate::{
    db::{self, migrate},
    error::Error,
};

/// Arguments of `codex migrate`.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "The server migrates by itself when it starts; this is for those who want to see it happen.")]
pub struct Args {
    /// Only tell where the schema stands; exit 3 when steps are missing
    #[arg(long)]
    status: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Migrates, or tells what migrating would do.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = context.start(true)?;
    let target = context::target(&config)?;
    if args.status {
        return status(&target, args.json);
    }
    context::make_instance(&config)?;
    let report = db::bring_up(&target, &context::prepare(&config)).map_err(Failure::opening)?;
    // Some steps leave keys to be made by the program.
    drop(context::open(&config)?);
    if args.json {
        out::json(&json!({ "from": report.from, "to": report.to, "kept_copy": report.kept_copy }))?;
    } else if report.from == report.to {
        out::line(format_args!("{target}: schema version {}, nothing to do", report.to))?;
    } else {
        out::line(format_args!("{target}: schema version {} -> {}", report.from, report.to))?;
        if let Some(copy) = report.kept_copy {
            out::note(format_args!("A copy of the database as it was is kept at {}", copy.display()));
        }
    }
    Ok(failure::DONE)
}

fn status(target: &crate::db::Target, as_json: bool) -> Result<u8, Failure> {
    let version = migrate::version(target).map_err(Failure::opening)?;
    let steps = migrate::steps().map_err(Failure::opening)?;
    let newest = steps.last().map_or(0, |(number, _)| *number);
    if version > newest {
        let message = format!("the database has schema version {version}, this Codex knows {newest}: use a newer Codex");
        return Err(Failure::opening(Error::conflict(message)));
    }
    if as_json {
        let steps: Vec<_> = steps.iter().map(|(number, name)| json!({ "name": name, "applied": *number <= version })).collect();
        out::json(&json!({ "version": version, "newest": newest, "steps": steps }))?;
    } else {
        for (number, name) in &steps {
            out::line(format_args!("{}  {name}", if *number <= version { "applied" } else { "missing" }))?;
        }
    }
    Ok(if version < newest { failure::FINDINGS } else { failure::DONE })
}
