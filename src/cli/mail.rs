//! `codex mail`: whether mail leaves.

use super::{Context, Failure, context, failure, out};
use crate::mail::{self, Letter};

/// Arguments of `codex mail`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Send a test mail and say what the SMTP server said
    #[command(after_help = "Exit code 6 when the server cannot be reached or does not take it.")]
    Test {
        /// To whom
        address: String,
    },
}

/// Sends it.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let Verb::Test { address } = &args.verb;
    let config = context.start(true)?;
    let Some(mail) = &config.mail else {
        return Err(Failure::usage("no mail is sent: set host and from in section [mail] of codex.conf"));
    };
    let sent = context::block_on(mail::send(mail, &Letter::test(address)))?;
    sent.map_err(|fault| Failure::new(failure::UPSTREAM, format!("{}:{}: {}", mail.host, mail.port, fault.message)))?;
    out::line(format_args!("Sent to {address} through {}:{}.", mail.host, mail.port))?;
    Ok(failure::DONE)
}
