//! The vendor's agents to ours, matched by their vendor id alone.

use super::{all_fields, by_external_id, plan_existing, report_ignored};
use crate::plan::{Action, Item, Kind, Moves, Plan, local::Local, record::SourceRecord};

/// Plans every listed agent. `records` are distinct and in a fixed order.
pub fn plan(plan: &mut Plan, locals: &[Local], records: Vec<SourceRecord>) {
    let linked = by_external_id(locals);
    for mut mapped in records {
        report_ignored(plan, Kind::PsaAgent, &mapped);
        if let Some(local) = linked.get(mapped.external_id.as_str()) {
            plan_existing(plan, Kind::PsaAgent, local, &mapped, None, Moves::default());
            continue;
        }
        mapped.values.extend(std::mem::take(&mut mapped.observed));
        let mut item =
            Item::new(Kind::PsaAgent, Action::Create, &mapped.label, "new at the vendor").from_vendor(&mapped.external_id);
        item.fields = all_fields(&mapped.values);
        plan.items.push(item);
    }
}
