//! Reading one list whole, into staging: walked to its end, walked again when it moved, over all
//! workspaces, and taken up where an interrupted run left off.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::{
    config::FieldNames,
    error::{Error, Result},
    jobs::Job,
    plan::{Kind, record::SourceRecord},
    reconcile::{
        paginator::{Paginator, Shown},
        staged_store,
        walk::{self, Staged},
    },
    types::Actor,
    vendors::freshservice::{
        NAME,
        client::{Freshservice, List},
        mapping, wire,
    },
};

/// What a run needs while it reads.
pub struct Reader {
    /// The job it belongs to.
    pub job: Job,
    /// The run.
    pub run: i64,
    /// An interrupted run whose pages may be used.
    pub predecessor: Option<i64>,
    /// The vendor.
    pub client: Freshservice,
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
            _ => None,
        };
        let Some(mapped) = mapped else { return false };
        self.listed.insert(mapped.external_id.clone());
        self.records.push(mapped);
        true
    }
}

/// One walk over a list.
struct Walk<'r> {
    reader: &'r Reader,
    list: List,
    /// The name under which its pages are staged.
    key: &'r str,
    all_workspaces: bool,
    fetched: &'r mut Fetched,
}

impl walk::List for Walk<'_> {
    type Page = Vec<Value>;
    const FIRST: u32 = 1;

    async fn page(&mut self, number: u32) -> Result<Vec<Value>> {
        Ok(self.reader.client.page(self.list, number, self.all_workspaces).await?.records)
    }

    fn shown(&self, page: &Vec<Value>) -> Shown {
        Shown::of(page.iter().map(id))
    }

    async fn keep(&mut self, number: u32, page: Vec<Value>) -> Result<()> {
        if !page.is_empty() {
            let body = serde_json::to_string(&page).map_err(Error::internal)?;
            let (run, staged) = (self.reader.run, [(self.key.to_owned(), i64::from(number), body)]);
            self.reader.job.write(&Actor::system("sync"), move |w| staged_store::put(w, run, &staged)).await?;
            self.take_over(number, page);
        }
        Ok(())
    }

    fn broken(&self, why: String) -> Error {
        Error::Upstream { service: NAME, message: format!("the list of {}: {why}", self.list.name()) }
    }
}

impl Staged for Walk<'_> {
    fn read(&self, body: &str) -> Option<Vec<Value>> {
        serde_json::from_str(body).ok()
    }

    fn compared(&self, count: u32, _: bool) -> Vec<u32> {
        vec![1, count]
    }

    fn is_same(&self, staged: &Vec<Value>, now: &Vec<Value>) -> bool {
        staged == now
    }

    fn take_over(&mut self, number: u32, page: Vec<Value>) {
        for (index, record) in page.iter().enumerate() {
            if !self.fetched.add(self.list.kind, record, self.reader.names()) {
                // Where it is, not who: this goes into the job's log, which everybody on the staff's side reads.
                let skipped = format!("page {number} of {}, record {}: no usable id", self.list.name(), index + 1);
                self.fetched.skipped.push(skipped);
            }
        }
        self.reader.job.progress.add(page.len());
    }
}

impl Reader {
    /// Names of custom fields.
    pub fn names(&self) -> &FieldNames {
        &self.job.config.freshservice.fields
    }

    /// Reads a list whole.
    pub async fn read(&self, list: List, expected: u64) -> Result<Fetched> {
        self.job.progress.begin(&format!("reading {}", list.name()), Some(expected).filter(|n| *n > 0));
        let mut fetched = Fetched::default();
        let mut walk = self.walk(list, list.name(), false, &mut fetched).await?;
        if walk.is_disturbed() {
            tracing::info!(list = list.name(), "the list moved while it was read; reading it again");
            walk = self.walk(list, &format!("{} again", list.name()), false, &mut fetched).await?;
            fetched.disturbed = walk.is_disturbed();
        }
        if list.kind != Kind::PsaAgent && self.is_narrowed(list, &walk).await? {
            tracing::info!(list = list.name(), "the list shows one workspace only; reading all workspaces");
            let all = self.walk(list, &format!("{} of all workspaces", list.name()), true, &mut fetched).await?;
            fetched.disturbed |= all.is_disturbed();
        }
        Ok(fetched)
    }

    /// Reads a list once more and returns the ids in it; `None` when it moved meanwhile.
    pub async fn read_ids(&self, list: List) -> Result<Option<HashSet<String>>> {
        let mut fetched = Fetched::default();
        let walk = self.walk(list, &format!("{} checked", list.name()), false, &mut fetched).await?;
        let mut listed = walk.seen().clone();
        let mut quiet = !walk.is_disturbed() && fetched.skipped.is_empty();
        if list.kind != Kind::PsaAgent && self.is_narrowed(list, &walk).await? {
            let all = self.walk(list, &format!("{} of all workspaces checked", list.name()), true, &mut fetched).await?;
            listed.extend(all.seen().iter().cloned());
            quiet &= !all.is_disturbed() && fetched.skipped.is_empty();
        }
        Ok(quiet.then_some(listed))
    }

    async fn walk(&self, list: List, key: &str, all_workspaces: bool, fetched: &mut Fetched) -> Result<Paginator> {
        let mut pages = Walk { reader: self, list, key, all_workspaces, fetched };
        let from = self.predecessor.filter(|_| key == list.name());
        walk::go_on(&mut pages, &self.job, from, self.run, list.name()).await
    }

    /// Whether the account shows one workspace unless asked for all: then the last page looks different
    /// with all of them. An account that does not know the parameter refuses it, and is not narrowed.
    async fn is_narrowed(&self, list: List, walk: &Paginator) -> Result<bool> {
        let (number, ids_before) = walk.last_page().unwrap_or((1, &[]));
        let Ok(page) = self.client.page(list, number, true).await else { return Ok(false) };
        let known: Vec<String> = page.records.iter().filter_map(id).collect();
        if !page.records.is_empty() && known != ids_before {
            return Ok(true);
        }
        if page.records.is_empty() || !walk.last_is_full() {
            return Ok(false);
        }
        Ok(self.client.page(list, number + 1, true).await.is_ok_and(|page| !page.records.is_empty()))
    }
}

fn id(record: &Value) -> Option<String> {
    record.as_object().and_then(|record: &Map<String, Value>| record.get("id")).and_then(wire::id)
}
