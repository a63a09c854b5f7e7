//! A list as CSV that a spreadsheet shows instead of running.

use super::{columns::Columns, text};
use crate::error::{Error, Result};
use serde_json::Value;
use std::io::Write;

/// Characters at a cell's start that make spreadsheets evaluate it.
const DANGEROUS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// One record for each row.
pub type Table<W> = csv::Writer<W>;

/// A table with the names of these columns as its first record.
///
/// # Errors
/// When it cannot be written.
pub fn table<W: Write>(columns: &Columns, to: W) -> Result<Table<W>> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(columns.names()).map_err(text::failure)?;
    Ok(table)
}

/// One more record, with the members that were read last.
///
/// # Errors
/// When it cannot be written.
pub fn record<W: Write>(table: &mut Table<W>, columns: &Columns) -> Result<()> {
    for (_, text) in columns.cells() {
        let value: Value = serde_json::from_slice(text).map_err(Error::internal)?;
        table.write_field(cell(&value)).map_err(text::failure)?;
    }
    table.write_record(None::<&[u8]>).map_err(text::failure)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(DANGEROUS) => format!("'{text}"),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
