//! Asking for single tickets that a list lacked or called gone: only their own address proves anything.

use std::collections::{HashMap, HashSet};

use super::{
    pages_store,
    record::Record,
    report::Report,
    run::Run,
    sightings_store::{self, Suspect},
};
use crate::{
    db::Write,
    error::{Error, Result},
    reconcile::absence::{self, Again, Answer, Count, Evidence, Search, UNASKED, Witness},
    types::{Scope, now},
};

/// What is embedded in a single ticket.
pub const EMBED: &str = "stats,requester";

/// What was found out about suspects.
#[derive(Debug, Default)]
pub struct Findings {
    /// Proven gone, with the proof.
    pub gone: Vec<(Suspect, String)>,
    /// What the answers were.
    pub count: Count,
}

/// Asks for suspects one by one. Those that are alive are stored as they are; of the others the proof is kept.
struct Single<'r> {
    run: &'r Run,
    report: &'r mut Report,
    suspects: HashMap<String, Suspect>,
    /// Whether a 404 proves anything here; looked into when the first one comes.
    is_trusted: Option<bool>,
    /// What the vendor said last instead of an answer.
    fault: String,
    /// Why it could not be kept what was found.
    failed: Option<Error>,
}

impl Witness for Single<'_> {
    /// Looked into when a 404 comes, which is seldom.
    async fn can_ask(&mut self) -> bool {
        true
    }

    async fn ask(&mut self, external_id: &str) -> Answer {
        let Some(suspect) = self.suspects.get(external_id).copied().filter(|_| self.failed.is_none()) else {
            return Answer::Unclear(UNASKED.to_owned());
        };
        self.look(suspect).await.unwrap_or_else(|error| {
            self.failed = Some(error);
            Answer::Unclear(UNASKED.to_owned())
        })
    }

    async fn walk_again(&mut self) -> Result<Again> {
        Ok(Again::Untried)
    }
}

impl Single<'_> {
    async fn look(&mut self, suspect: Suspect) -> Result<Answer> {
        if self.is_trusted == Some(false) {
            return Ok(Answer::Unclear(UNASKED.to_owned()));
        }
        let (answer, record) = self.run.ask(suspect.external_id).await;
        match (&answer, record) {
            (Answer::Gone(because), record) => {
                if record.is_none() && !self.is_trusted().await? {
                    let why = "Freshservice answers 404 for tickets that exist, so it proves nothing; nothing was retired";
                    self.report.problem(why.to_owned());
                    return Ok(Answer::Unclear(UNASKED.to_owned()));
                }
                if !self.report.dry_run {
                    let (ticket, proof) = (suspect.ticket_id, because.clone());
                    let keep = move |w: &mut Write<'_>| sightings_store::gone(w, ticket, &proof);
                    self.run.job.write(&self.run.actor(), keep).await?;
                }
            }
            (Answer::Alive, Some(record)) => self.run.store_one(record, self.report).await?,
            (Answer::Fault(fault), _) => self.fault.clone_from(fault),
            _ => {}
        }
        Ok(answer)
    }

    async fn is_trusted(&mut self) -> Result<bool> {
        if let Some(known) = self.is_trusted {
            return Ok(known);
        }
        let trusted = self.run.can_ask(self.suspects.values()).await?;
        self.is_trusted = Some(trusted);
        Ok(trusted)
    }
}

impl Run {
    /// Asks for those of our live tickets that have these numbers.
    pub async fn verify_ids(&self, external_ids: Vec<i64>, report: &mut Report) -> Result<()> {
        if external_ids.is_empty() {
            return Ok(());
        }
        let suspects = self.job.db.read(&Scope::All, move |c| sightings_store::known(c, external_ids)).await?;
        self.verify(&suspects, report).await.map(|_| ())
    }

    /// Asks for each.
    pub async fn verify(&self, suspects: &[Suspect], report: &mut Report) -> Result<Findings> {
        let missing: Vec<String> = suspects.iter().map(|suspect| suspect.external_id.to_string()).collect();
        let by_id = missing.iter().cloned().zip(suspects.iter().copied()).collect();
        let (is_trusted, fault, failed) = (None, String::new(), None);
        let mut single = Single { run: self, report, suspects: by_id, is_trusted, fault, failed };
        let search = Search { lookups: missing.len(), rest_waits: true, walks: "the list of tickets", lists: "list" };
        let found = absence::investigate(&mut single, search, &missing, &self.job.progress).await?;
        let Single { suspects, report, fault, failed, .. } = single;
        if let Some(error) = failed {
            return Err(error);
        }
        if found.count.is_refused() {
            let unasked = found.evidence.values().filter(|found| **found == Evidence::Unclear(UNASKED.to_owned())).count();
            report.problem(format!("Freshservice does not say whether {} tickets exist: {fault}", unasked + 1));
        }
        let proven = |id: &String| match found.evidence.get(id) {
            Some(Evidence::Gone(how)) => Some((*suspects.get(id)?, how.clone())),
            _ => None,
        };
        Ok(Findings { gone: missing.iter().filter_map(proven).collect(), count: found.count })
    }

    /// Asks for one ticket by its own address.
    async fn ask(&self, id: i64) -> (Answer, Option<Record>) {
        let told = match self.client.ticket(&id.to_string(), EMBED).await {
            Ok(Some(told)) => self.one_without_forgotten(told),
            Ok(None) => return (Answer::Gone(format!("its own address /tickets/{id} answered 404 at {}", now())), None),
            Err(fault) => return (Answer::Fault(fault.to_string()), None),
        };
        let Some(record) = Record::read(&told, &self.statuses, &self.horizon) else {
            return (Answer::Unclear("its own address tells of no ticket".to_owned()), None);
        };
        let answer = match record.gone {
            Some(how) => Answer::Gone(format!("its own address /tickets/{id} says that it {how}, at {}", now())),
            None => Answer::Alive,
        };
        (answer, Some(record))
    }

    /// Whether single tickets can be asked for at all: one that was seen a moment ago must be there.
    async fn can_ask(&self, suspects: impl Iterator<Item = &Suspect>) -> Result<bool> {
        let doubted: HashSet<i64> = suspects.map(|suspect| suspect.ticket_id).collect();
        let seen = self.job.db.read(&Scope::All, |c| sightings_store::last_seen(c, 5)).await?;
        let Some(witness) = seen.into_iter().find(|one| !doubted.contains(&one.ticket_id)) else { return Ok(false) };
        Ok(matches!(self.client.ticket(&witness.external_id.to_string(), "").await, Ok(Some(_))))
    }

    /// Stores one ticket as its own address tells it, and counts that.
    pub async fn store_one(&self, record: Record, report: &mut Report) -> Result<()> {
        let (records, listing, base) = (vec![record], self.listing, self.job.config.freshservice.web_url.clone());
        if !report.dry_run {
            let page = self.job.write(&self.actor(), move |w| pages_store::keep(w, &records, listing, base.as_deref())).await?;
            report.add(page);
        }
        Ok(())
    }

    /// The same without counting: its list has been counted.
    pub async fn store_quietly(&self, record: Record) -> Result<()> {
        let (records, listing, base) = (vec![record], self.listing, self.job.config.freshservice.web_url.clone());
        self.job.write(&self.actor(), move |w| pages_store::keep(w, &records, listing, base.as_deref())).await.map(|_| ())
    }
}
