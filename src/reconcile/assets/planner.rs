//! From what a vendor tells of one device, and what we have, to the items of a plan. Pure.

use std::collections::{HashMap, HashSet};

use super::{
    device_record::DeviceRecord,
    fields::{self, SourceValues},
    matching::MatchResult,
};
use crate::{
    assets::Observation,
    db::Value as Cell,
    plan::{Action, FieldChange, Item, Kind, Moves, cells::Cells},
    reconcile::{
        assign::LINK,
        planner::{Matched, all_fields, differences, ignored},
    },
};

/// One of our assets, as far as a plan needs it.
#[derive(Clone, Debug, Default)]
pub struct Local {
    pub id: i64,
    /// Its revision.
    pub rev: i64,
    /// Whether it is a tombstone.
    pub retired: bool,
    /// Whether a person retired it; then no sync brings it back.
    pub retired_by_hand: bool,
    /// Its columns.
    pub values: Cells,
    /// Columns that a person pinned.
    pub pins: HashSet<String>,
    /// What each vendor has told, and its place there.
    pub told: HashMap<String, (SourceValues, Option<String>)>,
    /// What was seen of it.
    pub seen: Option<Observation>,
    /// Its links: system and id there.
    pub links: Vec<(String, String)>,
    /// Those of them that a person has merged into it.
    pub merged: HashSet<(String, String)>,
}

/// Whose records are planned, and who is believed.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The vendor.
    pub system: &'static str,
    /// The vendor that is believed where two speak.
    pub prefer: &'static str,
}

impl Local {
    /// What a row should hold once this vendor has told `values`.
    #[must_use]
    pub fn wanted(&self, rules: Rules, values: &Cells) -> Cells {
        let before = self.told.get(rules.system).map(|(words, _)| words);
        let now = fields::overlay(before, values);
        let mut told: Vec<(&str, &SourceValues)> = vec![(rules.system, &now)];
        told.extend(self.others(rules.system));
        let had: Vec<&SourceValues> = before.into_iter().collect();
        fields::wanted(rules.prefer, &told, &had)
    }

    /// What the row should hold once this vendor no longer knows it.
    #[must_use]
    pub fn without(&self, rules: Rules) -> Cells {
        let told: Vec<(&str, &SourceValues)> = self.others(rules.system).collect();
        let had: Vec<&SourceValues> = self.told.get(rules.system).map(|(words, _)| words).into_iter().collect();
        let mut cells = fields::wanted(rules.prefer, &told, &had);
        // Whose it is stays, unless the other vendor says so.
        if cells.get("company_id") == Some(&Cell::Null) {
            cells.remove("company_id");
        }
        cells
    }

    /// The records of this vendor that the row was before, which make room for this one. Only a row whose records are
    /// all gone comes to another.
    fn former(&self, system: &str, external_id: &str) -> Vec<FieldChange> {
        if self.links.iter().any(|(name, id)| name == system && id == external_id) {
            return Vec::new();
        }
        let ours = self.links.iter().filter(|(name, _)| name == system);
        ours.map(|(_, id)| FieldChange::new(format!("{LINK}{system}"), id.clone().into(), external_id.into())).collect()
    }

    fn others<'l>(&'l self, system: &'l str) -> impl Iterator<Item = (&'l str, &'l SourceValues)> {
        self.told.iter().filter(move |(name, _)| name.as_str() != system).map(|(name, (words, _))| (name.as_str(), words))
    }

    /// Whether another vendor knows it too.
    #[must_use]
    pub fn is_known_elsewhere(&self, system: &str) -> bool {
        self.links.iter().any(|(name, _)| name != system)
    }

    /// The fields in which it differs: those to change, and those that a person pinned.
    #[must_use]
    pub fn differences(&self, wanted: &Cells) -> (Vec<FieldChange>, Vec<FieldChange>) {
        differences(&self.values, &self.pins, wanted)
    }

    /// The same item about this row.
    #[must_use]
    pub fn mark(&self, mut item: Item) -> Item {
        item.entity_id = Some(self.id);
        item.rev = Some(self.rev);
        item
    }

    /// Whether what this vendor tells beside the row's columns is stored as it tells it.
    #[must_use]
    pub fn has_heard(&self, system: &str, told: &DeviceRecord) -> bool {
        let Some((words, place)) = self.told.get(system) else { return false };
        let same_seen = told
            .seen
            .as_ref()
            .is_none_or(|now| self.seen.as_ref().is_some_and(|old| Observation { observed_at: None, ..old.clone() } == *now));
        same_seen && (told.place.is_none() || *place == told.place) && told.words(Some(words)) == *words
    }
}

/// Plans one record. `row` is the asset that it is linked to, or that it turns out to be.
#[must_use]
pub fn plan(rules: Rules, told: &DeviceRecord, row: Option<&Local>, verdict: Option<&MatchResult>) -> Vec<Item> {
    let mut items = Vec::from_iter(ignored(Kind::Asset, &told.label, &told.external_id, &told.ignored));
    match (row, verdict) {
        (Some(row), Some(MatchResult::Adopt(_, why))) => {
            existing(&mut items, rules, told, row, Some(format!("not linked before, {why}")));
        }
        (Some(row), _) => existing(&mut items, rules, told, row, None),
        (None, verdict) => {
            if let Some(MatchResult::Unsure(why, candidates)) = verdict {
                let named: Vec<String> = candidates.iter().map(|(id, name, why)| format!("{name} (asset {id}): {why}")).collect();
                let reason = format!("{why}: {}; stored as a new asset until a person decides", named.join("; "));
                items.push(Item::new(Kind::Asset, Action::Review, &told.label, reason).from_vendor(&told.external_id));
            }
            let mut item =
                Item::new(Kind::Asset, Action::Create, &told.label, "new at the vendor").from_vendor(&told.external_id);
            let mut values = told.values.clone();
            values.set_default("hostname", told.label.as_str());
            item.fields = all_fields(&values);
            items.push(item);
        }
    }
    items
}

fn existing(items: &mut Vec<Item>, rules: Rules, told: &DeviceRecord, row: &Local, adopted: Option<String>) {
    let (changes, pinned) = row.differences(&row.wanted(rules, &told.values));
    let (label, external_id) = (told.label.as_str(), told.external_id.as_str());
    let (is_retired, stays_retired, moves) = (row.retired, row.retired && row.retired_by_hand, Moves::default());
    let matched = Matched { kind: Kind::Asset, label, external_id, is_retired, stays_retired, adopted, changes, pinned, moves };
    items.extend(matched.plan().into_iter().map(|mut item| {
        if matches!(item.action, Action::Adopt | Action::Restore) {
            item.fields.extend(row.former(rules.system, external_id));
        }
        row.mark(item)
    }));
}
