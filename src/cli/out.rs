//! Data to stdout, everything else to stderr.

use std::{
    env, fmt, io,
    io::{IsTerminal as _, Write as _},
};

use serde::Serialize;

/// One line of data, at once: whoever waits for it may be a program.
pub fn line(text: impl fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// One line for the person, which is no data.
pub fn note(text: impl fmt::Display) {
    let _nobody_listens = writeln!(io::stderr().lock(), "{text}");
}

/// A value as indented JSON.
pub fn json(value: &impl Serialize) -> Result<(), super::Failure> {
    Ok(line(serde_json::to_string_pretty(value)?)?)
}

/// Rows in columns of even width, with a heading when a person reads them. Where there are none, `nothing`
/// tells the person, so that silence is not taken for a failure.
pub fn table(heading: &[&str], rows: &[Vec<String>], nothing: &str) -> io::Result<()> {
    if rows.is_empty() {
        note(nothing);
        return Ok(());
    }
    let plain = heading.iter().map(|h| (*h).to_owned()).collect();
    let all: Vec<&Vec<String>> = if io::stdout().is_terminal() { vec![&plain] } else { vec![] };
    let all: Vec<&Vec<String>> = all.into_iter().chain(rows).collect();
    let width = |column: usize| all.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    for row in all {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        line(cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Whether a person sees what we write to stderr in colour.
#[must_use]
pub fn coloured_err() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether there is a person to ask: both ends are terminals.
#[must_use]
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}
