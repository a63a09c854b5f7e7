//! Moving assets between companies because their place at the vendor moved, by a person's decision.

use super::{fields, planner::Rules, rows_store, sources_store};
use crate::{
    assets::Asset,
    db::{Value as Cell, Write},
    error::Result,
    history,
    plan::cells::Cells,
};

/// Says of these assets that their vendor puts them into this company (or into none). Pinned ones stay
/// where a person put them, and so do those of which a preferred vendor says otherwise. Returns those that moved.
pub fn assets(w: &mut Write<'_>, rules: Rules, ids: &[i64], company: Option<i64>, reason: &str) -> Result<Vec<i64>> {
    let mut moved = Vec::new();
    let values: Cells = [("company_id", Cell::from(company))].into_iter().collect();
    for (id, row) in rows_store::by_ids(w, ids)? {
        let Some((words, place)) = row.told.get(rules.system) else { continue };
        let now = fields::overlay(Some(words), &values);
        let changes = row.differences(&row.wanted(rules, &values)).0;
        if changes.iter().any(|change| change.field == "company_id") {
            let target = match row.wanted(rules, &values).get("company_id") {
                Some(Cell::Int(id)) => Some(*id),
                _ => None,
            };
            history::update::<Asset>(w, id, None, Some(reason), |asset| {
                asset.company_id = target;
                Ok(())
            })?;
            moved.push(id);
        }
        if now != *words {
            sources_store::put(w, id, rules.system, place.as_deref(), &now)?;
        }
    }
    Ok(moved)
}
