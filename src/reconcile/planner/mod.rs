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

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::{
    db::Value as Cell,
    plan::{Action, FieldChange, Item, Kind, Moves, Observation, Plan, cells::Cells, local::Local, record::SourceRecord},
};

/// Rows by vendor id, tombstones included.
#[must_use]
pub fn by_external_id(locals: &[Local]) -> HashMap<&str, &Local> {
    locals.iter().flat_map(|local| local.external_ids.iter().map(move |id| (id.as_str(), local))).collect()
}

/// The fields in which a row differs from what it should be: those to change, and those that a person pinned.
#[must_use]
pub fn differences(values: &Cells, pins: &HashSet<String>, wanted: &Cells) -> (Vec<FieldChange>, Vec<FieldChange>) {
    let differing = wanted.iter().filter_map(|(field, to)| {
        let from = values.get(field).unwrap_or(&Cell::Null);
        (from != to).then(|| FieldChange::new(field, from.to_json(), to.to_json()))
    });
    differing.partition(|change| !pins.contains(&change.field))
}

/// The fields of a new row; nulls need no mention.
#[must_use]
pub fn all_fields(told: &Cells) -> Vec<FieldChange> {
    let told = told.iter().filter(|(_, to)| **to != Cell::Null);
    told.map(|(field, to)| FieldChange::new(field, Value::Null, to.to_json())).collect()
}

/// A row of ours that a vendor's record was matched with.
pub struct Matched<'m> {
    /// The kind of row.
    pub kind: Kind,
    /// How people recognise it in the plan.
    pub label: &'m str,
    /// The record.
    pub external_id: &'m str,
    /// Whether the row is a tombstone.
    pub is_retired: bool,
    /// Whether a person retired it, and no sync brings it back.
    pub stays_retired: bool,
    /// Why it is the same thing, when it was not linked before.
    pub adopted: Option<String>,
    /// What differs.
    pub changes: Vec<FieldChange>,
    /// What differs and is pinned.
    pub pinned: Vec<FieldChange>,
    /// The places that it joins and leaves.
    pub moves: Moves,
}

impl Matched<'_> {
    /// What it needs: to be restored, linked, updated or nothing, and the notes about it.
    #[must_use]
    pub fn plan(self) -> Vec<Item> {
        let Self { kind, label, external_id, .. } = self;
        if self.stays_retired {
            let reason = "a person retired it here, so it stays retired until a person restores it";
            return vec![Item::new(kind, Action::Review, label, reason).from_vendor(external_id)];
        }
        let mut items = Vec::new();
        if !self.pinned.is_empty() {
            let mut item = Item::new(kind, Action::Pinned, label, "pinned by a person; the vendor says otherwise");
            item.fields = self.pinned;
            items.push(item.from_vendor(external_id));
        }
        let (action, reason) = match self.adopted {
            Some(reason) => (Action::Adopt, reason),
            None if self.is_retired => (Action::Restore, format!("the vendor lists {external_id} again")),
            None => (Action::Update, format!("linked to {external_id}")),
        };
        if action != Action::Update || !self.changes.is_empty() || !self.moves.is_empty() {
            let mut item = Item::new(kind, action, label, reason).from_vendor(external_id);
            (item.fields, item.moves) = (self.changes, self.moves);
            items.push(item);
        }
        items
    }
}

/// Plans what an existing, matched row needs, and what moves of it without history.
fn plan_existing(plan: &mut Plan, kind: Kind, local: &Local, mapped: &SourceRecord, adopted: Option<String>, moves: Moves) {
    let (changes, pinned) = differences(&local.values, &local.pins, &mapped.values);
    let stays_retired = local.retired && local.retired_by_hand && adopted.is_none();
    let (label, external_id, is_retired) = (local.label.as_str(), mapped.external_id.as_str(), local.retired);
    let row = Matched { kind, label, external_id, is_retired, stays_retired, adopted, changes, pinned, moves };
    plan.items.extend(row.plan().into_iter().map(|item| item.of(local)));
    if !stays_retired {
        observe(plan, kind, local, mapped);
    }
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
#[must_use]
pub fn ignored(kind: Kind, label: &str, external_id: &str, fields: &[String]) -> Option<Item> {
    let reason = format!("not as expected: {}", fields.join("; "));
    (!fields.is_empty()).then(|| Item::new(kind, Action::Skipped, label, reason).from_vendor(external_id))
}

fn report_ignored(plan: &mut Plan, kind: Kind, mapped: &SourceRecord) {
    plan.items.extend(ignored(kind, &mapped.label, &mapped.external_id, &mapped.ignored));
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
