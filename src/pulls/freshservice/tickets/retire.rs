//! Retiring tickets that the vendor has no more: proven one by one, and held when there are many.

use std::collections::{BTreeMap, HashSet};

use super::{
    SYSTEM,
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
    plan::{Action, FieldChange, Item, Kind},
    reconcile::{
        planner::{
            losses::{self, Over, Tally},
            retirement_guard::{self, Limits, Measure},
        },
        plans_store,
        report::Ending,
        ticket_losses_store::{self, Loss},
    },
    tickets::Ticket,
    types::Scope,
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
            if plan.full && found.count.list_lies() {
                let alive = found.count.alive;
                report.problem(format!(
                    "Freshservice: the list of tickets lacks at least {alive} that still exist; nothing was retired"
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
        let plans = self.plans();
        let mut draft = plans.draft(&report.for_asking());
        draft.late = gone.iter().map(item).collect();
        let limits = draft.limits();
        if !self.job.options.yes {
            let measure = Measure { live, ..Measure::default() };
            let reason = retirement_guard::close(&mut draft.late, Kind::Ticket, &measure, limits);
            draft.held_because(reason);
        }
        let (losses, reasons) = self.take_away(limits, report).await?;
        draft.late.extend(losses);
        draft.held_because(reasons);
        report.held_because.clone_from(&draft.report.held_because);
        if report.dry_run {
            report.count(&draft.late);
            report.retired = draft.late.iter().filter(|item| item.action == Action::Retire).count() as u64;
            report.items.append(&mut draft.late);
            return Ok(());
        }
        if !draft.late.is_empty() && report.held_because.is_some() && self.is_known(&draft.late, full, report).await? {
            return Ok(());
        }
        draft.decide();
        report.count(&draft.late);
        report.held_because.clone_from(&draft.report.held_because);
        draft.summary = Some(report.summary());
        draft.publish().await?;
        if let Some(id) = draft.id {
            report.plan_id = Some(id);
            report.retired += plans.apply(id, report.held > 0).await?.done;
        }
        Ok(())
    }

    /// Applies what only a few tickets would lose. What too many would is returned to wait, with the reasons.
    async fn take_away(&self, limits: Limits, report: &mut Report) -> Result<(Vec<Item>, Vec<String>)> {
        let losses = if report.dry_run {
            std::mem::take(&mut report.losses)
        } else {
            self.job.db.read(&Scope::All, ticket_losses_store::all).await?
        };
        if losses.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let live = self.job.db.read(&Scope::All, |c| ticket_losses_store::live(c, SYSTEM)).await?;
        let mut tally = Tally::default();
        for (field, count) in live {
            tally.hold_all(field, count);
        }
        let mut items: Vec<Item> = losses.iter().map(lost).collect();
        items.iter().for_each(|item| tally.item(item, losses::nothing));
        let over = if self.job.options.yes { Over::default() } else { tally.over(Kind::Ticket, limits) };
        let held = over.hold(&mut items, Kind::Ticket, losses::nothing);
        if !report.dry_run {
            for chunk in items.chunks(STORED) {
                let chunk = chunk.to_vec();
                let take =
                    move |w: &mut Write<'_>| chunk.iter().try_for_each(|item| ticket_losses_store::resolve(w, item).map(|_| ()));
                self.job.write(&self.actor(), take).await?;
            }
        }
        Ok((held, over.reasons().collect()))
    }

    /// Whether the same retirements wait already, or a person has just decided against them.
    async fn is_known(&self, planned: &[Item], full: bool, report: &mut Report) -> Result<bool> {
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
        if rows(&mut items.iter().map(history::Unredacted::inside)) != rows(&mut planned.iter()) {
            return Ok(false);
        }
        if status == "held" {
            report.plan_id = Some(id);
            report.count(planned);
            report.held = planned.len() as u64;
        } else if full {
            return Ok(false);
        } else {
            report.held_because = None;
            report.notes.push(format!("{} tickets stay as they are, as plan {id} was discarded", planned.len()));
        }
        // With the rows as they were: an approval must not fail because a run came between.
        Ok(true)
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
