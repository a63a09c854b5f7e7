//! `codex man`: the manual page.

use clap::CommandFactory as _;

use super::{Cli, Failure, failure};

/// Arguments of `codex man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: codex man > codex.1 && man ./codex.1\n         codex man users add | man -l -")]
pub struct Args {
    /// The command to describe; none means the whole program
    #[arg(value_name = "COMMAND")]
    path: Vec<String>,
}

/// Prints the page in roff.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let mut command = Cli::command();
    command.build();
    for name in &args.path {
        let found = command.find_subcommand(name).cloned();
        command = found.ok_or_else(|| Failure::usage(format!("there is no command {name:?}")))?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    std::io::Write::write_all(&mut std::io::stdout().lock(), &page)?;
    Ok(failure::DONE)
}
