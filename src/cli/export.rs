//! `codex export`: everything that is no secret, as CSV and JSON in a folder.

use std::{path::PathBuf, sync::Arc};

use super::{Context, Failure, context, failure, out, sync_progress};
use crate::{
    db::Conn,
    records::export,
    types::{Scope, now},
};

/// Arguments of `codex export`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "All of it is of one moment, also while the server runs. records/ has what lists have (companies.csv is what\n\
                        codex import csv takes), tables/ what is behind them, history too. Passwords, keys and other secrets stay out;\n\
                        the files hold personal data in full, and only their owner can read them. manifest.json is written last;\n\
                        sha256sum --check SHA256SUMS in the folder says whether the files are whole.\n\n\
                        Examples:\n  codex export\n  codex export --to /mnt/export/$(date +%F)"
)]
pub struct Args {
    /// A new or empty folder [default: exports/codex-<time> in the instance folder]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// The manifest, as JSON
    #[arg(long)]
    json: bool,
}

/// Writes the files and says where they are.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = Arc::new(context.start(true)?);
    let db = context::open_existing(&config)?;
    let stamp: String = now().chars().filter(char::is_ascii_alphanumeric).collect();
    let folder = args.to.clone().unwrap_or_else(|| config.instance.join("exports").join(format!("codex-{stamp}")));
    let shown = sync_progress::new();
    let (progress, place, settings) = (shown.progress.clone(), folder.clone(), config.clone());
    let work = move |c: &mut Conn| export::run(c, &place, &settings, &progress);
    let manifest = context::block_on(db.read(&Scope::All, work))?;
    shown.clear();
    let manifest = manifest?;
    if args.json {
        out::json(&manifest)?;
    } else {
        out::line(folder.display())?;
        let (records, rows) = manifest.rows();
        out::note(format_args!("{records} records and {rows} rows of tables, as of change {}.", manifest.head));
    }
    Ok(failure::DONE)
}
