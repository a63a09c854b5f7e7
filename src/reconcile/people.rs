//! Companies, contacts and agents as a source: the pure planners joined with the rows of one snapshot.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    absence::Evidence,
    planner::{
        agents, companies, contacts, distinct,
        losses::{COMPANIES, Tally},
        retire,
        retirement_guard::{self, Limits, Measure},
    },
    reconciliation::{Draft, Reconciliation, Source},
    report::Report,
    rows_store,
};
use crate::{
    db::Conn,
    error::Result,
    plan::{Action, FieldChange, Item, Kind, Observation, Plan, State, local::Local, record::SourceRecord},
    types::Scope,
};

/// What is planned together.
pub const KINDS: [Kind; 3] = [Kind::Company, Kind::Contact, Kind::PsaAgent];

/// One kind's list.
#[derive(Default)]
pub struct List {
    /// Its records in our words; of a vendor id that occurs twice the later one counts.
    pub records: Vec<SourceRecord>,
    /// Every vendor id it listed, also of records that are left out on purpose.
    pub listed: HashSet<String>,
}

/// What was read and proven.
pub struct Lists {
    /// For each kind its list, as far as it could be read.
    pub lists: HashMap<Kind, List>,
    /// What was found out about vendor ids that a list lacked.
    pub evidence: HashMap<String, Evidence>,
}

/// A vendor's companies and people, ready to be planned.
pub struct People {
    lists: Arc<Lists>,
    observations: Vec<Observation>,
}

impl People {
    /// From what was read and proven.
    #[must_use]
    pub fn new(lists: Lists) -> Self {
        Self { lists: Arc::new(lists), observations: Vec::new() }
    }
}

impl Source for People {
    const SHOWN: i64 = i64::MAX;

    async fn plan(&mut self, draft: &mut Draft<'_>) -> Result<()> {
        let Reconciliation { job, system, .. } = draft.of;
        job.progress.begin("planning", None);
        let (lists, system, limits) = (self.lists.clone(), *system, (!job.options.yes).then(|| draft.limits()));
        let (plan, reasons) = job.db.read(&Scope::All, move |c| plan(c, system, &lists, limits)).await?;
        (draft.late, self.observations) = (plan.items, plan.observations);
        draft.held_because(reasons);
        Ok(())
    }

    async fn conclude(&mut self, of: &Reconciliation, _: &mut Report) -> Result<()> {
        of.observe(&self.observations).await
    }
}

/// Plans every list that could be read, and says why some of it waits. Without limits nothing does.
fn plan(c: &mut Conn, system: &str, lists: &Lists, limits: Option<Limits>) -> Result<(Plan, Vec<String>)> {
    let mut plan = Plan::default();
    let gone: HashSet<String> =
        lists.evidence.iter().filter(|(_, e)| matches!(e, Evidence::Gone(_))).map(|(id, _)| id.clone()).collect();
    let locals: HashMap<Kind, Vec<Local>> =
        KINDS.into_iter().map(|kind| Ok((kind, rows_store::all(c, kind, system)?))).collect::<Result<_>>()?;
    let of = |kind: Kind| locals.get(&kind).map(Vec::as_slice).unwrap_or_default();
    for kind in KINDS {
        let Some(list) = lists.lists.get(&kind) else { continue };
        // A copy: a plan may have to be made more than once.
        let records = speaking(distinct(list.records.clone()), of(kind));
        match kind {
            Kind::Company => companies::plan(&mut plan, of(kind), records, &gone),
            Kind::Contact => {
                let known = rows_store::companies(of(Kind::Company), &plan.items);
                contacts::plan(&mut plan, of(kind), records, &known, &gone);
            }
            _ => agents::plan(&mut plan, of(kind), records),
        }
    }
    // People leave before the companies they belong to.
    for kind in [Kind::Contact, Kind::PsaAgent, Kind::Company] {
        if let Some(list) = lists.lists.get(&kind) {
            retire::plan(&mut plan, kind, of(kind), &list.listed, &lists.evidence);
        }
    }
    let Some(limits) = limits else { return Ok((plan, Vec::new())) };
    let mut reasons = close_guards(c, &mut plan, &locals, lists, limits)?;
    for kind in KINDS {
        reasons.extend(hold_losses(&mut plan, kind, of(kind), limits));
    }
    Ok((plan, reasons))
}

/// Without the records of rows for which another record speaks: of several that one row is, the first that is listed.
fn speaking(mut records: Vec<SourceRecord>, locals: &[Local]) -> Vec<SourceRecord> {
    let listed: HashSet<&str> = records.iter().map(|record| record.external_id.as_str()).collect();
    let several = locals.iter().filter(|local| local.external_ids.len() > 1);
    let silent: HashSet<String> =
        several.flat_map(|local| local.external_ids.iter().filter(|id| listed.contains(id.as_str())).skip(1).cloned()).collect();
    records.retain(|record| !silent.contains(&record.external_id));
    records
}

fn close_guards(
    c: &mut Conn,
    plan: &mut Plan,
    locals: &HashMap<Kind, Vec<Local>>,
    lists: &Lists,
    limits: Limits,
) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    for kind in KINDS {
        let rows = locals.get(&kind).map(Vec::as_slice).unwrap_or_default();
        let live = rows.iter().filter(|l| !l.retired && !l.external_ids.is_empty()).count() as u64;
        let mut measure = Measure { live, ..Measure::default() };
        if kind == Kind::Company {
            let retiring: Vec<i64> = retiring(plan, kind).filter_map(|item| item.entity_id).collect();
            if !retiring.is_empty() {
                let contacts = locals.get(&Kind::Contact).map(Vec::as_slice).unwrap_or_default();
                let seen = lists.lists.get(&Kind::Contact).map(|list| &list.listed);
                let still = |local: &&Local| seen.is_some_and(|seen| local.external_ids.iter().any(|id| seen.contains(id)));
                let listed: HashSet<i64> = contacts.iter().filter(still).map(|local| local.id).collect();
                measure.dependants.extend(rows_store::dependants(c, &retiring, &listed)?);
            }
        }
        reasons.extend(retirement_guard::close(&mut plan.items, kind, &measure, limits));
    }
    Ok(reasons)
}

/// Lets wait what the plan would take away of more than a few rows of a kind.
fn hold_losses(plan: &mut Plan, kind: Kind, locals: &[Local], limits: Limits) -> Vec<String> {
    let going: HashSet<i64> =
        retiring(plan, Kind::Company).filter(|item| item.state == State::Pending).filter_map(|item| item.entity_id).collect();
    let mut tally = Tally::default();
    for local in locals.iter().filter(|local| !local.retired && !local.external_ids.is_empty()) {
        tally.row(local.values.iter());
        if local.memberships.iter().any(|member| member.ours) {
            tally.hold(COMPANIES);
        }
    }
    // Whoever leaves a company that is proven gone has not lost it by this.
    let excused = |item: &Item, change: &FieldChange| {
        change.field == COMPANIES && item.moves.leave.iter().all(|company| going.contains(company))
    };
    plan.items.iter().filter(|item| item.kind == kind).for_each(|item| tally.item(item, excused));
    let over = tally.over(kind, limits);
    let mut held = over.hold(&mut plan.items, kind, excused);
    plan.items.append(&mut held);
    over.reasons().collect()
}

fn retiring(plan: &Plan, kind: Kind) -> impl Iterator<Item = &Item> {
    plan.items.iter().filter(move |item| item.kind == kind && item.action == Action::Retire)
}
