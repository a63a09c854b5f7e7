//! Freshservice's assets, after its companies and people are in: the same assets as the RMM's devices.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::{Map, Value};

use super::{
    asset_mapping::{References, asset_from, asset_type, short},
    reader::Reader,
};
use crate::{
    db::Conn,
    error::{Error, Result},
    history::links,
    jobs::Job,
    plan::{Item, Kind},
    reconcile::{
        absence::{self, Again, Answer, Search, Witness},
        assets::{
            DeviceList, DeviceRecord, Devices, Missing, Rules,
            devices::{self, After},
            matching, sources_store, unlinked_devices,
        },
        paginator::{Paginator, Shown},
        reconciliation::Reconciliation,
        report::{Ending, Report},
        staged_store,
        walk::{List, Staged, go_on, walk},
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
    },
};

/// The name under which plans about assets are kept apart from those about companies and people.
pub const PLANS: &str = "freshservice-assets";
/// The staged list.
const LIST: &str = "assets";
/// Records asked for one by one.
const LOOKUPS: usize = 300;

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
struct StagedAssets {
    run: i64,
    pages: Vec<i64>,
    listed: Listed,
    known: References,
}

impl DeviceList for StagedAssets {
    fn chunks(&self) -> usize {
        self.pages.len()
    }

    fn read(&self, c: &mut Conn, chunk: usize) -> Result<Vec<DeviceRecord>> {
        let Some(page) = self.pages.get(chunk).copied() else { return Ok(Vec::new()) };
        let body = staged_store::page(c, self.run, LIST, page)?.ok_or_else(|| Error::internal("a staged page is missing"))?;
        let records: Vec<Map<String, Value>> = serde_json::from_str(&body).map_err(Error::internal)?;
        let mut done = HashSet::new();
        let here = |told: &DeviceRecord| self.listed.get(&told.external_id) == Some(&page);
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

/// Reads, proves, plans and applies. An account without assets is no failure, and retires nothing.
pub async fn pull(reader: &Reader, report: &mut Report) -> Result<Vec<Item>> {
    let Reader { job, client, run, .. } = reader;
    job.progress.begin("reading assets", None);
    let found = match read(reader, report).await {
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
    let known = References { types: types(client).await, ..known(job).await? };
    let Some(missing) = prove(job, client, &found, report).await? else { return Ok(Vec::new()) };
    let Found { pages, listed, .. } = found;
    let list: Arc<dyn DeviceList> = Arc::new(StagedAssets { run: *run, pages, listed, known });
    let found = unlinked_devices::collect(&job.db, SYSTEM, &list, &missing).await?;
    let verdicts = Arc::new(matching::decide(&found.devices, &found.candidates, found.census));
    let (rules, open) = (Rules { system: SYSTEM, prefer: job.config.assets.prefer }, found.open);
    let mut source = Devices { rules, list, missing, verdicts, open, notes: Vec::new(), after: After::default() };
    let mut this = Report { kinds: vec![Kind::Asset], dry_run: report.dry_run, ..Report::default() };
    let reconciliation = Reconciliation::of(job, *run, SYSTEM, PLANS);
    let items = reconciliation.run(&mut source, &mut this).await?;
    report.absorb(this);
    Ok(items)
}

/// Walks the list into staging. `None` when the account has no assets at all.
async fn read(reader: &Reader, report: &mut Report) -> Result<Option<Found>> {
    let mut found = Found::default();
    let Reader { job, run, predecessor, client } = reader;
    let staged = Some(Staging { job, run: *run, found: &mut found, report });
    let mut pages = Pages { client, ask: ALL, is_absent: false, staged };
    let walked = go_on(&mut pages, job, *predecessor, *run, LIST).await;
    if pages.is_absent {
        return Ok(None);
    }
    found.walk = walked?;
    Ok(Some(found))
}

/// Everything, in all workspaces.
const ALL: ListParams = ListParams { all_workspaces: true, embed: false };

/// One walk over the list.
struct Pages<'w> {
    client: &'w Freshservice,
    ask: ListParams,
    /// Whether the account has none of this.
    is_absent: bool,
    /// Where the pages are kept, when they are.
    staged: Option<Staging<'w>>,
}

struct Staging<'w> {
    job: &'w Job,
    run: i64,
    found: &'w mut Found,
    report: &'w mut Report,
}

impl List for Pages<'_> {
    type Page = Page;
    const FIRST: u32 = 1;

    async fn page(&mut self, number: u32) -> Result<Page> {
        let mut answer = self.client.assets(number, self.ask).await;
        if let Err(Fault { cause: Cause::Refused(..), .. }) = &answer
            && number == 1
            && self.ask.all_workspaces
        {
            self.ask.all_workspaces = false;
            answer = self.client.assets(number, self.ask).await;
        }
        if let Err(Fault { cause: Cause::Absent(why), .. }) = &answer {
            tracing::info!(why, "Freshservice has no assets");
            self.is_absent = true;
        }
        Ok(answer?)
    }

    fn shown(&self, page: &Page) -> Shown {
        Shown::of(page.records.iter().map(|record| record.get("id").and_then(wire::id)))
    }

    async fn keep(&mut self, number: u32, page: Page) -> Result<()> {
        let Some(Staging { job, run, found, report }) = self.staged.as_mut().filter(|_| !page.records.is_empty()) else {
            return Ok(());
        };
        let body = serde_json::to_string(&shortened(&page)).map_err(Error::internal)?;
        let (run, staged) = (*run, [(LIST.to_owned(), i64::from(number), body)]);
        job.write(&Actor::system("sync"), move |w| staged_store::put(w, run, &staged)).await?;
        found.note(&page, number, report);
        job.progress.add(page.records.len());
        Ok(())
    }

    fn broken(&self, why: String) -> Error {
        Error::Upstream { service: NAME, message: format!("{NAME}: the list of assets: {why}") }
    }
}

impl Staged for Pages<'_> {
    fn read(&self, body: &str) -> Option<Page> {
        Some(Page { records: serde_json::from_str(body).ok()?, next: true })
    }

    fn compared(&self, count: u32, _: bool) -> Vec<u32> {
        vec![1, count]
    }

    fn is_same(&self, staged: &Page, now: &Page) -> bool {
        staged.records == shortened(now)
    }

    fn take_over(&mut self, number: u32, page: Page) {
        if let Some(Staging { job, found, report, .. }) = &mut self.staged {
            found.note(&page, number, report);
            job.progress.add(page.records.len());
        }
    }
}

/// A page as it is staged.
fn shortened(page: &Page) -> Vec<Value> {
    page.records.iter().filter_map(Value::as_object).map(|record| Value::Object(short(record))).collect()
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

async fn known(job: &Job) -> Result<References> {
    let read = |c: &mut Conn| {
        let companies = links::all(c, SYSTEM, "company")?.into_iter().collect();
        let contacts = links::all(c, SYSTEM, "contact")?.into_iter().collect();
        Ok(References { types: HashMap::new(), companies, contacts })
    };
    job.db.read(&Scope::All, read).await
}

/// Looks into every fed asset that the list lacked. `None` when the list as a whole proves nothing.
async fn prove(job: &Job, client: &Freshservice, found: &Found, report: &mut Report) -> Result<Option<Missing>> {
    let listed = &found.listed;
    let unlisted = devices::unlisted(&job.db, SYSTEM, |id| listed.contains_key(id)).await?;
    let rows = unlisted.into_iter().map(|fed| (fed.external_id, fed.asset)).collect();
    let mut missing = Missing { rows, ..Missing::default() };
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
    job.progress.begin("checking assets that were not listed", Some(missing.rows.len() as u64));
    let ids: Vec<i64> = missing.rows.iter().map(|(_, asset)| *asset).collect();
    let mut sources = job.db.read(&Scope::All, move |c| sources_store::of(c, ids)).await?;
    let display_ids = missing.rows.iter().filter_map(|(id, asset)| {
        let source = sources.remove(asset)?.into_iter().find(|source| source.system == SYSTEM)?;
        Some((id.clone(), source.words.get("display_id")?.as_str()?.to_owned()))
    });
    let mut asking = Asking { client, found, display_ids: display_ids.collect(), address: Address::Display };
    let search = Search { lookups: LOOKUPS, rest_waits: true, walks: "the list", lists: "list" };
    let ids: Vec<String> = missing.rows.iter().map(|(id, _)| id.clone()).collect();
    let findings = absence::investigate(&mut asking, search, &ids, &job.progress).await?;
    if findings.count.list_lies() {
        let alive = findings.count.alive;
        report.problems.push(format!("{NAME}: the list of assets lacks at least {alive} that still exist; nothing was retired"));
        report.ending = Ending::Upstream;
        return Ok(None);
    }
    missing.evidence = findings.evidence;
    Ok(Some(missing))
}

/// Asking about single assets.
struct Asking<'f> {
    client: &'f Freshservice,
    found: &'f Found,
    /// By the vendor's id.
    display_ids: HashMap<String, String>,
    /// By which number single assets can be asked for.
    address: Address,
}

impl Witness for Asking<'_> {
    async fn can_ask(&mut self) -> bool {
        let Some((id, display_id)) = self.found.sample.as_ref() else { return false };
        for (number, address) in [(display_id, Address::Display), (id, Address::Id)] {
            if let Ok(Some(record)) = self.client.asset(number).await
                && record.get("id").and_then(wire::id).as_ref() == Some(id)
            {
                self.address = address;
                return true;
            }
        }
        false
    }

    async fn ask(&mut self, id: &str) -> Answer {
        let number = if self.address == Address::Id { Some(id) } else { self.display_ids.get(id).map(String::as_str) };
        let Some(number) = number else { return Answer::Unclear("its own address is not known".to_owned()) };
        match self.client.asset(number).await {
            Ok(None) => Answer::Gone(format!("its own address /assets/{number} answered 404 at {}", now())),
            Ok(Some(record)) if is_trash(&record) => {
                Answer::Gone(format!("it is in the vendor's trash, said /assets/{number} at {}", now()))
            }
            Ok(Some(record)) if record.get("id").and_then(wire::id).as_deref() == Some(id) => Answer::Alive,
            Ok(Some(_)) => Answer::Unclear("its own address is another asset's now".to_owned()),
            Err(fault) => Answer::Fault(fault.to_string()),
        }
    }

    async fn walk_again(&mut self) -> Result<Again> {
        let moved = Again::Unclear("the list moved while it was walked");
        if self.found.walk.is_disturbed() {
            return Ok(moved);
        }
        let mut pages = Pages { client: self.client, ask: ALL, is_absent: false, staged: None };
        let again = walk(&mut pages, Paginator::default(), 1).await.ok().filter(|again| !again.is_disturbed());
        Ok(again.map_or(moved, |again| Again::Listed(again.seen().clone())))
    }
}

fn is_trash(record: &Map<String, Value>) -> bool {
    ["trashed", "deleted"].iter().any(|key| record.get(*key) == Some(&Value::Bool(true)))
}
