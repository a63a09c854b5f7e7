//! Rows the vendor no longer lists, and what it takes to retire them.

use std::collections::{HashMap, HashSet};

use super::Local;
use crate::{
    history::pins,
    plan::{Action, Item, Kind, Plan},
    reconcile::absence::Evidence,
};

/// What is said of a row about which nothing was found out.
pub const UNPROVEN: &str = "nothing proves that it is gone";

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
        let proof = found.iter().find_map(|e| if let Evidence::Gone(how) = e { Some(how.clone()) } else { None });
        let proof = match (unclear, proof) {
            (None, Some(how)) if found.len() == local.external_ids.len() => Ok(how),
            (why, _) => Err(why.unwrap_or(UNPROVEN)),
        };
        let external_id = local.external_ids.first().map(String::as_str).unwrap_or_default();
        plan.items.push(outcome(kind, &local.label, external_id, proof, &local.pins).of(local));
    }
}

/// What becomes of one row that its vendor's lists lacked: retired when that is proven, and no person has brought it back.
#[must_use]
pub fn outcome(
    kind: Kind,
    label: &str,
    external_id: &str,
    proof: std::result::Result<String, &str>,
    pinned: &HashSet<String>,
) -> Item {
    let item = match proof {
        Err(why) => Item::new(kind, Action::Review, label, format!("not listed by the vendor, but kept: {why}")),
        Ok(_) if pinned.contains(pins::LIFE) => {
            Item::new(kind, Action::Pinned, label, "a person brought it back here; the vendor has it no more")
        }
        Ok(how) => Item { evidence: Some(how), ..Item::new(kind, Action::Retire, label, "the vendor has it no more") },
    };
    item.from_vendor(external_id)
}
