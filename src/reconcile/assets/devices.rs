//! One vendor's devices as a source, chunk by chunk: memory does not grow with the number of devices.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{
    device_record::{DeviceRecord, users_of},
    matching::MatchResult,
    observing,
    planner::{self, Local, Rules},
    retire,
    rows_store::{self, Fed},
};
use crate::{
    db::{Conn, Db, Write},
    error::Result,
    network::adopt_store,
    plan::{Action, FieldChange, Item, Kind},
    reconcile::{
        absence::Evidence,
        planner::{
            losses::{self, PEOPLE, Tally},
            retirement_guard::{self, Measure},
        },
        reconciliation::{Draft, Reconciliation, Source},
        report::Report,
        review::{Raised, candidates_of, review_store},
        rows_store as all_rows,
    },
    types::Scope,
};

/// Live assets read together.
const FED: i64 = 1000;
/// Rows looked at together when something is missing.
const ROWS: usize = 200;
/// Network gear that is written in one transaction.
const GEAR: i64 = 50;

/// A vendor's records, to be read as often as needed.
pub trait DeviceList: Send + Sync {
    /// How many chunks there are.
    fn chunks(&self) -> usize;
    /// The records of one chunk. No record is in two of them.
    fn read(&self, c: &mut Conn, chunk: usize) -> Result<Vec<DeviceRecord>>;
    /// Whether the vendor lists this record as a live one.
    fn lists(&self, external_id: &str) -> bool;
    /// Whether the vendor lists a live record that none of our assets is linked to.
    fn has_unknown(&self, linked: &HashMap<String, i64>) -> bool;
}

/// Assets that the vendor feeds and its lists lacked, with what was found out about them.
#[derive(Clone, Debug, Default)]
pub struct Missing {
    /// The vendor's id and the asset.
    pub rows: Vec<(String, i64)>,
    /// By the vendor's id.
    pub evidence: HashMap<String, Evidence>,
}

/// A vendor's devices, read and proven.
pub struct Devices {
    /// Whose records, and who is believed.
    pub rules: Rules,
    /// The records.
    pub list: Arc<dyn DeviceList>,
    /// What the lists lacked.
    pub missing: Missing,
    /// What each unlinked device is.
    pub verdicts: Arc<HashMap<String, MatchResult>>,
    /// Devices about which a person was asked before, and the assets that were named.
    pub open: HashMap<String, Vec<i64>>,
    /// Notes of the run that are about no device.
    pub notes: Vec<Item>,
    /// What is to be done once they are applied.
    pub after: After,
}

/// What planning has found beside items.
#[derive(Debug, Default)]
pub struct After {
    /// Chunks of which something is to be written beside the rows.
    dirty: BTreeSet<usize>,
    /// Labels of the devices that may be one of our assets, by the vendor's id.
    unsure: HashMap<String, String>,
    /// What waits for approval, by asset.
    kept: HashMap<i64, Vec<String>>,
}

/// What one chunk of records comes to.
#[derive(Default)]
struct Chunk {
    items: Vec<Item>,
    dirty: bool,
    /// What it takes away.
    tally: Tally,
    /// Assets that would lose people, each as an item.
    people: Vec<Item>,
    /// Assets whose company may change: a person decided so, or it is retired.
    excused: HashSet<i64>,
    /// Labels of the devices that may be one of our assets, by the vendor's id.
    unsure: Vec<(String, String)>,
}

/// What chunks are planned against.
struct Context {
    linked: HashMap<String, i64>,
    retired_companies: HashSet<i64>,
    verdicts: Arc<HashMap<String, MatchResult>>,
}

/// The live assets that a vendor feeds and that its lists lacked.
pub async fn unlisted(db: &Db, system: &'static str, is_listed: impl Fn(&str) -> bool + Send) -> Result<Vec<Fed>> {
    let (mut unlisted, mut after) = (Vec::new(), String::new());
    loop {
        let from = after.clone();
        let rows = db.read(&Scope::All, move |c| rows_store::fed(c, system, &from, FED)).await?;
        let Some(last) = rows.last() else { return Ok(unlisted) };
        after.clone_from(&last.external_id);
        unlisted.extend(rows.into_iter().filter(|fed| !is_listed(&fed.external_id)));
    }
}

impl Source for Devices {
    async fn plan(&mut self, draft: &mut Draft<'_>) -> Result<()> {
        let job = &draft.of.job;
        (self.after.unsure, self.after.kept) = Default::default();
        let (system, verdicts) = (self.rules.system, self.verdicts.clone());
        let context = move |c: &mut Conn| {
            Ok(Context { linked: rows_store::linked(c, system)?, retired_companies: rows_store::retired_companies(c)?, verdicts })
        };
        let context = Arc::new(job.db.read(&Scope::All, context).await?);
        draft.add(self.notes.clone()).await?;
        job.progress.begin("planning", Some(self.list.chunks() as u64));
        let (mut tally, mut people, mut excused) = (Tally::default(), Vec::new(), HashSet::new());
        for chunk in 0..self.list.chunks() {
            let (list, rules, context) = (self.list.clone(), self.rules, context.clone());
            let plan = move |c: &mut Conn| plan_chunk(c, rules, &*list, chunk, &context);
            let planned = job.db.read(&Scope::All, plan).await?;
            if planned.dirty {
                self.after.dirty.insert(chunk);
            }
            self.after.unsure.extend(planned.unsure);
            tally.absorb(planned.tally);
            people.extend(planned.people);
            excused.extend(planned.excused);
            draft.add(planned.items).await?;
            job.progress.add(1);
        }
        draft.late = self.plan_missing(draft).await?;
        let is_excused = |item: &Item, change: &FieldChange| {
            change.field == "company_id" && item.entity_id.is_some_and(|id| excused.contains(&id))
        };
        let held = draft.hold_losses(Kind::Asset, &tally, people, is_excused).await?;
        draft.late.extend(held);
        Ok(())
    }

    /// Puts the devices that may be one of our assets into the review list.
    async fn published(&mut self, draft: &Draft<'_>) -> Result<()> {
        self.after.kept.clone_from(&draft.waiting);
        for (external_id, label) in std::mem::take(&mut self.after.unsure) {
            let Some(MatchResult::Unsure(why, candidates)) = self.verdicts.get(&external_id) else { continue };
            let candidates = candidates_of(candidates);
            let raised =
                Raised { system: self.rules.system, kind: "device", external_id, label, reason: why.clone(), candidates };
            draft.of.write(move |w| review_store::raise(w, &raised).map(|_| ())).await?;
        }
        Ok(())
    }

    async fn conclude(&mut self, of: &Reconciliation, report: &mut Report) -> Result<()> {
        self.close_reviews(of).await?;
        let After { dirty, kept, .. } = std::mem::take(&mut self.after);
        observing::run(of, self, &dirty, kept).await?;
        network_gear(of, report).await
    }
}

impl Devices {
    /// Takes off the review list what has become clear: the device is one of our assets, or none of those
    /// that were named can be it any more.
    async fn close_reviews(&self, of: &Reconciliation) -> Result<()> {
        for (external_id, named) in &self.open {
            let adopted = match self.verdicts.get(external_id) {
                Some(MatchResult::Adopt(id, _)) => Some(*id),
                Some(MatchResult::Unsure(..)) => continue,
                None => None,
            };
            let (system, device, named) = (self.rules.system, external_id.clone(), named.clone());
            let clear = of.job.db.read(&Scope::All, move |c| rows_store::is_clear(c, system, &device, adopted, named)).await?;
            if clear {
                let (system, external_id) = (self.rules.system, external_id.clone());
                of.write(move |w| review_store::close(w, system, "device", &external_id)).await?;
            }
        }
        Ok(())
    }

    /// What becomes of the assets that the lists lacked. More than a few of them wait.
    async fn plan_missing(&self, draft: &mut Draft<'_>) -> Result<Vec<Item>> {
        let db = &draft.of.job.db;
        // Some go on under a new id of the vendor's.
        let adopted = |verdict: &MatchResult| if let MatchResult::Adopt(id, _) = verdict { Some(*id) } else { None };
        let succeeded: HashSet<i64> = self.verdicts.values().filter_map(adopted).collect();
        let left: Vec<(String, i64)> = self.missing.rows.iter().filter(|(_, id)| !succeeded.contains(id)).cloned().collect();
        let mut items = Vec::new();
        for rows in left.chunks(ROWS) {
            let ids: Vec<i64> = rows.iter().map(|(_, id)| *id).collect();
            let locals = db.read(&Scope::All, move |c| rows_store::by_ids(c, &ids)).await?;
            for (external_id, id) in rows {
                let still = |row: &&Local| !row.retired && row.links.iter().any(|(_, known)| known == external_id);
                if let Some(row) = locals.get(id).filter(still) {
                    items.push(retire::plan(self.rules, external_id, row, self.missing.evidence.get(external_id)));
                }
            }
        }
        if !draft.of.job.options.yes && items.iter().any(|item| item.action == Action::Retire) {
            let system = self.rules.system;
            let live = db.read(&Scope::All, move |c| all_rows::live(c, Kind::Asset, system)).await?;
            let measure = Measure { live, unlisted: left.len() as u64, ..Measure::default() };
            let reason = retirement_guard::close(&mut items, Kind::Asset, &measure, draft.limits());
            draft.held_because(reason);
        }
        Ok(items)
    }
}

/// Network gear among the assets becomes equipment, and follows its asset to another company.
async fn network_gear(of: &Reconciliation, report: &mut Report) -> Result<()> {
    let (mut new, mut moved, mut after) = (0, 0, Some(0));
    while let Some(last) = after {
        let work = move |w: &mut Write<'_>| adopt_store::follow(w, last, GEAR);
        let (followed, next) = of.job.write(&of.actor, work).await?;
        (moved, after) = (moved + followed, next);
    }
    loop {
        let adopted = of.job.write(&of.actor, |w| adopt_store::adopt(w, GEAR)).await?;
        if adopted == 0 {
            break;
        }
        new += adopted;
    }
    if new + moved > 0 {
        report.beside.push(format!("network equipment: {new} new, {moved} moved to another company"));
    }
    Ok(())
}

/// The asset that a record turns out to be, or is.
pub(super) fn row_of(told: &DeviceRecord, linked: &HashMap<String, i64>, verdicts: &HashMap<String, MatchResult>) -> Option<i64> {
    match verdicts.get(&told.external_id) {
        Some(MatchResult::Adopt(id, _)) => Some(*id),
        _ => linked.get(&told.external_id).copied(),
    }
}

/// What one chunk comes to, and whether something is to be written beside its items.
fn plan_chunk(c: &mut Conn, rules: Rules, list: &dyn DeviceList, chunk: usize, context: &Context) -> Result<Chunk> {
    let (linked, verdicts) = (&context.linked, &*context.verdicts);
    let told = list.read(c, chunk)?;
    let ids: Vec<i64> = told.iter().filter_map(|told| row_of(told, linked, verdicts)).collect();
    let locals = rows_store::by_ids(c, &ids)?;
    let (mut planned, mut leaving) = (Chunk::default(), Vec::new());
    for told in &told {
        let row = row_of(told, linked, verdicts).and_then(|id| locals.get(&id));
        if told.gone.is_some() || (told.waits && row.is_none()) {
            continue;
        }
        if let Some(row) = row
            && let Some(speaker) = other_speaker(rules, list, row, &told.external_id)
        {
            if row.merged.contains(&(rules.system.to_owned(), told.external_id.clone())) {
                continue;
            }
            let reason = format!("asset {} is also {speaker} at the vendor, which is believed", row.id);
            let item = Item::new(Kind::Asset, Action::Review, &told.label, reason).from_vendor(&told.external_id);
            planned.items.push(row.mark(item));
            continue;
        }
        let is_link = row.is_some() && linked.get(&told.external_id) == row.map(|row| &row.id);
        let verdict = verdicts.get(&told.external_id).filter(|_| !is_link);
        if let Some(MatchResult::Unsure(..)) = verdicts.get(&told.external_id) {
            planned.unsure.push((told.external_id.clone(), told.label.clone()));
        }
        let items = planner::plan(rules, told, row, verdict);
        if let Some(row) = row.filter(|row| is_link && !row.retired) {
            planned.tally.row(row.values.iter());
            let company = row.values.get("company_id").and_then(|cell| cell.to_json().as_i64());
            let excused = told.decided || company.is_some_and(|id| context.retired_companies.contains(&id));
            if excused {
                planned.excused.insert(row.id);
            }
            for item in &items {
                planned.tally.item(item, |_, change| excused && change.field == "company_id");
            }
            let had = row.told.get(rules.system).map(|(words, _)| users_of(words)).unwrap_or_default();
            if !had.is_empty() {
                planned.tally.hold(PEOPLE);
                leaving.extend(told.users.as_ref().map(|now| (row, told, had, now.clone())));
            }
        }
        planned.items.extend(items);
        let same = |row: &Local| row.retired && row.retired_by_hand || is_link && row.has_heard(rules.system, told);
        planned.dirty |= !row.is_some_and(same);
    }
    leaving.retain(|(_, _, had, now)| had.iter().any(|id| !now.contains(id)));
    let ids: Vec<i64> = leaving.iter().flat_map(|(_, _, had, now)| had.iter().chain(now)).copied().collect();
    let people = rows_store::people(c, &ids)?;
    for (row, told, had, now) in leaving {
        // Whoever is gone has taken their leave already.
        let left: Vec<i64> = had.iter().copied().filter(|id| !now.contains(id)).collect();
        if left.iter().all(|id| people.get(id).is_none_or(|(_, retired)| *retired)) {
            continue;
        }
        let names = |ids: &[i64]| -> serde_json::Value {
            ids.iter().map(|id| people.get(id).map_or_else(|| format!("contact {id}"), |(name, _)| name.clone())).collect()
        };
        let reason = format!("linked to {}", told.external_id);
        let mut item = row.mark(Item::new(Kind::Asset, Action::Update, &told.label, reason).from_vendor(&told.external_id));
        item.fields.push(FieldChange::new(PEOPLE, names(&had), names(&now)));
        item.moves.join = now.iter().filter(|id| !had.contains(id)).map(i64::to_string).collect();
        item.moves.leave = left;
        planned.tally.item(&item, losses::nothing);
        planned.people.push(item);
    }
    Ok(planned)
}

/// Of several records that are one asset, the first that is listed speaks for it.
pub(super) fn other_speaker<'r>(rules: Rules, list: &dyn DeviceList, row: &'r Local, external_id: &str) -> Option<&'r str> {
    let mut ours = row.links.iter().filter(|(system, _)| system == rules.system).map(|(_, id)| id.as_str());
    ours.find(|id| list.lists(id)).filter(|speaker| *speaker != external_id)
}
