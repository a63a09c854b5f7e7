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
    types::{Scope, now},
};

/// So many tickets alive and none gone: the list lies, there is no need to ask for more.
const ALIVE_ENOUGH: usize = 20;
/// So many failures in a row: asking one by one does not work today.
const FAULTS_ENOUGH: usize = 3;
/// What is embedded in a single ticket.
pub const EMBED: &str = "stats,requester";

/// What was found out about suspects.
#[derive(Debug, Default)]
pub struct Findings {
    /// Proven gone, with the proof.
    pub gone: Vec<(Suspect, String)>,
    /// Alive.
    pub alive: usize,
    /// Nobody knows.
    pub unclear: usize,
}

impl Findings {
    /// Whether a list that lacked these tickets lies.
    #[must_use]
    pub fn list_lies(&self) -> bool {
        self.alive >= ALIVE_ENOUGH && self.gone.is_empty()
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

    /// Asks for each. Those that are alive are stored as they are; of the others the proof is kept.
    pub async fn verify(&self, suspects: &[Suspect], report: &mut Report) -> Result<Findings> {
        let mut findings = Findings::default();
        let mut trusted = None;
        let mut faults = 0;
        for (at, suspect) in suspects.iter().enumerate() {
            let id = suspect.external_id;
            let because = match self.client.ticket(&id.to_string(), EMBED).await {
                Ok(Some(told)) => {
                    faults = 0;
                    let Some(record) = Record::read(&told, &self.statuses, &self.horizon) else { continue };
                    match record.gone {
                        Some(how) => format!("its own address /tickets/{id} says that it {how}, at {}", now()),
                        None => {
                            findings.alive += 1;
                            self.store_one(record, report).await?;
                            if findings.list_lies() {
                                break;
                            }
                            continue;
                        }
                    }
                }
                Ok(None) => {
                    faults = 0;
                    if trusted.is_none() {
                        trusted = Some(self.can_ask(suspects).await?);
                    }
                    if trusted == Some(false) {
                        findings.unclear = suspects.len() - at;
                        report.problem(
                            "Freshservice answers 404 for tickets that exist, so it proves nothing; nothing was retired"
                                .to_owned(),
                        );
                        break;
                    }
                    format!("its own address /tickets/{id} answered 404 at {}", now())
                }
                Err(fault) => {
                    faults += 1;
                    findings.unclear += 1;
                    if faults >= FAULTS_ENOUGH {
                        findings.unclear = suspects.len() - at;
                        report.problem(format!("Freshservice does not say whether {} tickets exist: {fault}", findings.unclear));
                        break;
                    }
                    continue;
                }
            };
            self.job.progress.add(1);
            if !report.dry_run {
                let (ticket, proof) = (suspect.ticket_id, because.clone());
                self.job.write(&self.actor(), move |w| sightings_store::gone(w, ticket, &proof)).await?;
            }
            findings.gone.push((*suspect, because));
        }
        Ok(findings)
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
