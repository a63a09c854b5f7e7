//! Reading what was said and worked on tickets that moved: a queue in the database, so that a kill loses
//! nothing and a failure only costs its own ticket a place.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    details_store::{self, Due, Read, Stored},
    messages,
    pace::Pace,
    pages_store::vendor_link,
    record::Record,
    report::Report,
    run::{Run, is_about_rights},
    verify::EMBED,
};
use crate::{
    error::Result,
    types::Scope,
    vendors::{
        fault::{Cause, Fault},
        freshservice::{client::Page, wire},
    },
};

/// How long one run reads details; the next goes on. Between them, what changed is listed again.
const LONGEST: Duration = Duration::from_mins(30);
/// Tickets taken from the queue at once.
const BATCH: i64 = 50;
/// So many tickets in a row that failed: it does not work today.
const FAILURES_ENOUGH: u32 = 3;
/// Pages of one ticket beyond which we no longer believe in the end.
const MOST_PAGES: u32 = 500;
/// The vendor's page where nothing else is said; a shorter one without a next page is the last, once
/// the vendor has been seen to name next pages.
const USUAL_PAGE: usize = 30;
/// So often the vendor has to say that it has less than we have before that is believed.
const LESS_BELIEVED: i64 = 2;

/// One of the lists that belong to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Messages,
    Sheet,
}

/// What a run learns about the lists of tickets on its way.
#[derive(Debug, Default)]
struct Ways {
    /// Whether a next page has ever been named, by part.
    links: [bool; 2],
    /// Parts that the account does not have.
    absent: [bool; 2],
}

impl Run {
    /// Reads until the queue is empty, or the time is up.
    pub async fn read_details(&self, report: &mut Report) -> Result<()> {
        let waiting = self.job.db.read(&Scope::All, details_store::waiting).await?;
        if waiting == 0 {
            return Ok(());
        }
        self.job.progress.begin("reading conversations and time sheets", Some(waiting));
        let (started, mut pace, mut failures) = (Instant::now(), Pace::new(), 0);
        let mut ways = Ways::default();
        'all: loop {
            let run = self.id;
            let batch = self.job.db.read(&Scope::All, move |c| details_store::next(c, run, BATCH)).await?;
            if batch.is_empty() {
                break;
            }
            for due in batch {
                if started.elapsed() >= LONGEST {
                    break 'all;
                }
                let failed = self.read_one(due, &mut ways, report).await?;
                failures = if failed { failures + 1 } else { 0 };
                if failures >= FAILURES_ENOUGH {
                    report.problem(format!("Freshservice: the details of {failures} tickets in a row could not be read"));
                    break 'all;
                }
                pace.done();
                self.job.progress.add(1);
                let done = report.details.read + report.details.failed;
                self.job.progress.left(pace.left(waiting.saturating_sub(done)));
            }
        }
        self.job.progress.left(None);
        let left = self.job.db.read(&Scope::All, details_store::waiting).await?;
        report.details.left = left;
        report.details.left_minutes = pace.left(left).filter(|_| left > 0).map(|left| left.as_secs() / 60);
        Ok(())
    }

    /// Reads one ticket; says whether something failed.
    async fn read_one(&self, mut due: Due, ways: &mut Ways, report: &mut Report) -> Result<bool> {
        let mut read = Read::default();
        if !due.has_stats
            && let Some(problem) = self.read_itself(&mut due, report).await?
        {
            read.problem = Some(problem);
        }
        let ticket = due.ticket_id;
        let stored = self.job.db.read(&Scope::All, move |c| details_store::stored(c, ticket)).await?;
        if read.problem.is_none() {
            let (told, problem) = self.part(&due, Part::Messages, stored, ways, report).await;
            read.said = told.map(|told| {
                let link = self.job.config.freshservice.web_url.as_deref().map(|base| vendor_link(base, due.external_id));
                let usable = messages::conversations(&told, &due.version, link.as_deref());
                report.odd_details += usable.skipped as u64;
                usable.records
            });
            read.problem = problem;
        }
        if read.problem.as_ref().is_none_or(|_| read.said.is_none()) {
            let (told, problem) = self.part(&due, Part::Sheet, stored, ways, report).await;
            read.sheet = told.map(|told| {
                let usable = messages::time_sheet(&told);
                report.odd_details += usable.skipped as u64;
                usable.records
            });
            read.problem = read.problem.or(problem);
        }
        let failed = read.problem.is_some();
        if let Some(problem) = &read.problem {
            report.details.failed += 1;
            if report.details.failed <= 20 {
                report.notes.push(format!("ticket {}: {problem}; it waits for the next run", due.external_id));
            }
        } else {
            report.details.read += 1;
        }
        let (run, minutes) = (self.id, self.job.config.freshservice.default_ticket_minutes);
        let store = move |w: &mut crate::db::Write<'_>| details_store::store(w, &due, run, &read, minutes);
        report.details.changed += u64::from(self.job.write(&self.actor(), store).await?);
        Ok(failed)
    }

    /// The ticket itself, for the times that its list did not tell. Returns what went wrong.
    async fn read_itself(&self, due: &mut Due, report: &mut Report) -> Result<Option<String>> {
        match self.client.ticket(&due.external_id.to_string(), EMBED).await {
            Ok(Some(told)) => {
                let told = self.one_without_forgotten(told);
                let Some(record) = Record::read(&told, &self.statuses, &self.horizon) else { return Ok(None) };
                if record.gone.is_some() {
                    self.verify_ids(vec![due.external_id], report).await?;
                    return Ok(Some("it is no longer among the live tickets".to_owned()));
                }
                let version = record.updated_at.clone();
                self.store_quietly(record).await?;
                due.version = version.unwrap_or_else(|| due.version.clone());
                Ok(None)
            }
            Ok(None) => {
                self.verify_ids(vec![due.external_id], report).await?;
                Ok(Some("its own address answers 404".to_owned()))
            }
            Err(fault) => Ok(Some(fault.to_string())),
        }
    }

    /// One list of a ticket, whole; or `None`, with what went wrong if anything did.
    async fn part(
        &self,
        due: &Due,
        part: Part,
        stored: Stored,
        ways: &mut Ways,
        report: &mut Report,
    ) -> (Option<Vec<Value>>, Option<String>) {
        let (at, have, what) = match part {
            Part::Messages => (0, stored.said, "conversations"),
            Part::Sheet => (1, stored.entries, "time entries"),
        };
        if ways.absent[at] {
            return (None, None);
        }
        match self.all_pages(due.external_id, part, &mut ways.links[at]).await {
            Ok(told) if (told.len() as u64) < have && stored.tries < LESS_BELIEVED => {
                let less = format!("the vendor shows {} {what} where there were {have}", told.len());
                (None, Some(less))
            }
            Ok(told) => (Some(told), None),
            Err(Fault { cause: Cause::Denied(403, _), .. }) => {
                ways.absent[at] = true;
                report.notes.push(format!("the API key may not read {what}; what is stored of them stays"));
                (None, None)
            }
            Err(fault) if is_about_rights(&fault) => (None, None),
            Err(fault) => (None, Some(fault.to_string())),
        }
    }

    async fn all_pages(&self, ticket: i64, part: Part, links: &mut bool) -> Result<Vec<Value>, Fault> {
        let id = ticket.to_string();
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        for number in 1..=MOST_PAGES {
            let page: Page = match part {
                Part::Messages => self.client.conversations(&id, number).await?,
                Part::Sheet => self.client.time_entries(&id, number).await?,
            };
            *links |= page.next;
            let count = page.records.len();
            let ids = page.records.iter().filter_map(|record| record.get("id").and_then(wire::id));
            let new = ids.filter(|id| seen.insert(id.clone())).count();
            // A list that ignores the page number shows the same again; so does nothing at all.
            if count == 0 || (number > 1 && new == 0) {
                break;
            }
            all.extend(page.records.iter().map(|record| self.without_forgotten(record).into_owned()));
            if !page.next && *links && count < USUAL_PAGE {
                break;
            }
        }
        Ok(all)
    }
}
