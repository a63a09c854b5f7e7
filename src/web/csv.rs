//! A list as CSV that a spreadsheet shows instead of running.
//!
//! There are two readers. For programs (`format=csv`) a telephone number stays as it is, `+49…` too, and whatever else a spreadsheet could run is guarded. For people (`format=csv&for=excel`)
//! every cell that a spreadsheet could run or reckon with is guarded, and a byte order mark says that the
//! text is UTF-8. The guard is one apostrophe before the sign that would begin a formula, at the cell's
//! start and after each character at which a spreadsheet of another country may cut the cell; signs that
//! have apostrophes before them already get one more, so that taking one away everywhere gives the text back.

pub use super::columns::Columns;
use super::text;
use crate::{
    error::{Error, Result},
    types::phone,
};
use serde_json::{Map, Value};
use std::io::Write;

/// Signs that make spreadsheets evaluate a cell, also in their full-width forms.
const DANGEROUS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// Where a spreadsheet may see the beginning of another cell.
const CUTS: [char; 5] = [';', '\t', '\r', '\n', '|'];
/// The fewest digits of a telephone number.
const PHONE: usize = 7;

/// Who reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reader {
    /// A program.
    #[default]
    Program,
    /// Somebody with a spreadsheet.
    Person,
}

/// One record for each row.
pub type Table<W> = csv::Writer<W>;

/// A table with the names of these columns as its first record.
///
/// # Errors
/// When it cannot be written.
pub fn table<W: Write>(columns: &Columns, mut to: W, reader: Reader) -> Result<Table<W>> {
    if reader == Reader::Person {
        to.write_all("\u{feff}".as_bytes()).map_err(text::failure)?;
    }
    let mut table = csv::Writer::from_writer(to);
    table.write_record(columns.names()).map_err(text::failure)?;
    Ok(table)
}

/// One more record, with the members that were read last.
///
/// # Errors
/// When it cannot be written.
pub fn record<W: Write>(table: &mut Table<W>, columns: &Columns, reader: Reader) -> Result<()> {
    for (_, text) in columns.cells() {
        let value: Value = serde_json::from_slice(text).map_err(Error::internal)?;
        table.write_field(cell(&value, reader)).map_err(text::failure)?;
    }
    table.write_record(None::<&[u8]>).map_err(text::failure)
}

/// A whole table of rows that were made elsewhere.
///
/// # Errors
/// When it cannot be written.
pub fn of_rows(columns: &[String], rows: &[Map<String, Value>], reader: Reader) -> Result<Vec<u8>> {
    let start = if reader == Reader::Person { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
    let mut table = csv::Writer::from_writer(start);
    table.write_record(columns.iter().map(|column| guarded(column))).map_err(Error::internal)?;
    for row in rows {
        let cells = columns.iter().map(|column| cell(row.get(column).unwrap_or(&Value::Null), reader));
        table.write_record(cells).map_err(Error::internal)?;
    }
    table.into_inner().map_err(Error::internal)
}

fn cell(value: &Value, reader: Reader) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if reader == Reader::Program && is_phone(text) => text.clone(),
        Value::String(text) => guarded(text),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => guarded(&value.to_string()),
    }
}

/// Whether a text is a telephone number, and nothing else.
fn is_phone(text: &str) -> bool {
    // Most cells are none, and some are long.
    if !text.starts_with('+') {
        return false;
    }
    let (main, _) = phone::parts(text);
    let Some(rest) = main.strip_prefix('+') else { return false };
    rest.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, ' ' | '\u{a0}' | '(' | ')' | '-' | '.' | '/'))
        && rest.chars().filter(char::is_ascii_digit).count() >= PHONE
        && text
            .get(main.len()..)
            .is_some_and(|extension| extension.chars().all(|c| c.is_ascii_alphanumeric() || " .,:;#=".contains(c)))
        && !text.contains(";=")
}

/// Whether a spreadsheet would begin a formula here, however many apostrophes stand before it.
fn is_dangerous(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(DANGEROUS)
}

/// A text with an apostrophe wherever a spreadsheet would begin a formula.
#[must_use]
pub fn guarded(text: &str) -> String {
    at_cells(text, |cell| (if is_dangerous(cell) { "'" } else { "" }, cell))
}

/// The text behind a guarded one.
#[must_use]
pub fn unguarded(text: &str) -> String {
    at_cells(text, |cell| ("", cell.strip_prefix('\'').filter(|_| is_dangerous(cell)).unwrap_or(cell)))
}

/// A text with something else wherever a spreadsheet may see a cell begin: `change` says what stands before the rest, and
/// what that is.
fn at_cells<'a>(text: &'a str, change: impl Fn(&'a str) -> (&'static str, &'a str)) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut rest = text;
    loop {
        let ahead =
            rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}' || CUTS.contains(&letter));
        let (blanks, cell) = rest.split_at(rest.len() - ahead.len());
        out.push_str(blanks);
        let (before, cell) = change(cell);
        out.push_str(before);
        let Some(cut) = cell.find(CUTS) else {
            out.push_str(cell);
            return out;
        };
        let (piece, next) = cell.split_at(cut);
        out.push_str(piece);
        rest = next;
    }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
