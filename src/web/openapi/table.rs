//! The description as a table in Markdown, as the README has it.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a document describes: a table for each tag, of method, path and purpose.
#[must_use]
pub fn markdown(document: &Value) -> String {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let tag = text(&operation["tags"][0]).replace(['_', '-'], " ");
            let row = format!("| `{} {path}` | {} |", method.to_uppercase(), text(&operation["summary"]));
            groups.entry(tag).or_default().push(row);
        }
    }
    let group = |(tag, rows): (String, Vec<String>)| {
        let count = rows.len();
        let rows = rows.join("\n");
        format!("<details><summary>{tag} ({count})</summary>\n\n| Operation | What for |\n|---|---|\n{rows}\n\n</details>\n")
    };
    groups.into_iter().map(group).collect()
}
