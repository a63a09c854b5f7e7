//! A list as CSV that a spreadsheet shows instead of running.

use crate::error::{Error, Result};
use serde_json::{Map, Value};

/// Characters at a cell's start that make spreadsheets evaluate it.
const DANGEROUS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A header row and one row for each record, with these members in this order.
///
/// # Errors
/// When memory for the text cannot be had.
pub fn table(columns: &[&str], rows: &[Map<String, Value>]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).map_err(Error::internal)?;
    for row in rows {
        writer
            .write_record(columns.iter().map(|column| cell(row.get(*column).unwrap_or(&Value::Null))))
            .map_err(Error::internal)?;
    }
    writer.into_inner().map_err(Error::internal)
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
