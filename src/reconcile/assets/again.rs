//! Comparing assets again that were made for devices while it was not known whose they are: once they have a
//! company, they may be assets that it had before.

use std::collections::{HashMap, HashSet};

use super::{
    census::{Bearer, Census, Side},
    matching::{self, Candidate, MatchResult, StandIn, Standing, UnlinkedDevice},
    planner::Rules,
    rows_store::{self, Identified},
    takeover,
};
use crate::{
    db::Db,
    error::Result,
    reconcile::review::{Raised, candidates_of, review_store},
    types::{Actor, Scope},
};

/// Assets read together.
const ROWS: i64 = 5_000;

/// Compares these assets, which came to a company just now, with those that it had. What is clear is done, what is
/// not is put before a person.
pub async fn compare(db: &Db, rules: Rules, moved: &[i64], company: i64, actor: &Actor) -> Result<()> {
    let system = rules.system;
    let linked = db.read(&Scope::All, move |c| rows_store::linked(c, system)).await?;
    let ids: HashMap<i64, String> = linked.into_iter().map(|(external_id, asset)| (asset, external_id)).collect();
    let moved: HashSet<i64> = moved.iter().copied().collect();
    let (mut unlinked_devices, mut candidates) = (Vec::new(), Vec::new());
    let mut after = 0;
    while let Some(rows) = page(db, after).await? {
        after = rows.last().map_or(after, |row| row.id);
        for row in rows.into_iter().filter(|row| row.company == Some(company)) {
            match ids.get(&row.id) {
                Some(external_id) if moved.contains(&row.id) => unlinked_devices.push(unlinked_device(row, company, external_id)),
                Some(_) => {}
                None => candidates.push(row.candidate(Standing::Unlinked)),
            }
        }
    }
    if unlinked_devices.is_empty() || candidates.is_empty() {
        return Ok(());
    }
    let candidates: HashMap<i64, Vec<Candidate>> = [(company, candidates)].into();
    let census = count(db, &ids, &unlinked_devices, Census::of(&candidates)).await?;
    let verdicts = matching::decide(&unlinked_devices, &candidates, census);
    for unlinked_device in unlinked_devices {
        let Some(verdict) = verdicts.get(&unlinked_device.external_id).cloned() else { continue };
        let by = actor.name.clone();
        db.write(&Scope::All, actor, move |w| match verdict {
            MatchResult::Adopt(id, why) => takeover::adopt(
                w,
                rules,
                id,
                &unlinked_device.external_id,
                &format!("{why}; compared when {by} decided whose its site is"),
            ),
            MatchResult::Unsure(reason, found) => {
                let (external_id, label) = (unlinked_device.external_id, unlinked_device.label);
                let candidates = candidates_of(&found);
                review_store::raise(w, &Raised { system, kind: "device", external_id, label, reason, candidates }).map(|_| ())
            }
        })
        .await?;
    }
    Ok(())
}

async fn page(db: &Db, after: i64) -> Result<Option<Vec<Identified>>> {
    let rows = db.read(&Scope::All, move |c| rows_store::identified(c, after, ROWS)).await?;
    Ok((!rows.is_empty()).then_some(rows))
}

fn unlinked_device(row: Identified, company: i64, external_id: &str) -> UnlinkedDevice {
    let stand_in = StandIn { asset: row.id, untouched: row.untouched, first: true, look: false };
    UnlinkedDevice {
        external_id: external_id.to_owned(),
        label: row.name,
        company,
        identifiers: row.identifiers,
        stand_in: Some(stand_in),
    }
}

/// Counts everybody else.
async fn count(db: &Db, ids: &HashMap<i64, String>, unlinked_devices: &[UnlinkedDevice], mut census: Census) -> Result<Census> {
    let compared: HashSet<&str> = unlinked_devices.iter().map(|unlinked_device| unlinked_device.external_id.as_str()).collect();
    let mut after = 0;
    while let Some(rows) = page(db, after).await? {
        after = rows.last().map_or(after, |row| row.id);
        for row in rows {
            let external_id = ids.get(&row.id).map(String::as_str);
            if external_id.is_some_and(|id| compared.contains(id)) {
                continue;
            }
            census.note(Side::Here, &Bearer::Asset(row.id), &row.identifiers);
            if external_id.is_some() {
                census.note(Side::There, &Bearer::Asset(row.id), &row.identifiers);
            }
        }
    }
    Ok(census)
}
