//! `codex call`: asks a neighbour on the platform, as Codex itself would.

use std::io::{Read as _, Write as _};

use reqwest::Method;

use super::{Context, Failure, context, failure};
use crate::{
    error::Error,
    services::{Call, Services},
};

/// Arguments of `codex call`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  codex call ledger /health\n  codex call helm /api/logs/ingest --data '{\"logs\": []}'\n\n\
                        Prints the body of the answer; exit code 6 when the service refuses or cannot be reached.")]
pub struct Args {
    /// The service's name in services.json
    service: String,
    /// The path, with its query string
    path: String,
    /// GET, or POST when there is data [default: as fits]
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// The body as JSON; @FILE reads a file, - standard input
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
}

/// Asks, and prints what was answered.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = context.start(true)?;
    let body = args.data.as_deref().map(data).transpose()?;
    let method = args.method.as_deref().map(|word| {
        let known = Method::from_bytes(word.to_uppercase().as_bytes());
        known.map_err(|_| Failure::usage(format!("--method {word}: must be GET, POST, PUT, PATCH or DELETE")))
    });
    let method = method.transpose()?.unwrap_or(if body.is_some() { Method::POST } else { Method::GET });
    let call = Call { method, path: args.path.clone(), body };
    let refused = |error: Error| match error {
        Error::Invalid(_) => Failure::usage(error.to_string()),
        Error::Unavailable(message) if config.core.url.is_some() => Failure::new(failure::UPSTREAM, message),
        Error::Unavailable(message) => Failure::usage(message),
        other => other.into(),
    };
    let mut services = Services::new(&config).map_err(refused)?;
    let answer = context::block_on(services.call(&config, &args.service, &call))?.map_err(refused)?;
    let mut out = std::io::stdout().lock();
    out.write_all(&answer.body)?;
    if !answer.body.ends_with(b"\n") {
        out.write_all(b"\n")?;
    }
    if answer.status.is_success() {
        return Ok(failure::DONE);
    }
    Err(Failure::new(failure::UPSTREAM, format!("{} answered {}", args.service, answer.status)))
}

fn data(text: &str) -> Result<serde_json::Value, Failure> {
    let text = match text {
        "-" => {
            let mut read = String::new();
            std::io::stdin().read_to_string(&mut read)?;
            read
        }
        file if file.starts_with('@') => {
            std::fs::read_to_string(&file[1..]).map_err(|error| Failure::usage(format!("--data {file}: {error}")))?
        }
        text => text.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| Failure::usage(format!("--data must be JSON: {error}")))
}
