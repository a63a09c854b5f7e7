//! Asking Freshservice about departments, requesters and agents that a list lacked.

use serde_json::Value;

use super::reader::{Fetched, Reader};
use crate::{
    error::Result,
    plan::Kind,
    reconcile::absence::{self, Again, Answer, Findings, Search, Witness},
    types::now,
    vendors::freshservice::{client::List, mapping},
};

/// How many records are asked for one by one; beyond that the list is walked a second time.
const LOOKUPS: usize = 300;

struct Asking<'r> {
    reader: &'r Reader,
    list: List,
    fetched: &'r mut Fetched,
}

impl Witness for Asking<'_> {
    async fn can_ask(&mut self) -> bool {
        let Some(known) = self.fetched.records.last().map(|record| record.external_id.clone()) else { return false };
        matches!(self.reader.client.record(self.list, &known).await, Ok(Some(_)))
    }

    async fn ask(&mut self, id: &str) -> Answer {
        let list = self.list;
        match self.reader.client.record(list, id).await {
            Ok(None) => Answer::Gone(format!("its own address /{}/{id} answered 404 at {}", list.name(), now())),
            Ok(Some(record)) if list.kind == Kind::Contact && mapping::is_agent(&record) => {
                Answer::Elsewhere(format!("it is an agent now, said /{}/{id} at {}", list.name(), now()))
            }
            Ok(Some(record)) => {
                self.fetched.add(list.kind, &Value::Object(record), self.reader.names());
                Answer::Alive
            }
            Err(fault) => Answer::Fault(fault.to_string()),
        }
    }

    async fn walk_again(&mut self) -> Result<Again> {
        if self.fetched.disturbed || !self.fetched.skipped.is_empty() {
            return Ok(Again::Untried);
        }
        let again = self.reader.read_ids(self.list).await?;
        Ok(again.map_or(Again::Unclear("the list moved while it was walked a second time"), Again::Listed))
    }
}

impl Reader {
    /// Looks into every missing record. Those that turn out to be alive are added to what was fetched.
    pub async fn investigate(&self, list: List, missing: &[String], fetched: &mut Fetched) -> Result<Findings> {
        if !missing.is_empty() {
            self.job.progress.begin(&format!("checking {} that were not listed", list.kind.plural()), Some(missing.len() as u64));
        }
        let search = Search { lookups: LOOKUPS, rest_waits: false, walks: list.name(), lists: "list" };
        absence::investigate(&mut Asking { reader: self, list, fetched }, search, missing, &self.job.progress).await
    }
}
