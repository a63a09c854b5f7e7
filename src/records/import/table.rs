//! A table as a source of plans.

use std::{collections::BTreeSet, sync::Arc};

use super::{ENOUGH, Import, Known, Outcome, Plan, Row};
use crate::{
    db::{Write, list::ListQuery},
    error::{Error, Result},
    plan::State,
    reconcile::{
        planner::losses::{self, Tally},
        plans_store,
        reconciliation::{Draft, Reconciliation, Source},
        report::Report,
    },
    types::{Actor, Scope},
};

/// Rows rehearsed in one transaction: a person's save never waits long behind them.
const ROWS: usize = 50;

/// A table on its way.
pub struct Table {
    import: Import,
    scope: Scope,
    actor: Actor,
    /// What became of each row, as it was planned first.
    pub plan: Plan,
    /// Whether it was planned before.
    is_again: bool,
    /// Whether there was something to write when it was planned last.
    has_work: bool,
}

impl Table {
    /// Of this import.
    pub fn new(import: Import, scope: Scope, actor: Actor) -> Self {
        let preset = import.preset.map(|preset| preset.label);
        let plan = Plan { kind: import.target.name, ignored: import.ignored.clone(), preset, ..Plan::default() };
        Self { import, scope, actor, plan, is_again: false, has_work: false }
    }

    fn count(&mut self, row: Row) {
        match row.outcome {
            Outcome::Create => self.plan.create += 1,
            Outcome::Update => self.plan.update += 1,
            Outcome::Same => self.plan.same += 1,
            Outcome::Refused => self.plan.refused += 1,
        }
        self.plan.rows.push(row);
    }

    /// How much there is of each of these fields that could be lost, at the most.
    async fn hold(&self, of: &Reconciliation, tally: &mut Tally, fields: &BTreeSet<String>) -> Result<()> {
        let target = self.import.target;
        let live = of.job.db.read(&self.scope, move |c| ListQuery::everything(target.spec())?.count(c)).await?;
        fields.iter().for_each(|field| tally.hold_all(field, u64::try_from(live).unwrap_or(0)));
        Ok(())
    }
}

impl Source for Table {
    const SHOWN: i64 = 0;

    async fn plan(&mut self, draft: &mut Draft<'_>) -> Result<()> {
        let job = &draft.of.job;
        let total = self.import.sheet.rows.len();
        job.progress.begin("planning", u64::try_from(total).ok());
        let (mut known, mut tally, mut fields) = (Known::default(), Tally::default(), BTreeSet::new());
        let (mut refused, mut written) = (Vec::new(), 0);
        for from in (0..total).step_by(ROWS) {
            let (import, rows) = (self.import.clone(), from..(from + ROWS).min(total));
            let count = rows.len();
            let rehearse = move |w: &mut Write<'_>| Ok((import.rehearse(w, rows, &mut known)?, known));
            let (done, back) = job.db.dry_run(&self.scope, &self.actor, rehearse).await?;
            known = back;
            let mut items = Vec::new();
            for (row, item) in done {
                if row.outcome == Outcome::Refused {
                    refused.push(format!("line {}: {}", row.line, row.reason));
                }
                if let Some(item) = item {
                    tally.item(&item, losses::nothing);
                    fields.extend(item.fields.iter().filter(|_| item.entity_id.is_some()).map(|change| change.field.clone()));
                    items.push(item);
                }
                if !self.is_again {
                    self.count(row);
                }
            }
            written += items.len();
            // What cannot be done is not kept to be done.
            if refused.is_empty() {
                draft.add(items).await?;
            }
            job.progress.add(count);
            if refused.len() >= ENOUGH {
                break;
            }
        }
        (self.is_again, self.has_work) = (true, written > 0);
        if let Some(first) = refused.first() {
            draft.drop().await?;
            return Err(Error::conflict(format!("{} rows cannot be; {first}", refused.len())));
        }
        self.hold(draft.of, &mut tally, &fields).await?;
        let over = tally.over(self.import.target.plan_kind(), draft.limits());
        if !draft.of.job.options.yes && !over.is_empty() {
            draft.hold_everything(over.reasons());
        }
        let mut summary = draft.report.summary();
        summary["import"] = serde_json::to_value(self.import.origin(&self.actor)).map_err(Error::internal)?;
        draft.summary = Some(summary);
        Ok(())
    }

    async fn conclude(&mut self, of: &Reconciliation, report: &mut Report) -> Result<()> {
        let Some(plan) = report.plan_id.filter(|_| self.has_work && report.held == 0) else { return Ok(()) };
        let stale = of.job.db.read(&Scope::All, move |c| plans_store::count_in(c, plan, State::Stale)).await?;
        if stale > 0 {
            return Err(Error::conflict(format!("{stale} records keep changing while they are imported")));
        }
        let ids = of.job.db.read(&Scope::All, move |c| plans_store::entities(c, plan)).await?;
        for row in self.plan.rows.iter_mut().filter(|row| row.id.is_none()) {
            row.id = ids.get(&row.line.to_string()).copied();
        }
        Ok(())
    }
}

impl Import {
    /// What writes the items of its plans.
    pub(super) fn writer(&self) -> crate::reconcile::apply::WriteItem {
        let (target, key, policy) = (self.target, self.key.clone(), self.policy.clone());
        Arc::new(move |w, item| super::write(w, item, target, key.as_deref(), &policy))
    }
}
