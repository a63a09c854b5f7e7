//! `codex man`: the manual pages.

use std::path::PathBuf;

use clap::CommandFactory as _;

use super::{Cli, Failure, failure};

/// Arguments of `codex man`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: codex man > codex.1 && man ./codex.1\n         codex man users add | man -l -\n         codex man --out /usr/local/share/man/man1"
)]
pub struct Args {
    /// The command to describe; none means the whole program
    #[arg(value_name = "COMMAND")]
    path: Vec<String>,
    /// Write the pages of all commands into this folder, which is made if there is none
    #[arg(long, value_name = "DIR", conflicts_with = "path")]
    out: Option<PathBuf>,
}

/// Prints a page in roff, or writes all of them.
pub fn run(args: &Args) -> Result<u8, Failure> {
    if let Some(folder) = &args.out {
        let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
        written.map_err(|error| Failure::new(failure::FAILED, format!("{}: {error}", folder.display())))?;
        return Ok(failure::DONE);
    }
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
