//! Finding out about records that a list lacked: their own address first, a second walk otherwise.

use std::collections::HashMap;

use serde_json::Value;

use super::reader::{Fetched, Reader};
use crate::{
    error::Result,
    plan::Kind,
    reconcile::planner::retire::Evidence,
    types::now,
    vendors::freshservice::{client::List, mapping},
};

/// How many records are asked for one by one; beyond that the list is walked a second time.
const LOOKUPS: usize = 300;
/// So many records alive and none gone: the list lies, there is no need to ask for more.
const ALIVE_ENOUGH: usize = 20;
/// So many failures in a row: asking one by one does not work today.
const FAULTS_ENOUGH: usize = 3;

/// What was found out about a list's missing records.
#[derive(Debug, Default)]
pub struct Findings {
    /// By vendor id.
    pub evidence: HashMap<String, Evidence>,
    /// Why the list as a whole proves nothing, when it does not.
    pub unproven: Option<String>,
}

impl Reader {
    /// Looks into every missing record. Those that turn out to be alive are added to what was fetched.
    pub async fn investigate(&self, list: List, missing: &[String], fetched: &mut Fetched) -> Result<Findings> {
        let mut findings = Findings::default();
        if missing.is_empty() {
            return Ok(findings);
        }
        self.progress.begin(&format!("checking {} that were not listed", list.kind.plural()), Some(missing.len() as u64));
        let mut open: Vec<&String> = missing.iter().collect();
        if self.can_ask(list, fetched).await {
            open = self.ask(list, missing, fetched, &mut findings).await;
        }
        if findings.unproven.is_none() && !open.is_empty() && fetched.skipped.is_empty() && !fetched.disturbed {
            let again = self.read_ids(list).await?;
            for id in open {
                let found = match &again {
                    Some(listed) if !listed.contains(id) => {
                        Evidence::Gone(format!("absent from two complete walks of {}, the second at {}", list.name(), now()))
                    }
                    Some(_) => Evidence::Unclear("a second walk of the list found it".to_owned()),
                    None => Evidence::Unclear("the list moved while it was walked a second time".to_owned()),
                };
                findings.evidence.insert(id.clone(), found);
            }
        }
        Ok(findings)
    }

    /// Whether single records can be asked for at all: one that was just listed must be there.
    async fn can_ask(&self, list: List, fetched: &Fetched) -> bool {
        let Some(known) = fetched.records.last() else { return false };
        matches!(self.client.record(list, &known.external_id).await, Ok(Some(_)))
    }

    /// Asks for each; returns those that stay open.
    async fn ask<'m>(
        &self,
        list: List,
        missing: &'m [String],
        fetched: &mut Fetched,
        findings: &mut Findings,
    ) -> Vec<&'m String> {
        let (mut alive, mut gone, mut faults) = (0_usize, 0_usize, 0_usize);
        let mut open: Vec<&String> = missing.iter().skip(LOOKUPS).collect();
        for id in missing.iter().take(LOOKUPS) {
            if faults >= FAULTS_ENOUGH {
                findings.evidence.insert(id.clone(), Evidence::Unclear("the vendor did not say whether it exists".to_owned()));
                continue;
            }
            let found = match self.client.record(list, id).await {
                Ok(None) => {
                    gone += 1;
                    faults = 0;
                    Evidence::Gone(format!("its own address /{}/{id} answered 404 at {}", list.name(), now()))
                }
                Ok(Some(record)) if list.kind == Kind::Contact && mapping::is_agent(&record) => {
                    Evidence::Gone(format!("it is an agent now, said /{}/{id} at {}", list.name(), now()))
                }
                Ok(Some(record)) => {
                    alive += 1;
                    faults = 0;
                    fetched.add(list.kind, &Value::Object(record), &self.names);
                    Evidence::Unclear("its own address still has it".to_owned())
                }
                Err(fault) => {
                    faults += 1;
                    Evidence::Unclear(fault.to_string())
                }
            };
            self.progress.add(1);
            findings.evidence.insert(id.clone(), found);
            if alive >= ALIVE_ENOUGH && gone == 0 {
                findings.unproven = Some(format!("the list of {} lacks at least {alive} records that still exist", list.name()));
                break;
            }
        }
        if alive > 0 {
            // A list that lacked living records proves nothing about the others.
            open.clear();
        }
        open
    }
}
