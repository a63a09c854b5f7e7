//! Assets whose vendor has them no more: retired when nobody else knows them, else only that link goes.

use serde_json::Value;

use super::planner::{Local, Rules};
use crate::{
    plan::{Action, FieldChange, Item, Kind},
    reconcile::{
        absence::Evidence,
        assign::LINK,
        planner::retire::{UNPROVEN, outcome},
    },
};

/// Plans what becomes of one asset that a vendor's complete lists lacked.
pub fn plan(rules: Rules, external_id: &str, row: &Local, evidence: Option<&Evidence>) -> Item {
    let label = row.values.text("hostname");
    let proof = match evidence {
        Some(Evidence::Gone(proof)) => Ok(proof.clone()),
        Some(Evidence::Unclear(why)) => Err(why.as_str()),
        None => Err(UNPROVEN),
    };
    let also_linked = row.links.iter().any(|(system, id)| system == rules.system && id != external_id);
    let item = match proof {
        Ok(proof) if also_linked || row.is_known_elsewhere(rules.system) => {
            let mut fields = vec![FieldChange::new(format!("{LINK}{}", rules.system), external_id.into(), Value::Null)];
            if !also_linked {
                fields.extend(row.differences(&row.without(rules)).0);
            }
            let reason = "this vendor has it no more; another still does";
            let item = Item::new(Kind::Asset, Action::Update, label, reason).from_vendor(external_id);
            Item { evidence: Some(proof), fields, ..item }
        }
        proof => outcome(Kind::Asset, label, external_id, proof, &row.pins),
    };
    row.mark(item)
}
