//! From what the vendor lists and what we have to a plan. Pure: no database, no network, no clock.

pub mod agents;
pub mod companies;
pub mod contacts;
pub mod losses;
pub mod numbers;
pub mod retire;
pub mod valve;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{
    cells::Cells,
    freshservice::mapping::Mapped,
    plan::{Action, FieldChange, Item, Kind, Observation, Plan},
};
use crate::db::Value as Cell;

/// A row of ours, as far as a plan needs it.
#[derive(Clone, Debug, Default)]
pub struct Local {
    /// Its id.
    pub id: i64,
    /// Its revision.
    pub rev: i64,
    /// How people recognise it.
    pub label: String,
    /// Whether it is a tombstone.
    pub retired: bool,
    /// Whether it was a person who retired it; then a sync does not bring it back.
    pub retired_by_hand: bool,
    /// Its ids at the vendor (usually one; several after a merge).
    pub external_ids: Vec<String>,
    /// Its columns.
    pub values: Cells,
    /// Columns that a person pinned.
    pub pins: HashSet<String>,
    /// A contact's companies.
    pub memberships: Vec<Membership>,
}

/// A contact's place in a company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The company.
    pub company_id: i64,
    /// Whether this vendor's sync made it; others are never removed by it.
    pub ours: bool,
}

impl Local {
    /// A text column, empty when null.
    #[must_use]
    pub fn text(&self, column: &str) -> &str {
        self.values.text(column)
    }
}

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
    mapped: &Mapped,
    adopted: Option<String>,
    moves: super::plan::Moves,
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
fn observe(plan: &mut Plan, kind: Kind, local: &Local, mapped: &Mapped) {
    let moved = mapped.observed.iter().filter(|(column, value)| local.values.get(column).unwrap_or(&Cell::Null) != *value);
    let values: Cells = moved.map(|(column, value)| (column, value.clone())).collect();
    if !values.is_empty() {
        plan.observations.push(Observation { kind, entity_id: local.id, values });
    }
}

/// Reports the fields of a record that could not be used.
fn report_ignored(plan: &mut Plan, kind: Kind, mapped: &Mapped) {
    if !mapped.ignored.is_empty() {
        let reason = format!("not as expected: {}", mapped.ignored.join("; "));
        plan.items.push(Item::new(kind, Action::Skipped, &mapped.label, reason).from_vendor(&mapped.external_id));
    }
}

/// One record per vendor id, the last one told, in the order of the ids, so that plans are repeatable.
#[must_use]
pub fn distinct(records: Vec<Mapped>) -> Vec<Mapped> {
    let mut by_id: HashMap<String, Mapped> = HashMap::with_capacity(records.len());
    for mapped in records {
        by_id.insert(mapped.external_id.clone(), mapped);
    }
    let mut records: Vec<Mapped> = by_id.into_values().collect();
    records.sort_by(|a, b| (a.external_id.len(), &a.external_id).cmp(&(b.external_id.len(), &b.external_id)));
    records
}
