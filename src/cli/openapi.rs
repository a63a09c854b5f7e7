//! `codex openapi`: the description of the API, for generators of clients.

use super::{Failure, failure, out};
use crate::web::openapi::table;

/// Arguments of `codex openapi`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As tables in Markdown: method, path and purpose
    #[arg(long)]
    table: bool,
}

/// Prints the description as JSON.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let document = crate::app::description();
    if args.table {
        out::line(table::markdown(document).trim_end())?;
    } else {
        out::json(document)?;
    }
    Ok(failure::DONE)
}
