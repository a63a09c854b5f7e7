//! `codex config show`: every setting, its value, where it came from.

use super::{Context, Failure, context, failure, out};

/// Arguments of `codex config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Print every setting with its value and its origin; secrets as ***
    Show {
        /// As JSON, with the environment variable and a sentence on each
        #[arg(long)]
        json: bool,
    },
}

/// Prints the settings.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let Verb::Show { json } = &args.verb;
    let (config, wrong) = context::effective(&context.start(true)?)?;
    if let Some(why) = wrong {
        out::note(format_args!("warning: {why}"));
    }
    if *json {
        out::json(&config.shown())?;
        return Ok(failure::DONE);
    }
    let rows: Vec<Vec<String>> = config.shown().iter().map(|s| vec![s.key.clone(), s.value.clone(), s.origin.clone()]).collect();
    out::table(&["SETTING", "VALUE", "FROM"], &rows, "No settings.")?;
    Ok(failure::DONE)
}
