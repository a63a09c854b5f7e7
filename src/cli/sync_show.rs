//! A plan for reading: grouped by kind and action, the first of each group field by field.

use std::{collections::BTreeMap, io, io::Write};

use serde_json::Value;

use crate::plan::{Action, FieldChange, Item, Kind, State};

/// How many items of a group are shown.
const SHOWN: usize = 10;
/// How many characters of a value are shown.
const LONGEST: usize = 60;

/// Writes the items to stdout.
pub fn items(items: &[Item]) -> io::Result<()> {
    write(&mut io::stdout().lock(), items)
}

/// Writes the items to stderr, beside a question.
pub fn items_to_stderr(items: &[Item]) -> io::Result<()> {
    write(&mut io::stderr().lock(), items)
}

fn write(to: &mut impl Write, items: &[Item]) -> io::Result<()> {
    for kind in Kind::all() {
        for action in Action::ALL {
            let group: Vec<&Item> = items.iter().filter(|item| item.kind == kind && item.action == action).collect();
            if !group.is_empty() {
                write_group(to, kind, action, &group)?;
            }
        }
    }
    Ok(())
}

fn write_group(to: &mut impl Write, kind: Kind, action: Action, group: &[&Item]) -> io::Result<()> {
    writeln!(to, "{} {} ({})", kind.plural(), heading(action), group.len())?;
    if group.len() > SHOWN && matches!(action, Action::Update | Action::Adopt | Action::Restore | Action::Pinned) {
        writeln!(to, "  fields: {}", by_field(group))?;
    }
    for item in group.iter().take(SHOWN) {
        write_item(to, item)?;
    }
    if group.len() > SHOWN {
        writeln!(to, "  … and {} more, see --json", group.len() - SHOWN)?;
    }
    writeln!(to)
}

fn write_item(to: &mut impl Write, item: &Item) -> io::Result<()> {
    let row = item.entity_id.map(|id| format!(" #{id}")).unwrap_or_default();
    // A plan that is only being made has no numbers yet.
    let held = match (item.state, item.id) {
        (State::Held, 0) => " [needs approval]".to_owned(),
        (State::Held, id) => format!(" [item {id} needs approval]"),
        _ => String::new(),
    };
    writeln!(to, "  {}{row}: {}{held}", printable(&item.label), printable(&item.reason))?;
    if let Some(evidence) = &item.evidence {
        writeln!(to, "      because {}", printable(evidence))?;
    }
    if item.action == Action::Create {
        let told = item.fields.iter().filter(|f| f.to != Value::Bool(false) && !f.field.starts_with("vendor_"));
        let fields: Vec<String> = told.map(|f| format!("{} {}", f.field, shown(&f.to))).collect();
        return if fields.is_empty() { Ok(()) } else { writeln!(to, "      {}", fields.join(", ")) };
    }
    for FieldChange { field, from, to: new, .. } in &item.fields {
        writeln!(to, "      {field}: {} → {}", shown(from), shown(new))?;
    }
    Ok(())
}

/// How often each field changes, the most frequent first.
fn by_field(group: &[&Item]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for change in group.iter().flat_map(|item| &item.fields) {
        *counts.entry(&change.field).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(field, count)| (std::cmp::Reverse(*count), *field));
    counts.iter().map(|(field, count)| format!("{field} {count}")).collect::<Vec<_>>().join(", ")
}

fn heading(action: Action) -> &'static str {
    match action {
        Action::Create => "to create",
        Action::Adopt => "to link",
        Action::Restore => "to bring back",
        Action::Update => "to update",
        Action::Retire => "to retire",
        Action::Pinned => "that differ but are pinned",
        Action::Review => "to review by a person",
        Action::Skipped => "with fields that cannot be used",
    }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => format!("{text:?}"),
        Value::Array(names) => names.iter().map(|name| name.as_str().unwrap_or_default()).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    let text = if text.is_empty() { "none".to_owned() } else { printable(&text) };
    if text.chars().count() > LONGEST { format!("{}…", text.chars().take(LONGEST).collect::<String>()) } else { text }
}

/// Text from a vendor, without what could steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
