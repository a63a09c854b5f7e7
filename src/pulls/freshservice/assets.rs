//! Freshservice's assets, after its companies and people are in: the same assets as the RMM's devices.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::{Map, Value};

use super::asset_mapping::{Known, asset_from, asset_type, short};
use crate::{
    db::Conn,
    error::{Error, Result},
    history::links,
    jobs::Job,
    plan::{Item, Kind},
    pulls::datto::staged_store,
    reconcile::{
        apply::Apply,
        assets::{Missing, Reconciliation, Rules, Source, Told, matching, rows_store, sources_store, unlinked_devices},
        paginator::{Paginator, Step},
        planner::retire::Evidence,
        plans_store,
        report::{Ending, Report},
    },
    types::{Actor, Scope, now},
    vendors::{
        fault::{Cause, Fault},
        freshservice::{
            NAME, SYSTEM,
            client::{Freshservice, Page},
            tickets::ListParams,
            wire,
        },
        retry,
    },
};

/// The name under which plans about assets are kept apart from those about companies and people.
pub const PLANS: &str = "freshservice-assets";
/// The staged list.
const LIST: &str = "assets";
/// Records asked for one by one.
const LOOKUPS: usize = 300;
/// So many alive and none gone: the list lies.
const ALIVE_ENOUGH: u32 = 20;
/// What is said of one that is alive.
const ALIVE: &str = "its own address still has it";
/// Rows read together.
const ROWS: i64 = 1000;

/// What the list had, by vendor id: on which page, and its display id.
type Listed = HashMap<String, i64>;

/// What the walk over the list found.
#[derive(Default)]
struct Found {
    pages: Vec<i64>,
    listed: Listed,
    walk: Paginator,
    /// One listed asset: its id and display id.
    sample: Option<(String, String)>,
}

/// By which number single assets can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    /// The display id, as the vendor documents it.
    Display,
    /// The id.
    Id,
}

/// The staged records as the planner reads them.
struct Assets {
    run: i64,
    pages: Vec<i64>,
    listed: Listed,
    known: Known,
}

impl Source for Assets {
    fn chunks(&self) -> usize {
        self.pages.len()
    }

    fn read(&self, c: &mut Conn, chunk: usize) -> Result<Vec<Told>> {
        let Some(page) = self.pages.get(chunk).copied() else { return Ok(Vec::new()) };
        let body = staged_store::page(c, self.run, LIST, page)?.ok_or_else(|| Error::internal("a staged page is missing"))?;
        let records: Vec<Map<String, Value>> = serde_json::from_str(&body).map_err(Error::internal)?;
        let mut done = HashSet::new();
        let here = |told: &Told| self.listed.get(&told.external_id) == Some(&page);
        Ok(records
            .iter()
            .filter_map(|record| asset_from(record, &self.known))
            .filter(|told| here(told) && done.insert(told.external_id.clone()))
            .collect())
    }

    fn lists(&self, external_id: &str) -> bool {
        self.listed.contains_key(external_id)
    }

    fn has_unknown(&self, linked: &HashMap<String, i64>) -> bool {
        self.listed.keys().any(|id| !linked.contains_key(id))
    }
}

/// Applies what is left of a plan whose job was killed.
pub async fn finish_interrupted(job: &Job) -> Result<u64> {
    let Some(plan) = job.db.read(&Scope::All, |c| plans_store::unfinished(c, PLANS)).await? else { return Ok(0) };
    let (db, lease, progress) = (job.db.clone(), job.lease.clone(), job.progress.clone());
    Ok(Apply { db, lease, plan: plan.id, actor: Actor::sync(SYSTEM, plan.run_id), progress }.run().await?.done)
}

/// Reads, proves, plans and applies. An account without assets is no failure, and retires nothing.
///
/// # Errors
/// Those of the database. What the vendor does wrong is written into the report.
pub async fn pull(job: &Job, client: &Freshservice, run: i64, report: &mut Report) -> Result<Vec<Item>> {
    job.progress.begin("reading assets", None);
    let found = match read(job, client, run, report).await {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(Vec::new()),
        Err(Error::Upstream { message, .. }) => {
            report.problems.push(message);
            report.ending = Ending::Upstream;
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    report.kinds.push(Kind::Asset);
    report.listed.insert(Kind::Asset.plural(), found.listed.len());
    let known = Known { types: types(client).await, ..known(job).await? };
    let Some(missing) = prove(job, client, &found, report).await? else { return Ok(Vec::new()) };
    let Found { pages, listed, .. } = found;
    let source: Arc<dyn Source> = Arc::new(Assets { run, pages, listed, known });
    let found = unlinked_devices::collect(&job.db, SYSTEM, &source, &missing).await?;
    let verdicts = Arc::new(matching::decide(&found.devices, &found.candidates, found.census));
    let (rules, open) = (Rules { system: SYSTEM, prefer: job.config.assets.prefer }, found.open);
    let reconciliation =
        Reconciliation { job: job.clone(), run, rules, plans: PLANS, source, missing, verdicts, open, notes: Vec::new() };
    let mut this = Report { kinds: vec![Kind::Asset], dry_run: report.dry_run, ..Report::default() };
    let items = reconciliation.run(&mut this).await?;
    report.absorb(this);
    Ok(items)
}

/// Walks the list into staging. `None` when the account has no assets at all.
async fn read(job: &Job, client: &Freshservice, run: i64, report: &mut Report) -> Result<Option<Found>> {
    let mut ask = ListParams { all_workspaces: true, ..ListParams::default() };
    let mut found = Found::default();
    let (mut number, mut repeated) = (1, 0);
    loop {
        let page = match client.assets(number, ask).await {
            Err(Fault { cause: Cause::Refused(..), .. }) if number == 1 && ask.all_workspaces => {
                ask.all_workspaces = false;
                continue;
            }
            Err(Fault { cause: Cause::Absent(why), .. }) => {
                tracing::info!(why, "Freshservice has no assets");
                return Ok(None);
            }
            page => page?,
        };
        let ids = ids(&page);
        match found.walk.take(number, &ids) {
            Step::Next(next) => {
                repeated = 0;
                keep(job, run, number, &page).await?;
                found.note(&page, number, report);
                job.progress.add(page.records.len());
                number = next;
            }
            Step::Again(next) => {
                repeated += 1;
                number = next;
                if !page.records.is_empty() {
                    tokio::time::sleep(retry::backoff(repeated)).await;
                }
            }
            Step::Done => return Ok(Some(found)),
            Step::Broken(why) => {
                return Err(Error::Upstream { service: NAME, message: format!("{NAME}: the list of assets: {why}") });
            }
        }
    }
}

fn ids(page: &Page) -> Vec<Option<String>> {
    page.records.iter().map(|record| record.get("id").and_then(wire::id)).collect()
}

async fn keep(job: &Job, run: i64, number: u32, page: &Page) -> Result<()> {
    let records: Vec<Map<String, Value>> = page.records.iter().filter_map(Value::as_object).map(short).collect();
    let body = serde_json::to_string(&records).map_err(Error::internal)?;
    let staged = [(LIST.to_owned(), i64::from(number), body)];
    job.write(&Actor::system("sync"), move |w| staged_store::put(w, run, &staged)).await
}

impl Found {
    fn note(&mut self, page: &Page, number: u32, report: &mut Report) {
        self.pages.push(i64::from(number));
        for (index, record) in page.records.iter().enumerate() {
            let Some(id) = record.get("id").and_then(wire::id) else {
                report.skip(&[format!("an asset on page {number}, record {}: no usable id", index + 1)]);
                continue;
            };
            if let (None, Some(display_id)) = (&self.sample, record.get("display_id").and_then(wire::id)) {
                self.sample = Some((id.clone(), display_id));
            }
            self.listed.insert(id, i64::from(number));
        }
    }
}

/// The names of types. Without them assets have none; that stops nothing.
async fn types(client: &Freshservice) -> HashMap<String, (String, Option<String>)> {
    let mut types = HashMap::new();
    for number in 1..=100 {
        let Ok(page) = client.asset_types(number).await else { break };
        let before = types.len();
        types.extend(page.records.iter().filter_map(Value::as_object).filter_map(asset_type));
        if types.len() == before || !page.next {
            break;
        }
    }
    types
}

async fn known(job: &Job) -> Result<Known> {
    let read = |c: &mut Conn| {
        let companies = links::all(c, SYSTEM, "company")?.into_iter().collect();
        let contacts = links::all(c, SYSTEM, "contact")?.into_iter().collect();
        Ok(Known { types: HashMap::new(), companies, contacts })
    };
    job.db.read(&Scope::All, read).await
}

/// Looks into every fed asset that the list lacked. `None` when the list as a whole proves nothing.
async fn prove(job: &Job, client: &Freshservice, found: &Found, report: &mut Report) -> Result<Option<Missing>> {
    let (listed, walk) = (&found.listed, &found.walk);
    let mut missing = Missing::default();
    let mut after = String::new();
    loop {
        let from = after.clone();
        let rows = job.db.read(&Scope::All, move |c| rows_store::fed(c, SYSTEM, &from, ROWS)).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.external_id);
        let unlisted = rows.into_iter().filter(|fed| !listed.contains_key(&fed.external_id));
        missing.rows.extend(unlisted.map(|fed| (fed.external_id, fed.asset)));
    }
    if missing.rows.is_empty() {
        return Ok(Some(missing));
    }
    if listed.is_empty() {
        let rows = missing.rows.len();
        report
            .problems
            .push(format!("{NAME}: the list of assets is empty although {rows} assets came from it; nothing was retired"));
        report.ending = Ending::Upstream;
        return Ok(None);
    }
    let Some(address) = address(client, found).await else {
        let again = if walk.disturbed() { None } else { again(client).await? };
        for (id, _) in &missing.rows {
            let evidence = match &again {
                Some(listed) if !listed.contains(id) => {
                    Evidence::Gone(format!("absent from two complete walks of the list, the second at {}", now()))
                }
                Some(_) => Evidence::Unclear("a second walk of the list found it".to_owned()),
                None => Evidence::Unclear("the list moved while it was walked".to_owned()),
            };
            missing.evidence.insert(id.clone(), evidence);
        }
        return Ok(Some(missing));
    };
    let ids: Vec<i64> = missing.rows.iter().map(|(_, asset)| *asset).collect();
    let sources = job.db.read(&Scope::All, move |c| sources_store::of(c, ids)).await?;
    let (mut alive, mut gone) = (0, 0);
    for (at, (id, asset)) in missing.rows.iter().enumerate() {
        let source = sources.get(asset).and_then(|all| all.iter().find(|source| source.system == SYSTEM));
        let display_id = source.and_then(|source| source.words.get("display_id")).and_then(Value::as_str);
        let number = if address == Address::Id { Some(id.as_str()) } else { display_id };
        let evidence = match number {
            _ if at >= LOOKUPS => Evidence::Unclear("not asked about yet; the next run goes on".to_owned()),
            None => Evidence::Unclear("its own address is not known".to_owned()),
            Some(number) => ask(client, id, number).await,
        };
        gone += u32::from(matches!(evidence, Evidence::Gone(_)));
        alive += u32::from(evidence == Evidence::Unclear(ALIVE.to_owned()));
        missing.evidence.insert(id.clone(), evidence);
        if alive >= ALIVE_ENOUGH && gone == 0 {
            report
                .problems
                .push(format!("{NAME}: the list of assets lacks at least {alive} that still exist; nothing was retired"));
            report.ending = Ending::Upstream;
            return Ok(None);
        }
    }
    Ok(Some(missing))
}

/// What its own address says of an asset that the list lacked.
async fn ask(client: &Freshservice, id: &str, number: &str) -> Evidence {
    match client.asset(number).await {
        Ok(None) => Evidence::Gone(format!("its own address /assets/{number} answered 404 at {}", now())),
        Ok(Some(record)) if is_trash(&record) => {
            Evidence::Gone(format!("it is in the vendor's trash, said /assets/{number} at {}", now()))
        }
        Ok(Some(record)) if record.get("id").and_then(wire::id).as_deref() == Some(id) => Evidence::Unclear(ALIVE.to_owned()),
        Ok(Some(_)) => Evidence::Unclear("its own address is another asset's now".to_owned()),
        Err(fault) => Evidence::Unclear(fault.to_string()),
    }
}

fn is_trash(record: &Map<String, Value>) -> bool {
    ["trashed", "deleted"].iter().any(|key| record.get(*key) == Some(&Value::Bool(true)))
}

/// How single assets can be asked for: one that was just listed must be there. `None` when they cannot.
async fn address(client: &Freshservice, found: &Found) -> Option<Address> {
    let (id, display_id) = found.sample.as_ref()?;
    for (number, address) in [(display_id, Address::Display), (id, Address::Id)] {
        if let Ok(Some(record)) = client.asset(number).await
            && record.get("id").and_then(wire::id).as_ref() == Some(id)
        {
            return Some(address);
        }
    }
    None
}

/// The ids in the list, read once more; `None` when it moved or could not be read.
async fn again(client: &Freshservice) -> Result<Option<HashSet<String>>> {
    let (mut walk, mut number, mut repeated) = (Paginator::default(), 1, 0);
    let mut ask = ListParams { all_workspaces: true, ..ListParams::default() };
    loop {
        let page = match client.assets(number, ask).await {
            Err(Fault { cause: Cause::Refused(..), .. }) if number == 1 && ask.all_workspaces => {
                ask.all_workspaces = false;
                continue;
            }
            Err(_) => return Ok(None),
            Ok(page) => page,
        };
        match walk.take(number, &ids(&page)) {
            Step::Next(next) => (number, repeated) = (next, 0),
            Step::Again(next) => {
                repeated += 1;
                number = next;
                if !page.records.is_empty() {
                    tokio::time::sleep(retry::backoff(repeated)).await;
                }
            }
            Step::Done => return Ok((!walk.disturbed()).then(|| walk.seen().clone())),
            Step::Broken(_) => return Ok(None),
        }
    }
}
