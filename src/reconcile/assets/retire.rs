//! Assets whose vendor has them no more: retired when nobody else knows them, else only that link goes.

use serde_json::Value;

use super::planner::{Local, Rules};
use crate::{
    history::pins,
    plan::{Action, FieldChange, Item, Kind},
    reconcile::{assign::LINK, planner::retire::Evidence},
};

/// Plans what becomes of one asset that a vendor's complete lists lacked.
pub fn plan(rules: Rules, external_id: &str, row: &Local, evidence: Option<&Evidence>) -> Vec<Item> {
    let label = row.values.text("hostname").to_owned();
    let proof = match evidence {
        Some(Evidence::Gone(proof)) => proof.clone(),
        Some(Evidence::Unclear(why)) => return vec![kept(row, &label, external_id, why)],
        None => return vec![kept(row, &label, external_id, "nothing proves that it is gone")],
    };
    let also_linked = row.links.iter().any(|(system, id)| system == rules.system && id != external_id);
    if !also_linked && !row.is_known_elsewhere(rules.system) {
        if row.pins.contains(pins::LIFE) {
            let reason = "a person brought it back here; the vendor has it no more";
            return vec![row.mark(Item::new(Kind::Asset, Action::Pinned, &label, reason).from_vendor(external_id))];
        }
        let mut item = Item::new(Kind::Asset, Action::Retire, &label, "the vendor has it no more").from_vendor(external_id);
        item.evidence = Some(proof);
        return vec![row.mark(item)];
    }
    let mut fields = vec![FieldChange::new(format!("{LINK}{}", rules.system), external_id.into(), Value::Null)];
    if !also_linked {
        fields.extend(row.differences(&row.without(rules)).0);
    }
    let reason = "this vendor has it no more; another still does";
    let mut item = Item::new(Kind::Asset, Action::Update, &label, reason).from_vendor(external_id);
    item.evidence = Some(proof);
    item.fields = fields;
    vec![row.mark(item)]
}

fn kept(row: &Local, label: &str, external_id: &str, why: &str) -> Item {
    let reason = format!("not listed by the vendor, but kept: {why}");
    row.mark(Item::new(Kind::Asset, Action::Review, label, reason).from_vendor(external_id))
}
