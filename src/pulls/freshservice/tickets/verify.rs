//! Asking for single tickets that a list lacked or called gone: only their own address proves anything.

use std::collections::HashSet;

use super::{
    pages_store,
    record::Record,
    report::Report,
    run::Run,
    sightings_store::{self, Suspect},
};
use crate::{
    error::Result,
    reconcile::absence::{Answer, Count},
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
    /// Nobody knows.
    pub unclear: usize,
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

    /// Asks for each. Those that are alive are stored as they are; of the others the proof is kept.
    pub async fn verify(&self, suspects: &[Suspect], report: &mut Report) -> Result<Findings> {
        let mut findings = Findings::default();
        let mut trusted = None;
        for (at, suspect) in suspects.iter().enumerate() {
            let (answer, record) = self.ask(suspect.external_id).await;
            if matches!(answer, Answer::Gone(_)) && record.is_none() {
                if trusted.is_none() {
                    trusted = Some(self.can_ask(suspects).await?);
                }
                if trusted == Some(false) {
                    findings.unclear = suspects.len() - at;
                    let why = "Freshservice answers 404 for tickets that exist, so it proves nothing; nothing was retired";
                    report.problem(why.to_owned());
                    break;
                }
            }
            findings.count.note(&answer);
            match (answer, record) {
                (Answer::Gone(because), _) => {
                    self.job.progress.add(1);
                    if !report.dry_run {
                        let (ticket, proof) = (suspect.ticket_id, because.clone());
                        self.job.write(&self.actor(), move |w| sightings_store::gone(w, ticket, &proof)).await?;
                    }
                    findings.gone.push((*suspect, because));
                }
                (Answer::Alive, Some(record)) => self.store_one(record, report).await?,
                (Answer::Fault(fault), _) => {
                    findings.unclear += 1;
                    if findings.count.is_refused() {
                        findings.unclear = suspects.len() - at;
                        report.problem(format!("Freshservice does not say whether {} tickets exist: {fault}", findings.unclear));
                        break;
                    }
                }
                _ => {}
            }
            if findings.count.list_lies() {
                break;
            }
        }
        Ok(findings)
    }

    /// Asks for one ticket by its own address.
    async fn ask(&self, id: i64) -> (Answer, Option<Record>) {
        let told = match self.client.ticket(&id.to_string(), EMBED).await {
            Ok(Some(told)) => told,
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
    async fn can_ask(&self, suspects: &[Suspect]) -> Result<bool> {
        let doubted: HashSet<i64> = suspects.iter().map(|suspect| suspect.ticket_id).collect();
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
