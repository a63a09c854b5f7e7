//! After a plan is applied: what vendors tell beside the columns of an asset, written only where it differs.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    device_record::{DeviceRecord, users_of},
    devices::{DeviceList, Devices, other_speaker, row_of},
    fields::SourceValues,
    planner::{Local, Rules},
    rows_store, sources_store,
};
use crate::{
    assets::{self, Observation},
    db::{Conn, Write},
    error::Result,
    reconcile::{planner::losses::PEOPLE, reconciliation::Reconciliation},
    types::Scope,
};

/// Assets in one transaction.
const CHUNK: usize = 50;

/// What is to be written about one asset.
struct News {
    asset_id: i64,
    place: Option<String>,
    words: SourceValues,
    seen: Option<Observation>,
    /// Contacts that the vendor named before, and names now.
    users: Option<(Vec<i64>, Vec<i64>)>,
}

/// Goes over the chunks in which something differs. What waits for approval of the assets in `kept`, by field,
/// has not been heard yet: else the next run would take it for settled.
pub async fn run(of: &Reconciliation, devices: &Devices, dirty: &BTreeSet<usize>, kept: HashMap<i64, Vec<String>>) -> Result<()> {
    let system = devices.rules.system;
    of.job.progress.begin("noting what was seen", Some(dirty.len() as u64));
    let linked = Arc::new(of.job.db.read(&Scope::All, move |c| rows_store::linked(c, system)).await?);
    let kept = Arc::new(kept);
    for chunk in dirty.iter().copied() {
        let (list, rules, linked, kept) = (devices.list.clone(), devices.rules, linked.clone(), kept.clone());
        let mut news = of.job.db.read(&Scope::All, move |c| news(c, rules, &*list, chunk, (&linked, &kept))).await?;
        while !news.is_empty() {
            let more = news.split_off(news.len().min(CHUNK));
            of.job.write(&of.actor, move |w| news.iter().try_for_each(|news| put(w, system, news))).await?;
            news = more;
        }
        of.job.progress.add(1);
    }
    Ok(())
}

fn news(
    c: &mut Conn,
    rules: Rules,
    list: &dyn DeviceList,
    chunk: usize,
    (linked, kept): (&HashMap<String, i64>, &HashMap<i64, Vec<String>>),
) -> Result<Vec<News>> {
    let mut told = list.read(c, chunk)?;
    let none = HashMap::new();
    let ids: Vec<i64> = told.iter().filter_map(|told| row_of(told, linked, &none)).collect();
    let locals = rows_store::by_ids(c, &ids)?;
    for told in &mut told {
        for field in row_of(told, linked, &none).and_then(|id| kept.get(&id)).into_iter().flatten() {
            if field == PEOPLE {
                told.users = None;
            }
            told.values.remove(field);
        }
    }
    let differs = |told: &DeviceRecord, row: &&Local| {
        !row.retired && !row.has_heard(rules.system, told) && other_speaker(rules, list, row, &told.external_id).is_none()
    };
    let live = told.iter().filter(|told| told.gone.is_none());
    Ok(live
        .filter_map(|told| {
            let row = row_of(told, linked, &none).and_then(|id| locals.get(&id)).filter(|row| differs(told, row))?;
            Some(news_of(rules.system, told, row))
        })
        .collect())
}

fn news_of(system: &str, told: &DeviceRecord, row: &Local) -> News {
    let before = row.told.get(system);
    let words = told.words(before.map(|(words, _)| words));
    let had = before.map(|(words, _)| users_of(words)).unwrap_or_default();
    let place = told.place.clone().or_else(|| before.and_then(|(_, place)| place.clone()));
    let old = row.seen.as_ref().map(|seen| Observation { observed_at: None, ..seen.clone() });
    let seen = told.seen.clone().filter(|now| old.as_ref() != Some(now));
    let users = told.users.clone().filter(|now| *now != had).map(|now| (had, now));
    News { asset_id: row.id, place, words, seen, users }
}

fn put(w: &mut Write<'_>, system: &str, news: &News) -> Result<()> {
    sources_store::put(w, news.asset_id, system, news.place.as_deref(), &news.words)?;
    if let Some(seen) = &news.seen {
        assets::store::observe(w, news.asset_id, seen)?;
    }
    if let Some((had, now)) = &news.users {
        let known: Vec<i64> = assets::store::contacts_of(w, news.asset_id)?.iter().map(|contact| contact.inside().id).collect();
        let mut wanted: Vec<i64> = known.iter().copied().filter(|id| !had.contains(id) || now.contains(id)).collect();
        wanted.extend(now.iter().copied().filter(|id| !known.contains(id)));
        assets::store::assign(w, news.asset_id, &wanted)?;
    }
    Ok(())
}
