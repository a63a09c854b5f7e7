//! Change requests, where the account has them.

use super::{
    CHANGES,
    change::Planned,
    changes_store,
    list::shown,
    listing::{self, Listing, Shown},
    listings_store,
    report::Report,
    run::{Run, is_about_rights, upstream},
};
use crate::{
    db::Write,
    error::Result,
    types::{Actor, Scope},
    vendors::{
        fault::{Cause, Fault},
        freshservice::{client::Page, tickets::ListParams},
    },
};

/// The vendor may list one month only, unless it is asked since when.
const BEGINNING: &str = "2000-01-01T00:00:00Z";
/// What may reach the vendor's index late is listed again.
const OVERLAP_SECONDS: i64 = 600;
/// Rows in one transaction.
const STORED: usize = 50;

impl Run {
    /// Lists what changed among the change requests. An account without them is no failure.
    pub async fn list_changes(&self, report: &mut Report) -> Result<()> {
        let state = self.job.db.read(&Scope::All, |c| listings_store::load(c, CHANGES)).await?;
        let overlapping = state.watermark.as_deref().and_then(|at| listing::plus(at, -OVERLAP_SECONDS));
        let since = overlapping.filter(|_| !report.full).unwrap_or_else(|| BEGINNING.to_owned());
        let mut listing = Listing::new(&since, &self.now, false);
        let mut ask = ListParams { all_workspaces: true, embed: false };
        let mut repeated = 0;
        loop {
            let page = match self.page_of_changes(&mut ask, &listing).await {
                Ok(page) => page,
                Err(fault) if matches!(fault.cause, Cause::Absent(_)) || (listing.is_empty() && is_about_rights(&fault)) => {
                    report.change_requests.absent = true;
                    if state.watermark.is_some() {
                        report.notes.push(format!("the account has no change requests any more; those stored stay ({fault})"));
                    }
                    return Ok(());
                }
                // The tickets are read: this list has its own time.
                Err(fault) => {
                    report.problem(fault.to_string());
                    return Ok(());
                }
            };
            let shown: Vec<Shown> = page.records.iter().map(shown).collect();
            let number = listing.page();
            let step = listing.take(&shown);
            let mut planned = Vec::with_capacity(page.records.len());
            for record in &page.records {
                match Planned::read(&self.without_forgotten(record), &self.horizon) {
                    Some(one) => planned.push(one),
                    None => report.skip(format!("a record on page {number} of change requests: no usable id")),
                }
            }
            self.keep_changes(planned, report).await?;
            match step.goes_on(&mut repeated).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(why) => {
                    report.problem(upstream(format!("the list of change requests: {why}")).to_string());
                    return Ok(());
                }
            }
        }
        if report.dry_run {
            return Ok(());
        }
        let mark = listing::watermark(state.watermark.as_deref(), &since, listing.max_seen(), &self.now);
        let (run, full) = (self.id, report.full);
        let complete = move |w: &mut Write<'_>| {
            listings_store::open(w, CHANGES, run, &since, full)?;
            listings_store::complete(w, CHANGES, mark.as_deref(), "all", full)
        };
        self.job.write(&Actor::system("sync"), complete).await
    }

    async fn page_of_changes(&self, ask: &mut ListParams, listing: &Listing) -> Result<Page, Fault> {
        let first = listing.is_empty() && listing.page() == 1;
        let narrower = ListParams { all_workspaces: false, ..*ask };
        match self.client.changes(listing.since(), listing.page(), *ask).await {
            Err(fault) if first && ask.all_workspaces && matches!(fault.cause, Cause::Refused(..)) => {
                let page = self.client.changes(listing.since(), listing.page(), narrower).await.map_err(|_| fault)?;
                *ask = narrower;
                Ok(page)
            }
            answer => answer,
        }
    }

    async fn keep_changes(&self, planned: Vec<Planned>, report: &mut Report) -> Result<()> {
        report.change_requests.listed += planned.len() as u64;
        for chunk in planned.chunks(STORED) {
            let chunk = chunk.to_vec();
            let (created, updated) = if report.dry_run {
                self.job.db.read(&Scope::All, move |c| changes_store::compare(c, &chunk)).await?
            } else {
                self.job.write(&self.actor(), move |w| changes_store::keep(w, &chunk)).await?
            };
            report.change_requests.created += created;
            report.change_requests.updated += updated;
        }
        Ok(())
    }
}
