//! Retiring tickets that the vendor has no more: proven one by one, and held when there are many.

use std::collections::{BTreeMap, HashSet};

use super::{
    list::Plan as ListPlan,
    report::Report,
    run::Run,
    sightings_store::{self, Gone, Suspect},
    verify::Findings,
};
use crate::{
    db::{Conn, Write},
    error::Result,
    history::{self, Record as _},
    jobs::{Decision, lease_store},
    plan::{Action, FieldChange, Item, Kind, Plan, State},
    reconcile::{
        apply::Apply,
        planner::{
            losses::{Over, Tally},
            retirement_guard,
        },
        planning, plans_store,
        report::Ending,
        ticket_losses_store::{self, Loss},
    },
    tickets::Ticket,
    types::{Actor, Scope},
};

/// The most tickets that one run asks for because a complete list lacked them.
const LOOKUPS: i64 = 2000;
/// Tickets that are worked on and were not seen for so many hours are asked for …
const UNSEEN_HOURS: i64 = 6;
/// … so many in each run.
const SWEEP: i64 = 20;
/// Items stored in one transaction.
const STORED: usize = 100;

impl Run {
    /// Finds out about tickets that were not listed, and retires those that are proven gone.
    pub async fn retire_gone(&self, plan: &ListPlan, seen: &HashSet<i64>, report: &mut Report) -> Result<()> {
        if report.ending == Ending::Upstream {
            return Ok(());
        }
        let suspects = self.suspects(plan, seen, report.dry_run).await?;
        let mut found = Findings::default();
        if !suspects.is_empty() {
            self.job.progress.begin("checking tickets that were not listed", Some(suspects.len() as u64));
            found = self.verify(&suspects, report).await?;
            if plan.full && found.list_lies() {
                report.problem(format!(
                    "Freshservice: the list of tickets lacks at least {} that still exist; nothing was retired",
                    found.alive
                ));
            }
        }
        if report.ending == Ending::Upstream {
            return Ok(());
        }
        let gone = if report.dry_run {
            self.gone(&found).await?
        } else {
            self.job.db.read(&Scope::All, sightings_store::all_gone).await?
        };
        self.propose(gone, plan.full, report).await
    }

    async fn suspects(&self, plan: &ListPlan, seen: &HashSet<i64>, dry_run: bool) -> Result<Vec<Suspect>> {
        let listing = self.listing;
        match (plan.full, dry_run) {
            (true, false) => self.job.db.read(&Scope::All, move |c| sightings_store::absent(c, listing, LOOKUPS)).await,
            (true, true) => {
                let mut all = self.job.db.read(&Scope::All, sightings_store::all).await?;
                all.retain(|ticket| !seen.contains(&ticket.external_id));
                all.truncate(usize::try_from(LOOKUPS).unwrap_or(usize::MAX));
                Ok(all)
            }
            (false, false) => self.job.db.read(&Scope::All, |c| sightings_store::stale(c, UNSEEN_HOURS, SWEEP)).await,
            (false, true) => Ok(Vec::new()),
        }
    }

    /// What was just found, with the rows as they are.
    async fn gone(&self, found: &Findings) -> Result<Vec<Gone>> {
        let found = found.gone.clone();
        let rows = move |c: &mut Conn| {
            let mut gone = Vec::new();
            for (suspect, because) in found {
                if let Some(ticket) = history::find::<Ticket>(c, suspect.ticket_id)? {
                    let (ticket_id, external_id) = (suspect.ticket_id, suspect.external_id);
                    gone.push(Gone { ticket_id, rev: ticket.rev(), external_id, subject: ticket.subject, because });
                }
            }
            Ok(gone)
        };
        self.job.db.read(&Scope::All, rows).await
    }

    /// Plans the retirements, lets the retirement guard hold what is unusual, and applies the rest.
    async fn propose(&self, gone: Vec<Gone>, full: bool, report: &mut Report) -> Result<()> {
        let live = self.job.db.read(&Scope::All, sightings_store::live).await?;
        let mut plan = Plan { items: gone.iter().map(item).collect(), ..Plan::default() };
        let mut because = retirement_guard::close(&mut plan, Kind::Ticket, live, &[], planning::limits(&self.job.config));
        if self.job.options.yes {
            planning::release(&mut plan);
            because = None;
        }
        let (losses, reasons) = self.take_away(report).await?;
        plan.items.extend(losses);
        if !reasons.is_empty() {
            because = Some(because.into_iter().chain(reasons).collect::<Vec<_>>().join("; "));
        }
        report.held_because.clone_from(&because);
        let held_changes = |plan: &Plan| {
            plan.items.iter().filter(|item| item.state == State::Held && item.action == Action::Update).count() as u64
        };
        let retiring = |plan: &Plan| plan.items.iter().filter(|item| item.action == Action::Retire).count() as u64;
        let held = |plan: &Plan| plan.items.iter().filter(|item| item.state == State::Held).count() as u64;
        if report.dry_run {
            (report.held, report.held_changes) = (held(&plan), held_changes(&plan));
            report.retired = retiring(&plan);
            report.items.append(&mut plan.items);
            return Ok(());
        }
        if plan.items.is_empty() {
            let lease = self.job.lease.clone();
            return self.job.write(&Actor::system("sync"), move |w| plans_store::supersede(w, &lease)).await;
        }
        if because.is_some() && self.is_known(&plan, full, report).await? {
            report.held_changes = if report.held > 0 { held_changes(&plan) } else { 0 };
            return Ok(());
        }
        self.decide(&mut plan, &mut because, report);
        report.held_because = because;
        (report.held, report.held_changes) = (held(&plan), held_changes(&plan));
        self.store_and_apply(plan, report).await
    }

    /// Applies what only a few tickets would lose. What too many would is returned to wait, with the reasons.
    async fn take_away(&self, report: &mut Report) -> Result<(Vec<Item>, Vec<String>)> {
        let losses = if report.dry_run {
            std::mem::take(&mut report.losses)
        } else {
            self.job.db.read(&Scope::All, ticket_losses_store::all).await?
        };
        if losses.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let live = self.job.db.read(&Scope::All, ticket_losses_store::live).await?;
        let mut tally = Tally::default();
        for (field, count) in live {
            tally.hold_all(field, count);
        }
        let mut items: Vec<Item> = losses.iter().map(lost).collect();
        items.iter().for_each(|item| tally.item(item, |_| false));
        let over =
            if self.job.options.yes { Over::default() } else { tally.over(Kind::Ticket, planning::limits(&self.job.config)) };
        let mut held = Vec::new();
        for item in &mut items {
            // What goes with a company or a requester goes with it here as well.
            if let Some(mut waiting) = over.split(item, |_| false) {
                let with: &[&str] = if over.has("company_id") { &["department_id"] } else { &[] };
                let more: &[&str] = if over.has("requester_id") { &["requester_name", "requester_email"] } else { &[] };
                let (go, stay) = item
                    .fields
                    .drain(..)
                    .partition(|change| with.contains(&change.field.as_str()) || more.contains(&change.field.as_str()));
                item.fields = stay;
                let go: Vec<FieldChange> = go;
                waiting.fields.extend(go);
                held.push(waiting);
            }
        }
        items.retain(|item| !item.fields.is_empty());
        if !report.dry_run {
            for chunk in items.chunks(STORED) {
                let chunk = chunk.to_vec();
                let take =
                    move |w: &mut Write<'_>| chunk.iter().try_for_each(|item| ticket_losses_store::settle(w, item).map(|_| ()));
                self.job.write(&self.actor(), take).await?;
            }
        }
        Ok((held, over.reasons().collect()))
    }

    /// Whether the same retirements wait already, or a person has just decided against them.
    async fn is_known(&self, plan: &Plan, full: bool, report: &mut Report) -> Result<bool> {
        let source = self.job.kind.as_str();
        let newest = move |c: &mut Conn| {
            let plans = plans_store::list(c, 200)?;
            let plan =
                plans.into_iter().find(|plan| plan.source == source && matches!(plan.status.as_str(), "held" | "discarded"));
            plan.map(|plan| Ok((plan.id, plan.status, plans_store::items(c, plan.id, 0, i64::MAX)?))).transpose()
        };
        let Some((id, status, items)) = self.job.db.read(&Scope::All, newest).await? else { return Ok(false) };
        let rows = |items: &mut dyn Iterator<Item = &Item>| -> BTreeMap<i64, Vec<FieldChange>> {
            items.filter_map(|item| Some((item.entity_id?, item.fields.clone()))).collect()
        };
        if rows(&mut items.iter().map(history::Untold::inside)) != rows(&mut plan.items.iter()) {
            return Ok(false);
        }
        if status == "held" {
            report.plan_id = Some(id);
            report.held = plan.items.len() as u64;
        } else if full {
            return Ok(false);
        } else {
            report.held_because = None;
            report.notes.push(format!("{} tickets stay as they are, as plan {id} was discarded", plan.items.len()));
        }
        // With the rows as they were: an approval must not fail because a run came between.
        Ok(true)
    }

    /// Lets the person at the terminal decide.
    fn decide(&self, plan: &mut Plan, because: &mut Option<String>, report: &Report) {
        let Some(ask) = self.job.options.ask.as_ref().filter(|_| !self.job.options.yes) else { return };
        match ask(&report.for_asking(&plan.items).question(&plan.items)) {
            Decision::All => {
                planning::release(plan);
                *because = None;
            }
            Decision::KeepRows | Decision::Nothing => {
                planning::hold(plan);
                because.get_or_insert_with(|| "not confirmed at the terminal".to_owned());
            }
        }
    }

    async fn store_and_apply(&self, mut plan: Plan, report: &mut Report) -> Result<()> {
        let (lease, run, because, summary) = (self.job.lease.clone(), self.id, report.held_because.clone(), report.summary());
        let begin = move |w: &mut Write<'_>| plans_store::begin(w, &lease, run, because.as_deref(), &summary);
        let id = self.job.write(&Actor::system("sync"), begin).await?;
        for chunk in plan.items.chunks_mut(STORED) {
            let (lease, mut items) = (self.job.lease.clone(), chunk.to_vec());
            self.job.write(&Actor::system("sync"), move |w| plans_store::add(w, &lease, id, &mut items)).await?;
        }
        let lease = self.job.lease.clone();
        self.job.write(&Actor::system("sync"), move |w| plans_store::publish(w, &lease, id, "applying")).await?;
        let (db, lease, progress) = (self.job.db.clone(), self.job.lease.clone(), self.job.progress.clone());
        let applied = Apply { db, lease, plan: id, actor: self.actor(), progress }.run().await?;
        let status = if report.held > 0 { "held" } else { "applied" };
        let lease = self.job.lease.clone();
        let settle = move |w: &mut Write<'_>| {
            lease_store::check_lease(w, &lease)?;
            plans_store::set_status(w, id, status)
        };
        self.job.write(&Actor::system("sync"), settle).await?;
        report.plan_id = Some(id);
        report.retired += applied.done;
        Ok(())
    }
}

fn lost(loss: &Loss) -> Item {
    let subject = loss.subject.as_deref().unwrap_or("without a subject");
    let label = format!("#{} {subject}", loss.external_id);
    let mut item = Item::new(Kind::Ticket, Action::Update, &label, "updated in Freshservice");
    item.entity_id = Some(loss.ticket_id);
    item.external_id = Some(loss.external_id.to_string());
    item.fields.clone_from(&loss.fields);
    item
}

fn item(gone: &Gone) -> Item {
    let subject = gone.subject.as_deref().unwrap_or("without a subject");
    let label = format!("#{} {subject}", gone.external_id);
    let mut item = Item::new(Kind::Ticket, Action::Retire, &label, "the vendor has it no more");
    (item.entity_id, item.rev) = (Some(gone.ticket_id), Some(gone.rev));
    item.external_id = Some(gone.external_id.to_string());
    item.evidence = Some(gone.because.clone());
    item
}
