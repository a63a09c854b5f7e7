//! Which vendor is believed, field by field, where several know the same asset. Pure.

use serde_json::{Map, Value};

use super::device_identifiers;
use crate::{assets::Asset, db::Value as Cell, entity::Entity as _, plan::cells::Cells};

/// Everything that one vendor has told of an asset, by column.
pub type SourceValues = Map<String, Value>;

/// What a vendor tells now, over what it told before: a column it is silent about stays.
#[must_use]
pub fn overlay(before: Option<&SourceValues>, values: &Cells) -> SourceValues {
    let mut words = before.cloned().unwrap_or_default();
    for (column, value) in values.iter() {
        words.insert(column.to_owned(), value.to_json());
    }
    words
}

/// Whether a value says anything.
fn has_value(column: &str, value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => match column {
            "kind" => !text.is_empty() && text != "other",
            // What a maker's contractor left is no serial number, whoever tells it.
            "serial_number" => !device_identifiers::is_placeholder(text),
            _ => !text.is_empty(),
        },
        Value::Number(number) => column != "backup_data_bytes" || number.as_i64() != Some(0),
        _ => true,
    }
}

/// Who is believed about a column: the first that says something, the preferred one before the others. A network
/// address that its maker gave counts before one that a system made up.
#[must_use]
pub fn preferred<'w>(column: &str, prefer: &str, told: &[(&'w str, &'w SourceValues)]) -> Option<(&'w str, &'w Value)> {
    let by_rank = |preferred: bool| told.iter().filter(move |(system, _)| (*system == prefer) == preferred);
    let said = || {
        let all = by_rank(true).chain(by_rank(false)).filter_map(|(system, words)| Some((*system, words.get(column)?)));
        all.filter(|(_, value)| has_value(column, value))
    };
    let makers =
        |value: &Value| column == "mac_address" && value.as_str().is_some_and(|text| device_identifiers::mac(text).is_some());
    said().find(|(_, value)| makers(value)).or_else(|| said().next())
}

/// What a row should hold, as far as its vendors say. Where none of them says anything, a value is only
/// taken away when one of them had told it `before`: what a person entered stays.
#[must_use]
pub fn wanted(prefer: &str, told: &[(&str, &SourceValues)], before: &[&SourceValues]) -> Cells {
    let mut cells = Cells::default();
    for column in Asset::synced() {
        if let Some((_, value)) = preferred(column, prefer, told) {
            cells.set(column, cell(value));
            continue;
        }
        let had = before.iter().any(|words| words.get(column).is_some_and(|value| has_value(column, value)));
        match column {
            "hostname" => {}
            "kind" if had => cells.set(column, "other"),
            "backup_data_bytes" if had => cells.set(column, 0_i64),
            _ if had => cells.set(column, Cell::Null),
            _ => {}
        }
    }
    cells
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::String(text) => Cell::Text(text.clone()),
        Value::Number(number) => number.as_i64().map_or(Cell::Null, Cell::Int),
        Value::Bool(flag) => Cell::Bool(*flag),
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(value: Value) -> SourceValues {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn the_preferred_vendor_wins_where_both_speak_and_its_silence_lets_the_other_speak() {
        let datto = words(json!({"hostname": "PC-1", "serial_number": null, "warranty_expires": "2027-03-01", "kind": "other"}));
        let other =
            words(json!({"hostname": "Reception", "serial_number": "5CG1", "warranty_expires": "2026-01-01", "kind": "laptop"}));
        let told = [("datto", &datto), ("freshservice", &other)];
        let cells = wanted("datto", &told, &[]);
        assert_eq!((cells.text("hostname"), cells.text("serial_number")), ("PC-1", "5CG1"));
        assert_eq!((cells.text("warranty_expires"), cells.text("kind")), ("2027-03-01", "laptop"));
        let cells = wanted("freshservice", &told, &[]);
        assert_eq!((cells.text("hostname"), cells.text("warranty_expires")), ("Reception", "2026-01-01"));
    }

    #[test]
    fn what_says_nothing_is_not_believed() {
        let datto = words(json!({"serial_number": "Default string", "mac_address": "DA:A1:19:5C:00:17"}));
        let other = words(json!({"serial_number": "5CG1", "mac_address": "D8:BB:C1:AB:CD:EF"}));
        let cells = wanted("datto", &[("datto", &datto), ("freshservice", &other)], &[]);
        assert_eq!((cells.text("serial_number"), cells.text("mac_address")), ("5CG1", "D8:BB:C1:AB:CD:EF"));
        let cells = wanted("datto", &[("datto", &datto)], &[]);
        assert_eq!((cells.get("serial_number"), cells.text("mac_address")), (None, "DA:A1:19:5C:00:17"), "the only one there is");
    }

    #[test]
    fn nothing_takes_away_what_no_vendor_ever_told() {
        let now = words(json!({"hostname": "PC-1", "description": null, "serial_number": null}));
        let before = words(json!({"hostname": "PC-1", "serial_number": "5CG1"}));
        let cells = wanted("datto", &[("datto", &now)], &[&before]);
        assert_eq!(cells.get("description"), None);
        assert_eq!(cells.get("serial_number"), Some(&Cell::Null));
    }
}
