//! The way of every plan, whatever it is about: made against the rows as they are, held as far as it takes too much away,
//! put before whoever sits at the terminal, stored, applied, and made anew when rows changed under it.

use std::collections::HashMap;

use super::{
    apply::{self, Applied, Apply, WriteItem},
    planner::{
        losses::{self, Tally},
        retirement_guard::{self, Limits},
    },
    plans_store,
    report::{Ending, Report},
};
use crate::{
    db::Write,
    error::Result,
    history::Unredacted,
    jobs::{Decision, Job, runs_store},
    plan::{Action, FieldChange, Item, Kind, Observation, State},
    types::{Actor, Scope},
};

/// How often a plan is made anew because rows changed under it.
const PASSES: usize = 3;
/// Items stored in one transaction.
const STORED: usize = 100;
/// Items of a stored plan that are looked at together.
const ROWS: i64 = 200;

/// What is compared with our rows: it says what they should become, and what is to be done beside.
pub trait Source: Send {
    /// The most items that a dry run hands back; all of them are in the stored proposal.
    const SHOWN: i64 = 20_000;

    /// Plans against the rows as they are now.
    fn plan(&mut self, draft: &mut Draft<'_>) -> impl Future<Output = Result<()>> + Send;

    /// What has to be stored before a plan is applied: what a kill must not lose.
    fn published(&mut self, _draft: &Draft<'_>) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// What follows once nothing is stale any more: what moves without history.
    fn conclude(&mut self, of: &Reconciliation, report: &mut Report) -> impl Future<Output = Result<()>> + Send;
}

/// One run's plans under one name.
#[derive(Clone)]
pub struct Reconciliation {
    /// The job it belongs to.
    pub job: Job,
    /// The run.
    pub run: i64,
    /// Whose records they are, in history.
    pub system: &'static str,
    /// The name under which its plans are kept.
    pub plans: &'static str,
    /// Who acts, in history.
    pub actor: Actor,
    /// What writes an item.
    pub item: WriteItem,
    /// Whether a plan takes the place of those under its name that still wait: a newer run has seen how things are.
    pub supersedes: bool,
}

/// A plan in the making.
pub struct Draft<'r> {
    /// The run that it is made in.
    pub of: &'r Reconciliation,
    /// What it comes to.
    pub report: Report,
    /// Items that are stored when everything is known, and a person has decided: whatever takes something away.
    pub late: Vec<Item>,
    /// What is kept of the plan as its summary, when not the report's.
    pub summary: Option<serde_json::Value>,
    /// The stored plan.
    pub id: Option<i64>,
    /// Of which columns something waits, by row.
    pub waiting: HashMap<i64, Vec<String>>,
    is_declined: bool,
}

/// Applies what is left of the plan of this name whose job was killed; says which, and what became of it.
pub async fn finish_interrupted(job: &Job, system: &str, plans: &'static str) -> Result<Option<(i64, Applied)>> {
    let Some(plan) = job.db.read(&Scope::All, move |c| plans_store::unfinished(c, plans)).await? else { return Ok(None) };
    tracing::info!(plan = plan.id, "applying the rest of a plan that an interrupted run left");
    Ok(Some((plan.id, Apply::of(job, Actor::sync(system, plan.run_id), plan.id).run().await?)))
}

impl Reconciliation {
    /// A vendor's.
    #[must_use]
    pub fn of(job: &Job, run: i64, system: &'static str, plans: &'static str) -> Self {
        let (actor, item) = (Actor::sync(system, run), apply::of_vendor());
        Self { job: job.clone(), run, system, plans, actor, item, supersedes: true }
    }

    /// Plans and applies until nothing is stale, then writes what moves without history. Returns the
    /// items of a dry run.
    pub async fn run<S: Source>(&self, source: &mut S, report: &mut Report) -> Result<Vec<Item>> {
        for pass in 1..=PASSES {
            let mut draft = self.draft(report);
            source.plan(&mut draft).await?;
            draft.decide();
            draft.publish().await?;
            let this = std::mem::take(&mut draft.report);
            if pass == 1 {
                (report.counts, report.changes) = (this.counts, this.changes);
            }
            (report.held, report.held_kinds, report.held_changes) = (this.held, this.held_kinds, this.held_changes);
            report.held_because = this.held_because;
            let Some(id) = draft.id else { break };
            report.plan_id = Some(id);
            if report.dry_run {
                let items = self.job.db.read(&Scope::All, move |c| plans_store::items(c, id, 0, S::SHOWN)).await?;
                return Ok(items.into_iter().map(Unredacted::reveal).collect());
            }
            source.published(&draft).await?;
            let applied = self.apply(id, report.held > 0).await?;
            report.applied += applied.done;
            if applied.stale == 0 {
                break;
            }
        }
        if !report.dry_run {
            if report.held > 0 && report.ending == Ending::Done {
                report.ending = Ending::Held;
            }
            source.conclude(self, report).await?;
        }
        Ok(Vec::new())
    }

    /// A short transaction of the run that is no change of a row.
    pub async fn write<T: Send + 'static>(&self, work: impl FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        self.job.write(&Actor::system("sync"), work).await
    }

    /// An empty plan of a run that has come so far.
    #[must_use]
    pub fn draft(&self, so_far: &Report) -> Draft<'_> {
        let mut report = Report { held_because: None, ..so_far.clone() };
        report.recount(&[]);
        Draft { of: self, report, late: Vec::new(), summary: None, id: None, waiting: HashMap::new(), is_declined: false }
    }

    /// Applies a stored plan; afterwards the rest of it waits, or it is done.
    pub async fn apply(&self, plan: i64, waits: bool) -> Result<Applied> {
        let (lease, run) = (self.job.lease.clone(), self.run);
        self.write(move |w| runs_store::advance(w, &lease, run, "applying")).await?;
        let applied = self.applying(plan).run().await?;
        let status = if waits { "held" } else { "applied" };
        self.write(move |w| plans_store::set_status(w, plan, status)).await?;
        Ok(applied)
    }

    /// Writes what moves without history.
    pub async fn observe(&self, observations: &[Observation]) -> Result<()> {
        self.applying(0).observe(observations).await
    }

    fn applying(&self, plan: i64) -> Apply {
        Apply { item: self.item.clone(), ..Apply::of(&self.job, self.actor.clone(), plan) }
    }
}

impl Draft<'_> {
    /// How much may be taken away without asking.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits::configured(&self.of.job.config)
    }

    /// Adds a reason why something waits.
    pub fn held_because(&mut self, reasons: impl IntoIterator<Item = String>) {
        let all: Vec<String> = self.report.held_because.take().into_iter().chain(reasons).collect();
        self.report.held_because = (!all.is_empty()).then(|| all.join("; "));
    }

    /// Counts and stores items at once, so that they need not be held in memory. Until the plan is published it is none
    /// that an interrupted run could leave half of.
    pub async fn add(&mut self, items: Vec<Item>) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        self.report.count(&items);
        let of = self.of;
        let plan = match self.id {
            Some(id) => id,
            None => {
                let (lease, run, plans, none) = (of.job.lease.clone(), of.run, of.plans, serde_json::json!({}));
                of.write(move |w| plans_store::begin(w, &lease, plans, run, &none)).await?
            }
        };
        self.id = Some(plan);
        let mut rest = items;
        while !rest.is_empty() {
            let more = rest.split_off(rest.len().min(STORED));
            let (lease, mut some) = (of.job.lease.clone(), rest);
            of.write(move |w| plans_store::add(w, &lease, plan, &mut some)).await?;
            rest = more;
        }
        Ok(())
    }

    /// Takes out of the stored items, and out of `asides` that are stored only to wait, what too many rows of a kind would
    /// lose.
    pub async fn hold_losses(
        &mut self,
        kind: Kind,
        tally: &Tally,
        mut asides: Vec<Item>,
        excused: impl Fn(&Item, &FieldChange) -> bool + Send,
    ) -> Result<Vec<Item>> {
        if self.of.job.options.yes {
            return Ok(Vec::new());
        }
        let (over, mut after) = (tally.over(kind, self.limits()), 0);
        self.held_because(over.reasons());
        let mut held = over.hold(&mut asides, kind, losses::nothing);
        let Some(plan) = self.id.filter(|_| !over.is_empty()) else { return Ok(held) };
        loop {
            let items = self.of.job.db.read(&Scope::All, move |c| plans_store::own_items(c, plan, after, ROWS)).await?;
            let Some(last) = items.last() else { return Ok(held) };
            after = last.id;
            let mut trimmed = Vec::new();
            for mut item in items.into_iter().filter(|item| item.kind == kind) {
                if let Some(waiting) = over.split(&mut item, &excused) {
                    held.push(waiting);
                    trimmed.push(item);
                }
            }
            trimmed.iter().filter(|item| losses::is_spent(item)).for_each(|item| self.report.uncount(item));
            let trim =
                move |w: &mut Write<'_>| trimmed.iter().try_for_each(|item| plans_store::trim(w, item, losses::is_spent(item)));
            self.of.write(trim).await?;
        }
    }

    /// Lets the person at the terminal decide, when the plan takes something away.
    pub fn decide(&mut self) {
        let options = &self.of.job.options;
        let takes = |item: &Item| item.action == Action::Retire || item.state == State::Held;
        let Some(ask) = options.ask.as_ref().filter(|_| !options.yes && !options.dry_run) else { return };
        if !self.late.iter().any(takes) {
            return;
        }
        let mut whole = self.report.clone();
        whole.count(&self.late);
        match ask(&whole.question(&self.late)) {
            Decision::All => {
                retirement_guard::release(&mut self.late);
                self.report.held_because = None;
            }
            Decision::KeepRows => {
                retirement_guard::hold(&mut self.late);
                self.report.held_because.get_or_insert_with(|| "not confirmed at the terminal".to_owned());
            }
            Decision::Nothing => {
                retirement_guard::hold_everything(&mut self.late);
                self.report.held_because = Some("declined at the terminal".to_owned());
                self.is_declined = true;
            }
        }
    }

    /// Lets all of it wait, for these reasons: what belongs together is done together.
    pub fn hold_everything(&mut self, reasons: impl IntoIterator<Item = String>) {
        self.held_because(reasons);
        self.is_declined = true;
    }

    /// Takes back what was stored of it.
    pub async fn drop(&mut self) -> Result<()> {
        let Some(id) = self.id.take() else { return Ok(()) };
        self.of.write(move |w| plans_store::delete_draft(w, id)).await
    }

    /// Stores the rest, and makes the plan count: as a proposal, or as what is being applied. One without items takes the
    /// place of what waited before.
    pub async fn publish(&mut self) -> Result<()> {
        let late = std::mem::take(&mut self.late);
        for item in late.iter().filter(|item| item.state == State::Held && item.rev.is_none()) {
            let columns = item.fields.iter().map(|change| change.field.clone());
            self.waiting.entry(item.entity_id.unwrap_or_default()).or_default().extend(columns);
        }
        self.add(late).await?;
        let (of, lease) = (self.of, self.of.job.lease.clone());
        let (dry_run, plans) = (of.job.options.dry_run, of.plans);
        let supersedes = of.supersedes && !dry_run;
        let Some(id) = self.id else {
            return if supersedes { of.write(move |w| plans_store::supersede(w, &lease, plans)).await } else { Ok(()) };
        };
        if self.is_declined {
            of.write(move |w| plans_store::move_items(w, id, State::Pending, State::Held)).await?;
            self.report.decline();
        }
        let (why, summary) = (self.report.held_because.clone(), self.summary.take().unwrap_or_else(|| self.report.summary()));
        let status = if dry_run { "proposed" } else { "applying" };
        of.write(move |w| {
            plans_store::conclude(w, &lease, id, why.as_deref(), &summary)?;
            if supersedes {
                plans_store::supersede(w, &lease, plans)?;
            }
            plans_store::set_status(w, id, status)
        })
        .await
    }
}
