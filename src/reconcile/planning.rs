//! Joining the pure planners with the rows of one snapshot.

use std::collections::{HashMap, HashSet};

use super::{
    planner::{
        agents, companies, contacts, distinct,
        losses::{self, COMPANIES, Tally},
        retire::{self, Evidence},
        retirement_guard::{self, Limits},
    },
    rows_store,
};
use crate::{
    config::Config,
    db::Conn,
    error::Result,
    plan::{Action, FieldChange, Item, Kind, Plan, State, local::Local, record::SourceRecord},
};

/// What the Freshservice pull plans.
const KINDS: [Kind; 3] = [Kind::Company, Kind::Contact, Kind::PsaAgent];

/// What was read and proven, ready to be planned.
pub struct Lists {
    records: HashMap<Kind, (Vec<SourceRecord>, HashSet<String>)>,
    evidence: HashMap<String, Evidence>,
}

impl Lists {
    /// For each kind its records and every vendor id that was listed.
    #[must_use]
    pub fn of(records: HashMap<Kind, (Vec<SourceRecord>, HashSet<String>)>, evidence: &HashMap<String, Evidence>) -> Self {
        Self { records, evidence: evidence.clone() }
    }
}

/// A plan, and why some of it waits if it does.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Why some of it waits.
    pub held_because: Option<String>,
}

/// How much may be retired without asking.
#[must_use]
pub fn limits(config: &Config) -> Limits {
    Limits { minimum: config.sync.retire_minimum, percent: config.sync.retire_percent }
}

/// Plans every list that could be read. With `approved`, nothing waits.
pub fn plan(c: &mut Conn, system: &str, mut lists: Lists, limits: Limits, approved: bool) -> Result<Planned> {
    let mut plan = Plan::default();
    let gone: HashSet<String> =
        lists.evidence.iter().filter(|(_, e)| matches!(e, Evidence::Gone(_))).map(|(id, _)| id.clone()).collect();
    let locals: HashMap<Kind, Vec<Local>> =
        KINDS.into_iter().map(|kind| Ok((kind, rows_store::all(c, kind, system)?))).collect::<Result<_>>()?;
    let of = |kind: Kind| locals.get(&kind).map(Vec::as_slice).unwrap_or_default();
    let mut listed: HashMap<Kind, HashSet<String>> = HashMap::new();
    for kind in KINDS {
        let Some((records, ids)) = lists.records.remove(&kind) else { continue };
        let records = distinct(records);
        match kind {
            Kind::Company => companies::plan(&mut plan, of(kind), records, &gone),
            Kind::Contact => {
                let known = rows_store::companies(of(Kind::Company), &plan.items);
                contacts::plan(&mut plan, of(kind), records, &known, &gone);
            }
            Kind::PsaAgent => agents::plan(&mut plan, of(kind), records),
            // Planned in chunks, in `assets/`.
            Kind::Site | Kind::Asset => {}
            Kind::Ticket => {}
        }
        listed.insert(kind, ids);
    }
    // People leave before the companies they belong to.
    for kind in [Kind::Contact, Kind::PsaAgent, Kind::Company] {
        if let Some(ids) = listed.get(&kind) {
            retire::plan(&mut plan, kind, of(kind), ids, &lists.evidence);
        }
    }
    let mut reasons = close_guards(c, &mut plan, &locals, &listed, limits)?;
    if !approved {
        for kind in KINDS {
            reasons.extend(hold_losses(&mut plan, kind, of(kind), limits));
        }
    }
    let mut held_because = (!reasons.is_empty()).then(|| reasons.join("; "));
    if approved {
        release(&mut plan);
        held_because = None;
    }
    Ok(Planned { plan, held_because })
}

fn close_guards(
    c: &mut Conn,
    plan: &mut Plan,
    locals: &HashMap<Kind, Vec<Local>>,
    listed: &HashMap<Kind, HashSet<String>>,
    limits: Limits,
) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    for kind in KINDS {
        let rows = locals.get(&kind).map(Vec::as_slice).unwrap_or_default();
        let live = rows.iter().filter(|l| !l.retired && !l.external_ids.is_empty()).count() as u64;
        let mut dependants = Vec::new();
        if kind == Kind::Company {
            let retiring: Vec<i64> = retiring(plan, kind).filter_map(|item| item.entity_id).collect();
            if !retiring.is_empty() {
                let contacts = locals.get(&Kind::Contact).map(Vec::as_slice).unwrap_or_default();
                let seen = listed.get(&Kind::Contact);
                let still = |local: &&Local| seen.is_some_and(|seen| local.external_ids.iter().any(|id| seen.contains(id)));
                let listed: HashSet<i64> = contacts.iter().filter(still).map(|local| local.id).collect();
                dependants.extend(rows_store::dependants(c, &retiring, &listed)?);
            }
        }
        reasons.extend(retirement_guard::close(plan, kind, live, &dependants, limits));
    }
    Ok(reasons)
}

/// Lets wait what the plan would take away of more than a few rows of a kind.
fn hold_losses(plan: &mut Plan, kind: Kind, locals: &[Local], limits: Limits) -> Vec<String> {
    // Whoever leaves a company that is proven gone has not lost it by this.
    let going: HashSet<i64> =
        retiring(plan, Kind::Company).filter(|item| item.state == State::Pending).filter_map(|item| item.entity_id).collect();
    let leaves_the_living = |item: &Item| item.moves.leave.iter().any(|company| !going.contains(company));
    let mut tally = Tally::default();
    for local in locals.iter().filter(|local| !local.retired && !local.external_ids.is_empty()) {
        tally.row(local.values.iter());
        if local.memberships.iter().any(|member| member.ours) {
            tally.hold(COMPANIES);
        }
    }
    let excused = |item: &Item| {
        let stays = !leaves_the_living(item);
        move |change: &FieldChange| change.field == COMPANIES && stays
    };
    for item in plan.items.iter().filter(|item| item.kind == kind) {
        tally.item(item, excused(item));
    }
    let over = tally.over(kind, limits);
    if over.is_empty() {
        return Vec::new();
    }
    let mut held = Vec::new();
    for item in plan.items.iter_mut().filter(|item| item.kind == kind) {
        let excuse = excused(item);
        held.extend(over.split(item, excuse));
    }
    plan.items.retain(|item| !(item.state == State::Pending && losses::is_spent(item)));
    plan.items.append(&mut held);
    over.reasons().collect()
}

fn retiring(plan: &Plan, kind: Kind) -> impl Iterator<Item = &Item> {
    plan.items.iter().filter(move |item| item.kind == kind && item.action == Action::Retire)
}

/// Whether anything is to be retired, now or after approval, or waits because it takes too much away.
#[must_use]
pub fn retires(plan: &Plan) -> bool {
    plan.items.iter().any(|item| item.action == Action::Retire || item.state == State::Held)
}

/// Approves what waits.
pub fn release(plan: &mut Plan) {
    turn(plan, State::Held, State::Pending, |_| true);
}

/// Lets every retirement wait.
pub fn hold(plan: &mut Plan) {
    turn(plan, State::Pending, State::Held, |item| item.action == Action::Retire);
}

/// Lets everything wait.
pub fn hold_everything(plan: &mut Plan) {
    turn(plan, State::Pending, State::Held, |_| true);
}

fn turn(plan: &mut Plan, from: State, to: State, which: impl Fn(&Item) -> bool) {
    for item in plan.items.iter_mut().filter(|item| item.state == from && which(item)) {
        item.state = to;
    }
}
