//! One vendor's devices through the planner, chunk by chunk: planned, stored, applied, and then what
//! moves without history. Memory does not grow with the number of devices.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{
    matching::MatchResult,
    observing,
    planner::{self, Local, Rules},
    retire, rows_store,
    told::{Told, users_of},
};
use crate::{
    db::{Conn, Write},
    error::Result,
    history::Untold,
    jobs::{Decision, Job, runs_store},
    network::adopt_store,
    plan::{Action, FieldChange, Item, Kind, State},
    reconcile::{
        apply::Apply,
        planner::{
            losses::{self, PEOPLE, Tally},
            retire::Evidence,
            retirement_guard::Limits,
        },
        plans_store,
        report::{Ending, Report},
        review::{Raised, candidates_of, review_store},
    },
    types::{Actor, Scope},
};

/// How often a plan is made anew because rows changed under it.
const PASSES: usize = 3;
/// Items stored in one transaction.
const STORED: usize = 100;
/// Rows looked at together when something is missing.
const ROWS: usize = 200;
/// Network gear that is written in one transaction.
const GEAR: i64 = 50;
/// The most items that a dry run hands back; all of them are in the stored proposal.
const SHOWN: i64 = 20_000;

/// A vendor's records, to be read as often as needed.
pub trait Source: Send + Sync {
    /// How many chunks there are.
    fn chunks(&self) -> usize;
    /// The records of one chunk. No record is in two of them.
    fn read(&self, c: &mut Conn, chunk: usize) -> Result<Vec<Told>>;
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

/// Everything that one run needs once its lists are read and proven.
pub struct Reconciliation {
    /// The job it belongs to.
    pub job: Job,
    /// The run.
    pub run: i64,
    /// Whose records, and who is believed.
    pub rules: Rules,
    /// The name under which its plans are kept.
    pub plans: &'static str,
    /// The records.
    pub source: Arc<dyn Source>,
    /// What the lists lacked.
    pub missing: Missing,
    /// What each unlinked device is.
    pub verdicts: Arc<HashMap<String, MatchResult>>,
    /// Devices about which a person was asked before, and the assets that were named.
    pub open: HashMap<String, Vec<i64>>,
    /// Notes of the run that are about no device.
    pub notes: Vec<Item>,
}

/// A plan in the making.
struct Draft {
    id: Option<i64>,
    report: Report,
    dirty: BTreeSet<usize>,
    /// Labels of the devices that may be one of our assets, by the vendor's id.
    unsure: HashMap<String, String>,
    /// What the plan takes away.
    tally: Tally,
    /// Assets that would lose people, each as an item.
    people: Vec<Item>,
    /// Assets whose company may change: a person decided so, or it is retired.
    excused: HashSet<i64>,
    /// What waits for approval, by asset.
    kept: HashMap<i64, Vec<String>>,
}

/// What one chunk of records comes to.
#[derive(Default)]
struct Chunk {
    items: Vec<Item>,
    dirty: bool,
    tally: Tally,
    people: Vec<Item>,
    excused: HashSet<i64>,
    /// Labels of the devices that may be one of our assets, by the vendor's id.
    unsure: Vec<(String, String)>,
}

/// What chunks are planned against.
struct Around {
    linked: HashMap<String, i64>,
    retired_companies: HashSet<i64>,
    verdicts: Arc<HashMap<String, MatchResult>>,
}

impl Reconciliation {
    /// Plans and applies until nothing is stale, then writes what moves without history. Returns the
    /// items of a dry run.
    ///
    /// # Errors
    /// Those of the database; `Conflict` when another process took the job over.
    pub async fn run(&self, report: &mut Report) -> Result<Vec<Item>> {
        let (mut dirty, mut kept) = (BTreeSet::new(), HashMap::new());
        for pass in 1..=PASSES {
            let draft = self.plan(report).await?;
            if pass == 1 {
                (report.counts, report.changes) = (draft.report.counts.clone(), draft.report.changes);
            }
            (report.held, report.held_kinds) = (draft.report.held, draft.report.held_kinds.clone());
            report.held_changes.clone_from(&draft.report.held_changes);
            kept.clone_from(&draft.kept);
            report.held_because.clone_from(&draft.report.held_because);
            dirty.extend(draft.dirty);
            let Some(id) = draft.id else { break };
            report.plan_id = Some(id);
            if !self.job.options.dry_run {
                self.raise(draft.unsure).await?;
            }
            if self.job.options.dry_run {
                let items = self.job.db.read(&Scope::All, move |c| plans_store::items(c, id, 0, SHOWN)).await?;
                return Ok(items.into_iter().map(Untold::reveal).collect());
            }
            if self.apply(id, report).await? == 0 {
                break;
            }
        }
        if !self.job.options.dry_run {
            self.settle().await?;
        }
        if report.held > 0 && report.ending == Ending::Done && !report.dry_run {
            report.ending = Ending::Held;
        }
        if !self.job.options.dry_run {
            observing::run(self, &dirty, kept).await?;
            self.network_gear(report).await?;
        }
        Ok(Vec::new())
    }

    /// Network gear among the assets becomes equipment, and follows its asset to another company.
    async fn network_gear(&self, report: &mut Report) -> Result<()> {
        let (mut new, mut moved, mut after) = (0, 0, Some(0));
        while let Some(last) = after {
            let work = move |w: &mut Write<'_>| adopt_store::follow(w, last, GEAR);
            let (followed, next) = self.job.write(&self.actor(), work).await?;
            (moved, after) = (moved + followed, next);
        }
        loop {
            let adopted = self.job.write(&self.actor(), |w| adopt_store::adopt(w, GEAR)).await?;
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

    /// Who acts, in history.
    pub(super) fn actor(&self) -> Actor {
        Actor::sync(self.rules.system, self.run)
    }

    async fn write<T: Send + 'static>(&self, work: impl FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        self.job.write(&Actor::system("sync"), work).await
    }

    /// Plans every chunk against the rows as they are now, and stores the plan.
    async fn plan(&self, so_far: &Report) -> Result<Draft> {
        let mut report = Report { kinds: so_far.kinds.clone(), dry_run: so_far.dry_run, ..Report::default() };
        report.listed.clone_from(&so_far.listed);
        (report.skipped, report.problems) = (so_far.skipped, so_far.problems.clone());
        let mut draft = Draft {
            id: None,
            report,
            dirty: BTreeSet::new(),
            unsure: HashMap::new(),
            tally: Tally::default(),
            people: Vec::new(),
            excused: HashSet::new(),
            kept: HashMap::new(),
        };
        let (system, verdicts) = (self.rules.system, self.verdicts.clone());
        let around = move |c: &mut Conn| {
            Ok(Around { linked: rows_store::linked(c, system)?, retired_companies: rows_store::retired_companies(c)?, verdicts })
        };
        let around = Arc::new(self.job.db.read(&Scope::All, around).await?);
        self.add(&mut draft, self.notes.clone()).await?;
        self.job.progress.begin("planning", Some(self.source.chunks() as u64));
        for chunk in 0..self.source.chunks() {
            let (source, rules, around) = (self.source.clone(), self.rules, around.clone());
            let plan = move |c: &mut Conn| plan_chunk(c, rules, &*source, chunk, &around);
            let planned = self.job.db.read(&Scope::All, plan).await?;
            if planned.dirty {
                draft.dirty.insert(chunk);
            }
            draft.unsure.extend(planned.unsure);
            draft.tally.absorb(planned.tally);
            draft.people.extend(planned.people);
            draft.excused.extend(planned.excused);
            self.add(&mut draft, planned.items).await?;
            self.job.progress.add(1);
        }
        let mut gone = self.plan_missing().await?;
        draft.report.held_because = self.close_guard(&mut gone).await?;
        gone.extend(self.hold_losses(&mut draft).await?);
        let nothing = self.ask(&mut draft.report, &mut gone);
        let waits = gone.iter().filter(|item| nothing || item.state == State::Held);
        for item in waits.filter(|item| item.rev.is_none()) {
            let fields = item.fields.iter().map(|change| change.field.clone());
            draft.kept.entry(item.entity_id.unwrap_or_default()).or_default().extend(fields);
        }
        self.add(&mut draft, gone).await?;
        if nothing {
            self.hold_everything(&mut draft).await?;
        }
        self.publish(&draft).await?;
        Ok(draft)
    }

    async fn add(&self, draft: &mut Draft, items: Vec<Item>) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        draft.report.count(&items);
        let plan = match draft.id {
            Some(id) => id,
            None => {
                let (lease, run) = (self.job.lease.clone(), self.run);
                let none = serde_json::json!({});
                let plans = self.plans;
                self.write(move |w| plans_store::begin_of(w, &lease, plans, run, None, &none)).await?
            }
        };
        draft.id = Some(plan);
        let mut rest = items;
        while !rest.is_empty() {
            let more = rest.split_off(rest.len().min(STORED));
            let (lease, mut some) = (self.job.lease.clone(), rest);
            self.write(move |w| plans_store::add(w, &lease, plan, &mut some)).await?;
            rest = more;
        }
        Ok(())
    }

    /// Puts the devices that may be one of our assets into the review list.
    async fn raise(&self, unsure: HashMap<String, String>) -> Result<()> {
        for (external_id, label) in unsure {
            let Some(MatchResult::Unsure(why, candidates)) = self.verdicts.get(&external_id) else { continue };
            let candidates = candidates_of(candidates);
            let raised =
                Raised { system: self.rules.system, kind: "device", external_id, label, reason: why.clone(), candidates };
            self.write(move |w| review_store::raise(w, &raised).map(|_| ())).await?;
        }
        Ok(())
    }

    /// Takes off the review list what has become clear: the device is one of our assets, or none of those
    /// that were named can be it any more.
    async fn settle(&self) -> Result<()> {
        for (external_id, named) in &self.open {
            let adopted = match self.verdicts.get(external_id) {
                Some(MatchResult::Adopt(id, _)) => Some(*id),
                Some(MatchResult::Unsure(..)) => continue,
                None => None,
            };
            let (system, device, named) = (self.rules.system, external_id.clone(), named.clone());
            let clear = self.job.db.read(&Scope::All, move |c| rows_store::is_clear(c, system, &device, adopted, named)).await?;
            if clear {
                let (system, external_id) = (self.rules.system, external_id.clone());
                self.write(move |w| review_store::settle(w, system, "device", &external_id)).await?;
            }
        }
        Ok(())
    }

    /// Assets that go on under a new id of the vendor's.
    fn succeeded(&self) -> HashSet<i64> {
        let adopted = |verdict: &MatchResult| if let MatchResult::Adopt(id, _) = verdict { Some(*id) } else { None };
        self.verdicts.values().filter_map(adopted).collect()
    }

    /// What becomes of the assets that the lists lacked.
    async fn plan_missing(&self) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        let succeeded = self.succeeded();
        let left: Vec<(String, i64)> = self.missing.rows.iter().filter(|(_, id)| !succeeded.contains(id)).cloned().collect();
        for rows in left.chunks(ROWS) {
            let (rows, rules) = (rows.to_vec(), self.rules);
            let ids: Vec<i64> = rows.iter().map(|(_, id)| *id).collect();
            let locals = self.job.db.read(&Scope::All, move |c| rows_store::by_ids(c, &ids)).await?;
            for (external_id, id) in &rows {
                let still = |row: &&Local| !row.retired && row.links.iter().any(|(_, known)| known == external_id);
                if let Some(row) = locals.get(id).filter(still) {
                    items.extend(retire::plan(rules, external_id, row, self.missing.evidence.get(external_id)));
                }
            }
        }
        Ok(items)
    }

    /// Holds the retirements when they, or the rows that the lists lacked, are more than a little.
    async fn close_guard(&self, items: &mut [Item]) -> Result<Option<String>> {
        let retiring = items.iter().filter(|item| item.action == Action::Retire).count() as u64;
        if retiring == 0 || self.job.options.yes {
            return Ok(None);
        }
        let system = self.rules.system;
        let live = self.job.db.read(&Scope::All, move |c| rows_store::live(c, system)).await?;
        let sync = self.job.config.sync;
        let allowed = Limits { minimum: sync.retire_minimum, percent: sync.retire_percent }.of(live);
        let succeeded = self.succeeded();
        let lacking = self.missing.rows.iter().filter(|(_, id)| !succeeded.contains(id)).count() as u64;
        if lacking.max(retiring) <= allowed {
            return Ok(None);
        }
        hold(items);
        Ok(Some(if retiring > allowed {
            format!("{retiring} of {live} {} would be retired (limit {allowed})", Kind::Asset.plural())
        } else {
            format!("{lacking} of {live} {} were not listed (limit {allowed})", Kind::Asset.plural())
        }))
    }

    /// Takes out of the stored plan what would be lost by more than a few assets; it waits by itself.
    async fn hold_losses(&self, draft: &mut Draft) -> Result<Vec<Item>> {
        if self.job.options.yes {
            return Ok(Vec::new());
        }
        let sync = self.job.config.sync;
        let limits = Limits { minimum: sync.retire_minimum, percent: sync.retire_percent };
        let over = draft.tally.over(Kind::Asset, limits);
        if over.is_empty() {
            return Ok(Vec::new());
        }
        let excused = |item: &Item| {
            let decided = item.entity_id.is_some_and(|id| draft.excused.contains(&id));
            move |change: &FieldChange| decided && change.field == "company_id"
        };
        let mut held: Vec<Item> = draft.people.iter_mut().filter_map(|item| over.split(item, |_| false)).collect();
        let many = i64::try_from(ROWS).unwrap_or(i64::MAX);
        let (mut after, Some(plan)) = (0, draft.id) else {
            return Ok(held);
        };
        let mut spent = Vec::new();
        loop {
            let items = self.job.db.read(&Scope::All, move |c| plans_store::own_items(c, plan, after, many)).await?;
            let Some(last) = items.last() else { break };
            after = last.id;
            let mut trimmed = Vec::new();
            for mut item in items.into_iter().filter(|item| item.kind == Kind::Asset) {
                let excuse = excused(&item);
                if let Some(waiting) = over.split(&mut item, excuse) {
                    held.push(waiting);
                    trimmed.push(item);
                }
            }
            spent.extend(trimmed.iter().filter(|item| losses::is_spent(item)).cloned());
            let trim =
                move |w: &mut Write<'_>| trimmed.iter().try_for_each(|item| plans_store::trim(w, item, losses::is_spent(item)));
            self.write(trim).await?;
        }
        spent.iter().for_each(|item| draft.report.uncount(item));
        let because = draft.report.held_because.take();
        draft.report.held_because = Some(because.into_iter().chain(over.reasons()).collect::<Vec<_>>().join("; "));
        Ok(held)
    }

    /// Lets the person at the terminal decide; `true` when nothing at all is to be done.
    fn ask(&self, report: &mut Report, gone: &mut [Item]) -> bool {
        let Some(ask) = &self.job.options.ask else { return false };
        if self.job.options.yes
            || self.job.options.dry_run
            || !gone.iter().any(|item| item.action == Action::Retire || item.state == State::Held)
        {
            return false;
        }
        let mut whole = report.clone();
        whole.count(gone);
        match ask(&whole.question(gone)) {
            Decision::All => {
                gone.iter_mut().filter(|item| item.state == State::Held).for_each(|item| item.state = State::Pending);
                report.held_because = None;
                false
            }
            Decision::KeepRows => {
                hold(gone);
                report.held_because.get_or_insert_with(|| "not confirmed at the terminal".to_owned());
                false
            }
            Decision::Nothing => {
                report.held_because = Some("declined at the terminal".to_owned());
                true
            }
        }
    }

    async fn hold_everything(&self, draft: &mut Draft) -> Result<()> {
        let Some(id) = draft.id else { return Ok(()) };
        self.write(move |w| plans_store::move_items(w, id, State::Pending, State::Held)).await?;
        (draft.report.held, draft.report.held_kinds) = (draft.report.changes, [Kind::Asset.plural()].into());
        Ok(())
    }

    async fn publish(&self, draft: &Draft) -> Result<()> {
        let lease = self.job.lease.clone();
        let (dry_run, plans) = (self.job.options.dry_run, self.plans);
        let Some(id) = draft.id else {
            return if dry_run { Ok(()) } else { self.write(move |w| plans_store::supersede_of(w, &lease, plans)).await };
        };
        let (why, summary) = (draft.report.held_because.clone(), draft.report.summary());
        let status = if dry_run { "proposed" } else { "applying" };
        self.write(move |w| {
            plans_store::conclude(w, &lease, id, why.as_deref(), &summary)?;
            plans_store::publish(w, &lease, id, status)
        })
        .await
    }

    async fn apply(&self, plan: i64, report: &mut Report) -> Result<u64> {
        let (lease, run) = (self.job.lease.clone(), self.run);
        self.write(move |w| runs_store::advance(w, &lease, run, "applying")).await?;
        let (db, lease, progress) = (self.job.db.clone(), self.job.lease.clone(), self.job.progress.clone());
        let applied = Apply { db, lease, plan, actor: self.actor(), progress }.run().await?;
        let status = if report.held > 0 { "held" } else { "applied" };
        self.write(move |w| plans_store::set_status(w, plan, status)).await?;
        report.applied += applied.done;
        Ok(applied.stale)
    }
}

fn hold(items: &mut [Item]) {
    items.iter_mut().filter(|item| item.action == Action::Retire).for_each(|item| item.state = State::Held);
}

/// The asset that a record turns out to be, or is.
pub(super) fn row_of(told: &Told, linked: &HashMap<String, i64>, verdicts: &HashMap<String, MatchResult>) -> Option<i64> {
    match verdicts.get(&told.external_id) {
        Some(MatchResult::Adopt(id, _)) => Some(*id),
        _ => linked.get(&told.external_id).copied(),
    }
}

/// What one chunk comes to, and whether something is to be written beside its items.
fn plan_chunk(c: &mut Conn, rules: Rules, source: &dyn Source, chunk: usize, around: &Around) -> Result<Chunk> {
    let (linked, verdicts) = (&around.linked, &*around.verdicts);
    let told = source.read(c, chunk)?;
    let ids: Vec<i64> = told.iter().filter_map(|told| row_of(told, linked, verdicts)).collect();
    let locals = rows_store::by_ids(c, &ids)?;
    let (mut planned, mut leaving) = (Chunk::default(), Vec::new());
    for told in &told {
        let row = row_of(told, linked, verdicts).and_then(|id| locals.get(&id));
        if told.gone.is_some() || (told.waits && row.is_none()) {
            continue;
        }
        if let Some(row) = row
            && let Some(speaker) = other_speaker(rules, source, row, &told.external_id)
        {
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
            let excused = told.decided || company.is_some_and(|id| around.retired_companies.contains(&id));
            if excused {
                planned.excused.insert(row.id);
            }
            for item in &items {
                planned.tally.item(item, |change| excused && change.field == "company_id");
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
        planned.tally.item(&item, |_| false);
        planned.people.push(item);
    }
    Ok(planned)
}

/// Of several records that are one asset, the first that is listed speaks for it.
pub(super) fn other_speaker<'r>(rules: Rules, source: &dyn Source, row: &'r Local, external_id: &str) -> Option<&'r str> {
    let mut ours = row.links.iter().filter(|(system, _)| system == rules.system).map(|(_, id)| id.as_str());
    ours.find(|id| source.lists(id)).filter(|speaker| *speaker != external_id)
}
