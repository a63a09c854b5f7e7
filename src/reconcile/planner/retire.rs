//! Rows the vendor no longer lists, and what it takes to retire them.

use std::collections::{HashMap, HashSet};

use super::Local;
use crate::{
    history::pins,
    plan::{Action, Item, Kind, Plan},
};

/// What was found out about a vendor id that a list lacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Proven gone; the words say how.
    Gone(String),
    /// Not proven; the words say why.
    Unclear(String),
}

/// The vendor ids of live rows that no list held, with the row's label. A row with several ids counts
/// only when none of them was listed.
#[must_use]
pub fn missing<'l>(locals: &'l [Local], listed: &HashSet<String>) -> Vec<(&'l str, &'l Local)> {
    let unlisted = locals
        .iter()
        .filter(|l| !l.retired && !l.external_ids.is_empty() && !l.external_ids.iter().any(|id| listed.contains(id)));
    unlisted.flat_map(|local| local.external_ids.iter().map(move |id| (id.as_str(), local))).collect()
}

/// Plans the retirement of every missing row whose every vendor id is proven gone; reports the others.
pub fn plan(plan: &mut Plan, kind: Kind, locals: &[Local], listed: &HashSet<String>, evidence: &HashMap<String, Evidence>) {
    let kept: HashSet<i64> = plan
        .items
        .iter()
        .filter(|item| item.kind == kind && item.action == Action::Adopt)
        .filter_map(|item| item.entity_id)
        .collect();
    let mut seen = HashSet::new();
    for (_, local) in missing(locals, listed) {
        if kept.contains(&local.id) || !seen.insert(local.id) {
            continue;
        }
        let found: Vec<&Evidence> = local.external_ids.iter().filter_map(|id| evidence.get(id)).collect();
        let unclear = found.iter().find_map(|e| if let Evidence::Unclear(why) = e { Some(why.as_str()) } else { None });
        let proven = unclear.is_none() && found.len() == local.external_ids.len();
        let external_id = local.external_ids.first().map(String::as_str).unwrap_or_default();
        if !proven {
            let why = unclear.unwrap_or("nothing proves that it is gone");
            let reason = format!("not listed by the vendor, but kept: {why}");
            plan.items.push(Item::new(kind, Action::Review, &local.label, reason).of(local).from_vendor(external_id));
            continue;
        }
        if local.pins.contains(pins::LIFE) {
            let reason = "a person brought it back here; the vendor has it no more";
            plan.items.push(Item::new(kind, Action::Pinned, &local.label, reason).of(local).from_vendor(external_id));
            continue;
        }
        let mut item =
            Item::new(kind, Action::Retire, &local.label, "the vendor has it no more").of(local).from_vendor(external_id);
        item.evidence = found.iter().find_map(|e| if let Evidence::Gone(how) = e { Some(how.clone()) } else { None });
        plan.items.push(item);
    }
}
