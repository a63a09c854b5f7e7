//! `codex openapi`: the description of the API, for generators of clients.

use super::{Failure, failure, out};

/// Arguments of `codex openapi`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As a table of method, path and purpose
    #[arg(long)]
    table: bool,
}

/// Prints the description as JSON.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let document = crate::app::description();
    if !args.table {
        out::json(document)?;
        return Ok(failure::DONE);
    }
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let of_path = |(path, methods): (&String, &serde_json::Value)| {
        let row = |(method, operation): (&String, &serde_json::Value)| {
            vec![method.to_uppercase(), path.clone(), text(&operation["summary"])]
        };
        methods.as_object().into_iter().flatten().map(row).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = document["paths"].as_object().into_iter().flatten().flat_map(of_path).collect();
    out::table(&["METHOD", "PATH", "PURPOSE"], &rows, "No operations.")?;
    Ok(failure::DONE)
}
