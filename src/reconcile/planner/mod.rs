//! From what the vendor lists and what we have to a plan. Pure: no database, no network, no clock.

pub mod agents;
pub mod companies;
pub mod contacts;
pub mod losses;
pub mod numbers;
pub mod retire;
pub mod retirement_guard;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    db::Value as Cell,
    plan::{Action, FieldChange, Item, Kind, Observation, Plan, cells::Cells, local::Local, record::SourceRecord},
};

/// Rows by vendor id, tombstones included.
#[must_use]
pub fn by_external_id(locals: &[Local]) -> HashMap<&str, &Local> {
    locals.iter().flat_map(|local| local.external_ids.iter().map(move |id| (id.as_str(), local))).collect()
}

/// The fields in which a record differs from a row: those to change, and those that a person pinned.
#[must_use]
pub fn differences(local: &Local, told: &Cells) -> (Vec<FieldChange>, Vec<FieldChange>) {
    let mut changes = Vec::new();
    let mut pinned = Vec::new();
    for (field, to) in told.iter() {
        let from = local.values.get(field).unwrap_or(&Cell::Null);
        if from == to {
            continue;
        }
        let change = FieldChange::new(field, from.to_json(), to.to_json());
        if local.pins.contains(field) { pinned.push(change) } else { changes.push(change) }
    }
    (changes, pinned)
}

/// The fields of a new row; nulls need no mention.
#[must_use]
pub fn all_fields(told: &Cells) -> Vec<FieldChange> {
    let told = told.iter().filter(|(_, to)| **to != Cell::Null);
    told.map(|(field, to)| FieldChange::new(field, Value::Null, to.to_json())).collect()
}

/// Plans what an existing, matched row needs: restore, adopt, update or nothing, and the notes about it.
fn plan_existing(
    plan: &mut Plan,
    kind: Kind,
    local: &Local,
    mapped: &SourceRecord,
    adopted: Option<String>,
    moves: crate::plan::Moves,
) {
    if local.retired && local.retired_by_hand && adopted.is_none() {
        let reason = "a person retired it here, so it stays retired until a person restores it";
        plan.items.push(Item::new(kind, Action::Review, &local.label, reason).of(local).from_vendor(&mapped.external_id));
        return;
    }
    let (changes, pinned) = differences(local, &mapped.values);
    if !pinned.is_empty() {
        let mut item = Item::new(kind, Action::Pinned, &local.label, "pinned by a person; the vendor says otherwise");
        item.fields = pinned;
        plan.items.push(item.of(local).from_vendor(&mapped.external_id));
    }
    let (action, reason) = match adopted {
        Some(reason) => (Action::Adopt, reason),
        None if local.retired => (Action::Restore, format!("the vendor lists {} again", mapped.external_id)),
        None => (Action::Update, format!("linked to {}", mapped.external_id)),
    };
    if action != Action::Update || !changes.is_empty() || !moves.is_empty() {
        let mut item = Item::new(kind, action, &local.label, reason).of(local).from_vendor(&mapped.external_id);
        item.fields = changes;
        item.moves = moves;
        plan.items.push(item);
    }
    observe(plan, kind, local, mapped);
}

/// Notes what moved without history.
fn observe(plan: &mut Plan, kind: Kind, local: &Local, mapped: &SourceRecord) {
    let moved = mapped.observed.iter().filter(|(column, value)| local.values.get(column).unwrap_or(&Cell::Null) != *value);
    let values: Cells = moved.map(|(column, value)| (column, value.clone())).collect();
    if !values.is_empty() {
        plan.observations.push(Observation { kind, entity_id: local.id, values });
    }
}

/// Reports the fields of a record that could not be used.
fn report_ignored(plan: &mut Plan, kind: Kind, mapped: &SourceRecord) {
    if !mapped.ignored.is_empty() {
        let reason = format!("not as expected: {}", mapped.ignored.join("; "));
        plan.items.push(Item::new(kind, Action::Skipped, &mapped.label, reason).from_vendor(&mapped.external_id));
    }
}

/// One record per vendor id, the last one told, in the order of the ids, so that plans are repeatable.
#[must_use]
pub fn distinct(records: Vec<SourceRecord>) -> Vec<SourceRecord> {
    let mut by_id: HashMap<String, SourceRecord> = HashMap::with_capacity(records.len());
    for mapped in records {
        by_id.insert(mapped.external_id.clone(), mapped);
    }
    let mut records: Vec<SourceRecord> = by_id.into_values().collect();
    records.sort_by(|a, b| (a.external_id.len(), &a.external_id).cmp(&(b.external_id.len(), &b.external_id)));
    records
}
