//! Listing the tickets that changed, page by page into the database, so that a kill loses nothing.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use serde_json::Value;

use super::{
    LIST,
    listing::{self, Listing, Shown},
    listings_store::{self, Open, State},
    pages_store,
    record::Record,
    report::Report,
    run::{Run, is_about_rights, upstream},
    sightings_store,
};
use crate::{
    db::Write,
    error::{Error, Result},
    progress::Level,
    tickets::utc,
    types::{Actor, Scope, now_plus},
    vendors::{
        fault::Fault,
        freshservice::{client, tickets::ListParams, wire},
    },
};

/// The vendor lists one month only, unless it is asked since when.
const BEGINNING: &str = "2000-01-01T00:00:00Z";
/// What may reach the vendor's index late is listed again.
const OVERLAP_SECONDS: i64 = 600;
/// A listing of everything is due after so long.
const FULL_EVERY_SECONDS: i64 = 7 * 24 * 3600;
/// An interrupted listing may be taken up for so long.
const RESUMABLE_SECONDS: i64 = 24 * 3600;
/// Records stored in one transaction: they come with their texts.
const STORED: usize = 50;

/// How the tickets are to be listed.
pub struct Plan {
    /// Everything that changed at or after this.
    pub since: String,
    /// Whether every ticket is to be met.
    pub full: bool,
    /// The listing's number.
    pub listing: i64,
    state: State,
    taken_up: Option<Open>,
}

impl Plan {
    /// What is asked for, given what is known.
    pub async fn make(run: &Run) -> Result<Self> {
        let options = &run.job.options;
        let state = run.job.db.read(&Scope::All, |c| listings_store::load(c, LIST)).await?;
        let fresh = |since: String, full: bool, state: State| Self { since, full, listing: run.id, state, taken_up: None };
        if let Some(since) = &options.since {
            let since = utc(since).ok_or_else(|| Error::field("since", "must be a time such as 2026-11-01T00:00:00Z"))?;
            let full = options.full || since.as_str() <= BEGINNING;
            return Ok(fresh(if full { BEGINNING.to_owned() } else { since }, full, state));
        }
        if options.full {
            return Ok(fresh(BEGINNING.to_owned(), true, state));
        }
        let open = state.open.clone().filter(|open| open.cursor.is_some() && open.opened_at > now_plus(-RESUMABLE_SECONDS));
        if let Some(open) = open.filter(|_| !options.dry_run) {
            return Ok(Self {
                since: open.began_at.clone(),
                full: open.full,
                listing: open.listing,
                state,
                taken_up: Some(open),
            });
        }
        let due =
            state.full_at.as_ref().is_none_or(|at| *at < now_plus(-FULL_EVERY_SECONDS) || *at > now_plus(FULL_EVERY_SECONDS));
        match state.watermark.as_deref().and_then(|at| listing::plus(at, -OVERLAP_SECONDS)).filter(|_| !due) {
            Some(since) => Ok(fresh(since, false, state)),
            None => Ok(fresh(BEGINNING.to_owned(), true, state)),
        }
    }

    /// Whether it goes on where an interrupted run had stopped.
    pub fn resumed(&self) -> bool {
        self.taken_up.is_some()
    }

    fn listing(&self, now: &str) -> Listing {
        let listing = Listing::new(&self.since, now, self.full);
        match &self.taken_up {
            Some(Open { cursor: Some(cursor), max_seen, .. }) => listing.resumed(cursor, max_seen.as_deref()),
            _ => listing,
        }
    }
}

impl Run {
    /// Lists the tickets and stores what they say. Only when everything has been listed does the next run
    /// begin later.
    /// Returns the numbers met.
    pub async fn list_tickets(&self, plan: &Plan, report: &mut Report) -> Result<HashSet<i64>> {
        let live = self.job.db.read(&Scope::All, sightings_store::live).await?;
        let dry_run = report.dry_run;
        if !dry_run && plan.taken_up.is_none() {
            let (listing, since, full) = (plan.listing, plan.since.clone(), plan.full);
            self.job.write(&Actor::system("sync"), move |w| listings_store::open(w, LIST, listing, &since, full)).await?;
        }
        self.job.progress.begin("reading tickets", Some(live).filter(|live| plan.full && *live > 0));
        let mut ask = ListParams { all_workspaces: plan.state.query.as_deref() != Some("primary"), embed: true };
        let mut listing = plan.listing(&self.now);
        let (mut met, mut known) = (HashSet::new(), HashSet::new());
        let mut repeated = 0;
        loop {
            let page = self.page(&mut ask, &listing, None).await?;
            let shown: Vec<Shown> = page.records.iter().map(shown).collect();
            let number = listing.page();
            let step = listing.take(&shown);
            let new = page.records.iter().filter_map(number_of).filter(|id| met.insert(*id)).count();
            self.job.progress.add(new);
            report.listed += new as u64;
            // What windows show twice is stored once, unless it has changed in between.
            let fresh: Vec<&Value> = page.records.iter().filter(|record| known.insert(digest(record))).collect();
            let gone = self.keep(&fresh, number, report).await?;
            if !gone.is_empty() && !dry_run {
                self.verify_ids(gone, report).await?;
            }
            if !dry_run {
                let (cursor, max) = (listing.cursor().map(str::to_owned), listing.max_seen().map(str::to_owned));
                let advance = move |w: &mut Write<'_>| listings_store::advance(w, LIST, cursor.as_deref(), max.as_deref());
                self.job.write(&Actor::system("sync"), advance).await?;
            }
            if !step.goes_on(&mut repeated).await.map_err(|why| upstream(format!("the list of tickets: {why}")))? {
                break;
            }
        }
        if listing.is_empty() && !plan.resumed() && self.lies(plan, live, report).await? {
            self.abandon(dry_run).await?;
            return Ok(met);
        }
        self.job.progress.say(Level::Info, format!("{} tickets listed since {}", report.listed, plan.since));
        if !plan.full && live > 0 && !dry_run {
            self.list_trash(&plan.since, ask, report).await?;
        }
        self.complete(plan, &listing, ask, dry_run).await?;
        Ok(met)
    }

    /// One page; with all workspaces unless the account refuses that, or shows nothing then.
    async fn page(&self, ask: &mut ListParams, listing: &Listing, filter: Option<&str>) -> Result<client::Page, Fault> {
        let first = listing.is_empty() && listing.page() == 1;
        let answer = self.ask_page(*ask, listing, filter).await;
        let narrower = ListParams { all_workspaces: false, ..*ask };
        match answer {
            Err(fault) if first && ask.all_workspaces && is_about_rights(&fault) => {
                let page = self.ask_page(narrower, listing, filter).await.map_err(|_| fault)?;
                *ask = narrower;
                Ok(page)
            }
            Ok(page) if first && ask.all_workspaces && page.records.is_empty() && filter.is_none() => {
                let again = self.ask_page(narrower, listing, filter).await?;
                if !again.records.is_empty() {
                    *ask = narrower;
                }
                Ok(again)
            }
            answer => answer,
        }
    }

    async fn ask_page(&self, ask: ListParams, listing: &Listing, filter: Option<&str>) -> Result<client::Page, Fault> {
        let (since, page) = (listing.since(), listing.page());
        match filter {
            None => self.client.tickets(since, page, ask).await,
            Some("spam") => self.client.spam_tickets(since, page, ask).await,
            Some(_) => self.client.deleted_tickets(since, page, ask).await,
        }
    }

    /// Stores a page, or compares it; returns the numbers that it shows as gone.
    async fn keep(&self, records: &[&Value], number: u32, report: &mut Report) -> Result<Vec<i64>> {
        let mut gone = Vec::new();
        let mut usable = Vec::with_capacity(records.len());
        for record in records {
            let record = self.without_forgotten(record);
            match record.as_object().and_then(|map| Record::read(map, &self.statuses, &self.horizon)) {
                Some(record) => {
                    report.odd(&record.label(), &record.ignored);
                    usable.push(record);
                }
                None => report.skip(format!("a record on page {number} of tickets: no usable id")),
            }
        }
        for chunk in usable.chunks(STORED) {
            let (chunk, listing, base) = (chunk.to_vec(), self.listing, self.job.config.freshservice.web_url.clone());
            let page = if report.dry_run {
                self.job.db.read(&Scope::All, move |c| pages_store::compare(c, &chunk)).await?
            } else {
                self.job.write(&self.actor(), move |w| pages_store::keep(w, &chunk, listing, base.as_deref())).await?
            };
            gone.extend_from_slice(&page.gone);
            report.add(page);
        }
        Ok(gone)
    }

    /// Whether an empty list lies: then it proves nothing, and the next run begins where this one did.
    async fn lies(&self, plan: &Plan, live: u64, report: &mut Report) -> Result<bool> {
        if live == 0 {
            return Ok(false);
        }
        if plan.full {
            report
                .problem(format!("Freshservice: the list of tickets is empty although {live} came from it; nothing was retired"));
            return Ok(true);
        }
        let Some((newest, at)) = self.job.db.read(&Scope::All, sightings_store::newest).await? else { return Ok(false) };
        let id = newest.external_id;
        let record = self.client.ticket(&id.to_string(), "").await?;
        let record =
            record.and_then(|record| Record::read(&record, &self.statuses, &self.horizon)).filter(|record| record.gone.is_none());
        let listed_by_rights =
            record.and_then(|record| record.updated_at).is_some_and(|told| told >= plan.since && at >= plan.since);
        if listed_by_rights {
            report.problem(format!(
                "Freshservice: the list of what changed is empty although ticket {id} did; nothing was retired"
            ));
        }
        Ok(listed_by_rights)
    }

    async fn abandon(&self, dry_run: bool) -> Result<()> {
        if dry_run {
            return Ok(());
        }
        self.job.write(&Actor::system("sync"), |w| listings_store::abandon(w, LIST)).await
    }

    async fn complete(&self, plan: &Plan, listing: &Listing, ask: ListParams, dry_run: bool) -> Result<()> {
        if dry_run {
            return Ok(());
        }
        let mark = listing::watermark(plan.state.watermark.as_deref(), &plan.since, listing.max_seen(), &self.now);
        let (query, full) = (if ask.all_workspaces { "all" } else { "primary" }, plan.full);
        self.job.write(&Actor::system("sync"), move |w| listings_store::complete(w, LIST, mark.as_deref(), query, full)).await
    }

    /// Looks into the trash and among the spam for tickets of ours that went there.
    async fn list_trash(&self, since: &str, ask: ListParams, report: &mut Report) -> Result<()> {
        for filter in ["deleted", "spam"] {
            let mut ask = ListParams { embed: false, ..ask };
            let mut listing = Listing::new(since, &self.now, false);
            let (mut found, mut repeated) = (Vec::new(), 0);
            loop {
                let page = match self.page(&mut ask, &listing, Some(filter)).await {
                    Ok(page) => page,
                    Err(fault) if is_about_rights(&fault) => {
                        report.notes.push(format!("the account does not list its {filter} tickets: {fault}"));
                        break;
                    }
                    Err(fault) => return Err(fault.into()),
                };
                found.extend(
                    page.records.iter().filter(|record| record.get(filter) == Some(&Value::Bool(true))).filter_map(number_of),
                );
                let shown: Vec<Shown> = page.records.iter().map(shown).collect();
                let broken = |why| upstream(format!("the list of {filter} tickets: {why}"));
                if !listing.take(&shown).goes_on(&mut repeated).await.map_err(broken)? {
                    break;
                }
            }
            found.sort_unstable();
            found.dedup();
            self.verify_ids(found, report).await?;
        }
        Ok(())
    }
}

/// Tells records apart that are not exactly the same.
fn digest(record: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    record.to_string().hash(&mut hasher);
    hasher.finish()
}

fn number_of(record: &Value) -> Option<i64> {
    record.get("id").and_then(wire::id)?.parse().ok()
}

/// A record as the walk needs it.
pub fn shown(record: &Value) -> Shown {
    Shown { id: record.get("id").and_then(wire::id), updated_at: record.get("updated_at").and_then(Value::as_str).and_then(utc) }
}
