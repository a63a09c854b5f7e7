//! Reading one list whole, into staging: walked to its end, walked again when it moved, over all
//! workspaces, and taken up where an interrupted run left off.

use std::{collections::HashSet, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use crate::{
    config::FieldNames,
    db::Db,
    error::{Error, Result},
    jobs::{lease_store::Lease, runs_store},
    plan::{Kind, record::SourceRecord},
    progress::Progress,
    reconcile::paginator::{Paginator, Step},
    types::{Actor, Scope},
    vendors::{
        freshservice::{
            client::{Freshservice, List, Page},
            mapping, wire,
        },
        retry,
    },
};

/// Staged pages fewer than these are not worth taking up again.
const WORTH_RESUMING: usize = 4;

/// What a run needs while it reads.
pub struct Reader {
    /// Where pages are staged.
    pub db: Db,
    /// Proof that this run may write.
    pub lease: Lease,
    /// The run.
    pub run: i64,
    /// An interrupted run whose pages may be used.
    pub predecessor: Option<i64>,
    /// The vendor.
    pub client: Freshservice,
    /// Names of custom fields.
    pub names: FieldNames,
    /// Where to say how far we are.
    pub progress: Arc<Progress>,
}

/// Everything one list said.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Its records in our words; a vendor id may occur twice, the later one counts.
    pub records: Vec<SourceRecord>,
    /// Every vendor id it listed, also of records that are left out on purpose.
    pub listed: HashSet<String>,
    /// Records without a usable id, in words.
    pub skipped: Vec<String>,
    /// Requesters that are really agents.
    pub agents: usize,
    /// Whether it still moved when it was walked a second time.
    pub disturbed: bool,
}

impl Fetched {
    /// Adds a record that a list or its own address gave. `false` without a usable id.
    pub fn add(&mut self, kind: Kind, record: &Value, names: &FieldNames) -> bool {
        let Some(record) = record.as_object() else { return false };
        let mapped = match kind {
            Kind::Company => mapping::company_from(record, names),
            Kind::Contact if mapping::is_agent(record) => {
                self.agents += 1;
                return record.get("id").and_then(wire::id).is_some();
            }
            Kind::Contact => mapping::contact_from(record, names),
            Kind::PsaAgent => mapping::agent_from(record),
            Kind::Site | Kind::Asset => None,
            Kind::Ticket => None,
        };
        let Some(mapped) = mapped else { return false };
        self.listed.insert(mapped.external_id.clone());
        self.records.push(mapped);
        true
    }
}

impl Reader {
    /// Reads a list whole.
    pub async fn read(&self, list: List, expected: u64) -> Result<Fetched> {
        self.progress.begin(&format!("reading {}", list.name()), Some(expected).filter(|n| *n > 0));
        let mut fetched = Fetched::default();
        let mut walk = self.walk(list, list.name(), false, &mut fetched).await?;
        if walk.disturbed() {
            tracing::info!(list = list.name(), "the list moved while it was read; reading it again");
            walk = self.walk(list, &format!("{} again", list.name()), false, &mut fetched).await?;
            fetched.disturbed = walk.disturbed();
        }
        if list.kind != Kind::PsaAgent && self.is_narrowed(list, &walk).await? {
            tracing::info!(list = list.name(), "the list shows one workspace only; reading all workspaces");
            let all = self.walk(list, &format!("{} of all workspaces", list.name()), true, &mut fetched).await?;
            fetched.disturbed |= all.disturbed();
        }
        Ok(fetched)
    }

    /// Reads a list once more and returns the ids in it; `None` when it moved meanwhile.
    pub async fn read_ids(&self, list: List) -> Result<Option<HashSet<String>>> {
        let mut fetched = Fetched::default();
        let walk = self.walk(list, &format!("{} checked", list.name()), false, &mut fetched).await?;
        let mut listed = walk.seen().clone();
        let mut quiet = !walk.disturbed() && fetched.skipped.is_empty();
        if list.kind != Kind::PsaAgent && self.is_narrowed(list, &walk).await? {
            let all = self.walk(list, &format!("{} of all workspaces checked", list.name()), true, &mut fetched).await?;
            listed.extend(all.seen().iter().cloned());
            quiet &= !all.disturbed() && fetched.skipped.is_empty();
        }
        Ok(quiet.then_some(listed))
    }

    async fn walk(&self, list: List, key: &str, all_workspaces: bool, fetched: &mut Fetched) -> Result<Paginator> {
        let mut walk = Paginator::default();
        let mut number = if key == list.name() { self.resume(list, &mut walk, fetched).await? } else { 1 };
        let mut repeated = 0;
        loop {
            let page = self.client.page(list, number, all_workspaces).await?;
            let ids = ids(&page.records);
            match walk.take(number, &ids) {
                Step::Next(next) => {
                    repeated = 0;
                    self.keep(list, key, number, &page, fetched).await?;
                    number = next;
                }
                Step::Again(next) => {
                    repeated += 1;
                    number = next;
                    if !page.records.is_empty() {
                        tokio::time::sleep(retry::backoff(repeated)).await;
                    }
                }
                Step::Done => return Ok(walk),
                Step::Broken(why) => {
                    return Err(Error::Upstream {
                        service: "Freshservice",
                        message: format!("the list of {}: {why}", list.name()),
                    });
                }
            }
            tokio::time::sleep(Duration::ZERO).await;
        }
    }

    /// Stages a page and takes its records over.
    async fn keep(&self, list: List, key: &str, number: u32, page: &Page, fetched: &mut Fetched) -> Result<()> {
        let body = serde_json::to_string(&page.records).map_err(Error::internal)?;
        let (lease, run, key) = (self.lease.clone(), self.run, key.to_owned());
        let actor = Actor::system("sync");
        self.db.write_bulk(&Scope::All, &actor, move |w| runs_store::stage(w, &lease, run, &key, number, &body)).await?;
        self.take(list, number, &page.records, fetched);
        Ok(())
    }

    fn take(&self, list: List, number: u32, records: &[Value], fetched: &mut Fetched) {
        for (index, record) in records.iter().enumerate() {
            if !fetched.add(list.kind, record, &self.names) {
                // Where it is, not who: this goes into the job's log, which everybody on the staff's side reads.
                fetched.skipped.push(format!("page {number} of {}, record {}: no usable id", list.name(), index + 1));
            }
        }
        self.progress.add(records.len());
    }

    /// Takes up the staged shown of an interrupted run, if the vendor still shows the first and the
    /// last of them as they were. Returns the page to go on with.
    async fn resume(&self, list: List, walk: &mut Paginator, fetched: &mut Fetched) -> Result<u32> {
        let Some(from) = self.predecessor else { return Ok(1) };
        let leftover = self.db.read(&Scope::All, move |c| runs_store::staged(c, from, list.name())).await?;
        let gapless = leftover.iter().zip(1..).all(|((page, _), want)| *page == want);
        if leftover.len() < WORTH_RESUMING || !gapless {
            return Ok(1);
        }
        let shown: Vec<Vec<Value>> = leftover.iter().filter_map(|(_, body)| serde_json::from_str(body).ok()).collect();
        let last = u32::try_from(shown.len()).unwrap_or(1);
        for number in [1, last] {
            let page = self.client.page(list, number, false).await?;
            if shown.len() != leftover.len() || shown.get(number as usize - 1) != Some(&page.records) {
                return Ok(1);
            }
        }
        for (number, records) in (1..).zip(&shown) {
            if walk.take(number, &ids(records)) != Step::Next(number + 1) {
                *walk = Paginator::default();
                *fetched = Fetched::default();
                return Ok(1);
            }
            self.take(list, number, records, fetched);
        }
        let (lease, run) = (self.lease.clone(), self.run);
        let actor = Actor::system("sync");
        self.db
            .write_bulk(&Scope::All, &actor, move |w| runs_store::inherit(w, &lease, from, run, list.name(), i64::from(last)))
            .await?;
        tracing::info!(list = list.name(), pages = last, "going on where an interrupted run left off");
        Ok(last + 1)
    }

    /// Whether the account shows one workspace unless asked for all: then the last page looks different
    /// with all of them. An account that does not know the parameter refuses it, and is not narrowed.
    async fn is_narrowed(&self, list: List, walk: &Paginator) -> Result<bool> {
        let (number, ids_before) = walk.last_page().unwrap_or((1, &[]));
        let Ok(page) = self.client.page(list, number, true).await else { return Ok(false) };
        let known: Vec<String> = ids(&page.records).into_iter().flatten().collect();
        if !page.records.is_empty() && known != ids_before {
            return Ok(true);
        }
        if page.records.is_empty() || !walk.last_is_full() {
            return Ok(false);
        }
        Ok(self.client.page(list, number + 1, true).await.is_ok_and(|page| !page.records.is_empty()))
    }
}

fn ids(records: &[Value]) -> Vec<Option<String>> {
    records.iter().map(|record| record.as_object().and_then(|r: &Map<String, Value>| r.get("id")).and_then(wire::id)).collect()
}
