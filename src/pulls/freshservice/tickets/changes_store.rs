//! Storing change requests as the vendor told them.

use std::collections::HashMap;

use super::{SYSTEM, change::Planned};
use crate::{
    db::{Conn, Write},
    error::Result,
    history::Record as _,
    reconcile::rows_store::retired_by_hand,
    tickets::{ChangeRequest, change_store, store},
    types::now,
};

/// The rows that are new or differ, and whether they are new.
fn differing(c: &mut Conn, planned: &[Planned]) -> Result<Vec<(ChangeRequest, bool)>> {
    let known = change_store::by_external_ids(c, SYSTEM, planned.iter().map(|one| one.id).collect())?;
    let known: HashMap<i64, ChangeRequest> = known.into_iter().map(|change| (change.external_id, change)).collect();
    let mut differing = Vec::new();
    for one in planned {
        let company = match one.department().flatten() {
            Some(department) => store::company_of_department(c, SYSTEM, department)?,
            None => None,
        };
        let Some(before) = known.get(&one.id) else {
            let mut change = one.blank(&now());
            one.apply(&mut change, company);
            differing.push((change, true));
            continue;
        };
        if before.retired_at.is_some() && retired_by_hand(c, ChangeRequest::ENTITY, Some(&[before.id]))?.contains(&before.id) {
            continue;
        }
        let mut after = before.clone();
        one.apply(&mut after, company);
        if before.retired_at.is_some() || before.values() != after.values() {
            differing.push((after, false));
        }
    }
    Ok(differing)
}

/// Stores them; returns how many were new and how many changed.
pub fn keep(w: &mut Write<'_>, planned: &[Planned]) -> Result<(u64, u64)> {
    let (mut created, mut updated) = (0, 0);
    for (change, is_new) in differing(w, planned)? {
        let (_, moved) = change_store::upsert(w, &change, Some("as the vendor lists it"))?;
        created += u64::from(is_new);
        updated += u64::from(moved && !is_new);
    }
    Ok((created, updated))
}

/// What [`keep`] would do.
pub fn compare(c: &mut Conn, planned: &[Planned]) -> Result<(u64, u64)> {
    let differing = differing(c, planned)?;
    let created = differing.iter().filter(|(_, is_new)| *is_new).count() as u64;
    Ok((created, differing.len() as u64 - created))
}
