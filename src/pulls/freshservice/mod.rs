//! One sync from beginning to end: finish what an earlier one left, read, prove, plan, apply.

pub mod absence;
pub mod asset_mapping;
pub mod assets;
pub mod reader;
pub mod tickets;

use std::{collections::HashMap, sync::Arc};

use crate::{
    config::Config,
    db::{Db, Write},
    error::{Error, Result},
    jobs::{
        Decision, Ended, Job, Options,
        kind::{self, Definition, JobKind},
        lease_store::Lease,
        runs_store,
    },
    plan::{Item, Kind, Observation, Plan, local::Local},
    progress::Progress,
    reconcile::{
        apply::{Applied, Apply},
        planner::retire::{self, Evidence},
        planning::{self, Planned},
        plans_store,
        report::{Ending, Report},
        rows_store,
    },
    types::{Actor, Scope},
    vendors::freshservice::{
        SYSTEM,
        client::{Freshservice, LISTS, List},
    },
};
use reader::{Fetched, Reader};

/// What this run reads.
const KINDS: [Kind; 3] = [Kind::Company, Kind::Contact, Kind::PsaAgent];
/// How often a plan is made anew because rows changed under it.
const PASSES: usize = 3;
/// Items stored in one transaction.
const STORED: usize = 100;

/// One run.
struct Run {
    db: Db,
    /// What the operator decided.
    config: Arc<Config>,
    /// Proof that this job may write.
    lease: Lease,
    /// How it was asked for.
    options: Options,
    /// Where to say how far we are.
    progress: Arc<Progress>,
}

/// A report, and for a dry run the items it counts; those of a real run are in the stored plan.
type Outcome = (Report, Vec<Item>);

/// Pulls companies, contacts, agents and assets from Freshservice.
pub const JOB: JobKind = JobKind(&Definition {
    name: "freshservice",
    aliases: &["psa", "base", "freshservice-assets"],
    label: "Freshservice sync",
    what: "Companies, contacts, agents and assets",
    system: SYSTEM,
    pulls: true,
    plans: true,
    follows: None,
    in_all: Some(1),
    has_work: kind::always,
    body: |job| Box::pin(body(job)),
});

/// The body of the Freshservice job.
pub async fn body(job: Job) -> Result<Ended> {
    let Job { db, config, lease, options, progress, .. } = job;
    let (report, items) = Run { db, config, lease, options, progress }.run().await?;
    Ok(report.ended(items))
}

impl Run {
    /// Runs, and records how it ended.
    async fn run(self) -> Result<Outcome> {
        let client = Freshservice::open(&self.db, &self.config)?.shown_in(self.progress.clone());
        let mut report = Report { kinds: KINDS.to_vec(), dry_run: self.options.dry_run, ..Report::default() };
        if !self.options.dry_run {
            report.applied += self.finish_interrupted().await?.done + assets::finish_interrupted(&self.job()).await?;
        }
        let (lease, dry_run) = (self.lease.clone(), self.options.dry_run);
        let predecessor = self.db.read(&Scope::All, |c| runs_store::interrupted(c, SYSTEM)).await?.filter(|_| !self.options.full);
        let run = self.write(move |w| runs_store::begin(w, &lease, SYSTEM, dry_run)).await?;
        report.run_id = run;
        let reader = Reader {
            db: self.db.clone(),
            lease: self.lease.clone(),
            run,
            predecessor,
            client,
            names: self.config.freshservice.fields.clone(),
            progress: self.progress.clone(),
        };
        let result = self.whole(&reader, &mut report).await;
        report.retries = reader.client.retries();
        report.clean(&reader.client.mended());
        let (status, error) = match &result {
            Err(error) => ("failed", Some(error.to_string())),
            Ok(_) if report.ending == Ending::Upstream => ("failed", Some(report.problems.join("; "))),
            Ok(_) if report.ending == Ending::Held => ("held", None),
            Ok(_) => ("done", None),
        };
        let (lease, summary) = (self.lease.clone(), report.summary().to_string());
        let finish = move |w: &mut Write<'_>| runs_store::finish(w, &lease, run, status, error.as_deref(), &summary);
        let finished = self.write(finish).await;
        let items = result?;
        finished?;
        Ok((report, items))
    }

    async fn write<T: Send + 'static>(&self, work: impl FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        self.db.write_bulk(&Scope::All, &Actor::system("sync"), work).await
    }

    /// Applies what is left of a plan whose job was killed.
    async fn finish_interrupted(&self) -> Result<Applied> {
        let Some(plan) = self.db.read(&Scope::All, |c| plans_store::unfinished(c, SYSTEM)).await? else {
            return Ok(Applied::default());
        };
        tracing::info!(plan = plan.id, "applying the rest of a plan that an interrupted run left");
        self.apply(plan.id, plan.run_id).run().await
    }

    fn apply(&self, plan: i64, run: i64) -> Apply {
        Apply {
            db: self.db.clone(),
            lease: self.lease.clone(),
            plan,
            actor: Actor::sync(SYSTEM, run),
            progress: self.progress.clone(),
        }
    }

    /// Companies and people first, then the assets that belong to them.
    async fn whole(&self, reader: &Reader, report: &mut Report) -> Result<Vec<Item>> {
        let mut items = self.steps(reader, report).await?;
        items.extend(assets::pull(&self.job(), &reader.client, reader.run, report).await?);
        Ok(items)
    }

    fn job(&self) -> Job {
        let (db, config, lease) = (self.db.clone(), self.config.clone(), self.lease.clone());
        Job { kind: JOB, db, config, lease, options: self.options.clone(), progress: self.progress.clone() }
    }

    async fn steps(&self, reader: &Reader, report: &mut Report) -> Result<Vec<Item>> {
        let mut fetched = HashMap::new();
        for list in LISTS {
            let expected = self.db.read(&Scope::All, move |c| rows_store::live(c, list.kind, SYSTEM)).await?;
            match reader.read(list, expected).await {
                Ok(found) => {
                    report.listed.insert(list.kind.plural(), found.listed.len());
                    report.skip(&found.skipped);
                    fetched.insert(list.kind, found);
                }
                Err(error @ Error::Upstream { .. }) if list.kind == Kind::PsaAgent => {
                    report.problems.push(error.to_string());
                    report.ending = Ending::Upstream;
                }
                Err(error) => return Err(error),
            }
        }
        let nothing = |kind| fetched.get(&kind).is_some_and(|f: &Fetched| f.listed.is_empty());
        if nothing(Kind::Company) && nothing(Kind::Contact) {
            let why = "Freshservice listed no departments and no requesters; nothing was changed (may the key's agent see them?)";
            return Err(Error::Upstream { service: "Freshservice", message: why.to_owned() });
        }
        let evidence = self.prove(reader, &mut fetched, report).await?;
        let mut items = Vec::new();
        for pass in 1..=PASSES {
            let (planned, stale) = self.pass(reader.run, &fetched, &evidence, report, pass == 1).await?;
            items = planned;
            if stale == 0 {
                break;
            }
        }
        Ok(items)
    }

    async fn locals(&self, kind: Kind) -> Result<Vec<Local>> {
        self.db.read(&Scope::All, move |c| rows_store::all(c, kind, SYSTEM)).await
    }

    /// Looks into every row that a list lacked. A list that is empty, or lies, proves nothing.
    async fn prove(
        &self,
        reader: &Reader,
        fetched: &mut HashMap<Kind, Fetched>,
        report: &mut Report,
    ) -> Result<HashMap<String, Evidence>> {
        let mut evidence = HashMap::new();
        for list in LISTS {
            let Some(found) = fetched.get_mut(&list.kind) else { continue };
            let locals = self.locals(list.kind).await?;
            let missing: Vec<String> = retire::missing(&locals, &found.listed).into_iter().map(|(id, _)| id.to_owned()).collect();
            if let Some(why) = empty(list, found, &missing) {
                report.problems.push(why);
                report.ending = Ending::Upstream;
                fetched.remove(&list.kind);
                continue;
            }
            let findings = reader.investigate(list, &missing, found).await?;
            if let Some(why) = findings.unproven {
                report.problems.push(format!("Freshservice: {why}; nothing was retired"));
                report.ending = Ending::Upstream;
                continue;
            }
            evidence.extend(findings.evidence);
        }
        Ok(evidence)
    }

    /// Plans against the rows as they are now, stores the plan, and applies it. Returns its items and
    /// how many of them were stale.
    async fn pass(
        &self,
        run: i64,
        fetched: &HashMap<Kind, Fetched>,
        evidence: &HashMap<String, Evidence>,
        report: &mut Report,
        first: bool,
    ) -> Result<(Vec<Item>, u64)> {
        self.progress.begin("planning", None);
        // A copy: a plan may have to be made more than once.
        let records = fetched.iter().map(|(kind, found)| (*kind, (found.records.clone(), found.listed.clone()))).collect();
        let lists = planning::Lists::of(records, evidence);
        let limits = planning::limits(&self.config);
        let yes = self.options.yes;
        let Planned { mut plan, mut held_because } =
            self.db.read(&Scope::All, move |c| planning::plan(c, SYSTEM, lists, limits, yes)).await?;
        let mut this = Report { held_because: held_because.clone(), ..report.clone() };
        this.recount(&plan.items);
        if !self.options.dry_run {
            self.decide(&this, &mut plan, &mut held_because);
        }
        this.recount(&plan.items);
        if first {
            (report.counts, report.changes) = (this.counts.clone(), this.changes);
        }
        (report.held, report.held_because) = (this.held, held_because.clone());
        (report.held_kinds, report.held_changes) = (this.held_kinds.clone(), this.held_changes.clone());
        if report.held > 0 && report.ending == Ending::Done && !report.dry_run {
            report.ending = Ending::Held;
        }
        if plan.items.is_empty() {
            if !report.dry_run {
                self.apply(0, run).observe(&plan.observations).await?;
                let lease = self.lease.clone();
                self.write(move |w| plans_store::supersede(w, &lease)).await?;
            }
            return Ok((Vec::new(), 0));
        }
        let status = if self.options.dry_run { "proposed" } else { "applying" };
        report.plan_id = Some(self.store(run, status, held_because, &this, &mut plan).await?);
        if self.options.dry_run {
            return Ok((plan.items, 0));
        }
        // What is stored need not be held in memory as well.
        plan.items = Vec::new();
        let applied = self.apply_stored(run, report, &plan.observations).await?;
        Ok((Vec::new(), applied.stale))
    }

    async fn apply_stored(&self, run: i64, report: &mut Report, observations: &[Observation]) -> Result<Applied> {
        let id = report.plan_id.unwrap_or_default();
        let lease = self.lease.clone();
        self.write(move |w| runs_store::advance(w, &lease, run, "applying")).await?;
        let apply = self.apply(id, run);
        let applied = apply.run().await?;
        apply.observe(observations).await?;
        let status = if report.held > 0 { "held" } else { "applied" };
        self.write(move |w| plans_store::set_status(w, id, status)).await?;
        report.applied += applied.done;
        Ok(applied)
    }

    /// Lets the person at the terminal decide about retirements.
    fn decide(&self, report: &Report, plan: &mut Plan, held_because: &mut Option<String>) {
        let Some(ask) = &self.options.ask else { return };
        if !planning::retires(plan) || self.options.yes {
            return;
        }
        match ask(&report.question(&plan.items)) {
            Decision::All => {
                planning::release(plan);
                *held_because = None;
            }
            Decision::KeepRows => {
                planning::hold(plan);
                held_because.get_or_insert_with(|| "not confirmed at the terminal".to_owned());
            }
            Decision::Nothing => {
                planning::hold_everything(plan);
                *held_because = Some("declined at the terminal".to_owned());
            }
        }
    }

    async fn store(
        &self,
        run: i64,
        status: &'static str,
        held_because: Option<String>,
        report: &Report,
        plan: &mut Plan,
    ) -> Result<i64> {
        let (lease, summary) = (self.lease.clone(), report.summary());
        // Until every item is stored the plan is not one that an interrupted run could leave half of.
        let begin = move |w: &mut Write<'_>| plans_store::begin(w, &lease, run, held_because.as_deref(), &summary);
        let id = self.write(begin).await?;
        for chunk in plan.items.chunks_mut(STORED) {
            let (lease, mut items) = (self.lease.clone(), chunk.to_vec());
            let add = move |w: &mut Write<'_>| plans_store::add(w, &lease, id, &mut items).map(|()| items);
            let stored = self.write(add).await?;
            for (item, stored) in chunk.iter_mut().zip(stored) {
                item.id = stored.id;
            }
        }
        let lease = self.lease.clone();
        self.write(move |w| plans_store::publish(w, &lease, id, status)).await?;
        Ok(id)
    }
}

/// Why an empty list proves nothing, when there are rows that came from it.
fn empty(list: List, found: &Fetched, missing: &[String]) -> Option<String> {
    let suspicious = found.listed.is_empty() && !missing.is_empty();
    suspicious.then(|| {
        let rows = missing.len();
        format!(
            "Freshservice: the list of {} is empty although {rows} {} came from it; nothing was retired",
            list.name(),
            list.kind.plural()
        )
    })
}
