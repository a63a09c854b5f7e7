//! `codex completions`: the shell's completion script.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Failure, failure};

/// Arguments of `codex completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: codex completions bash > /etc/bash_completion.d/codex")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "codex", &mut script);
    std::io::Write::write_all(&mut std::io::stdout().lock(), &script)?;
    Ok(failure::DONE)
}
