//! `codex retention`: removes what is kept no longer, for those whose jobs cron runs.

use std::sync::Arc;

use super::{
    Context, Failure, context,
    sync::{Pull, run_job},
};
use crate::records::retention::JOB;

/// Arguments of `codex retention`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What is kept for how long is said in section [retention] of codex.conf; history is kept for ever unless it is."
)]
pub struct Args {
    /// What was removed, as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = Arc::new(context.start(true)?);
    context::block_on(async { run_job(context::open(&config)?, config, JOB, &Pull::plain(args.json), None).await })?
}
