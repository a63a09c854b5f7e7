//! Who gets which account number, and where a number drifted: pure, from what the vendor lists and what we have.

use std::collections::{HashMap, HashSet};

use crate::{
    outbox::run_report::Report,
    plan::{Action, Item, Kind, local::Local},
    reconcile::planner::numbers::Numbers,
};

/// A department as far as its number goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    /// The vendor's id.
    pub id: String,
    pub name: String,
    /// Its number there.
    pub number: DepartmentNumber,
}

/// What a department says of its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DepartmentNumber {
    /// It has none.
    Nothing,
    /// It has this one.
    Number(String),
    /// It has something that cannot be a number.
    Unusable,
}

/// A number to be written to a department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The vendor's id.
    pub department: String,
    pub label: String,
    /// Our row; `None` when there is none yet.
    pub company: Option<i64>,
    /// The number.
    pub number: String,
    /// What the department has now.
    pub from: Option<String>,
    pub reason: String,
}

/// Something that is left alone, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The vendor's id.
    pub department: String,
    pub label: String,
    /// Our row.
    pub company: Option<i64>,
    pub why: String,
}

impl Left {
    /// Says in the report that a person has to sort it out.
    pub fn conflict_in(&self, report: &mut Report) {
        let mut item = Item::new(Kind::Company, Action::Review, &self.label, self.why.as_str()).from_vendor(&self.department);
        item.entity_id = self.company;
        report.items.push(item);
        report.conflicts.push(format!("{}: {}", self.label, self.why));
    }

    /// Says in the report what to know.
    pub fn note_in(&self, report: &mut Report) {
        report.notes.push(format!("{}: {}", self.label, self.why));
    }
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// To be written.
    pub writes: Vec<Write>,
    /// Left alone, and nobody need do anything.
    pub notes: Vec<Left>,
    /// Left alone until a person sorts it out.
    pub conflicts: Vec<Left>,
}

const AT_NUMBER: &str = "account_number";

/// Every department without a number gets its company's, or, without a company, a free one.
pub fn assign(departments: &[Department], locals: &[Local]) -> Plan {
    let linked = by_department(locals);
    let mut numbers = taken(departments, locals);
    let mut plan = Plan::default();
    for department in departments {
        let local = linked.get(department.id.as_str()).copied();
        match (&department.number, local) {
            (DepartmentNumber::Unusable, _) => {
                plan.conflicts.push(left(department, local, "what it has as account number cannot be one"));
            }
            (DepartmentNumber::Number(there), Some(local)) if there != local.text(AT_NUMBER) => {
                let why = format!(
                    "has {there} at Freshservice and {} here; `codex accounts push-freshservice` would write ours",
                    local.text(AT_NUMBER)
                );
                plan.notes.push(left(department, Some(local), &why));
            }
            (DepartmentNumber::Number(_), _) => {}
            (DepartmentNumber::Nothing, Some(local)) => {
                give(&mut plan, &numbers, department, local, "it has none at Freshservice");
            }
            (DepartmentNumber::Nothing, None) => match numbers.free(&department.id) {
                Some(number) => plan.writes.push(Write {
                    department: department.id.clone(),
                    label: department.name.clone(),
                    company: None,
                    number,
                    from: None,
                    reason: "it has no account number, here or at Freshservice; this one was free".to_owned(),
                }),
                None => plan.conflicts.push(left(department, None, "no six-digit account number is free")),
            },
        }
    }
    plan
}

/// Every department of a company gets the number that the company has here.
pub fn repair(departments: &[Department], locals: &[Local]) -> Plan {
    let linked = by_department(locals);
    let numbers = taken(departments, locals);
    let mut plan = Plan::default();
    for department in departments {
        let Some(local) = linked.get(department.id.as_str()).copied() else {
            plan.notes.push(left(department, None, "is no company here yet; sync first"));
            continue;
        };
        match &department.number {
            DepartmentNumber::Number(there) if there == local.text(AT_NUMBER) => {}
            DepartmentNumber::Number(there) => give(&mut plan, &numbers, department, local, &format!("Freshservice has {there}")),
            DepartmentNumber::Nothing => give(&mut plan, &numbers, department, local, "it has none at Freshservice"),
            DepartmentNumber::Unusable => {
                give(&mut plan, &numbers, department, local, "Freshservice has something that cannot be one");
            }
        }
    }
    plan
}

/// Plans to write a company's number, unless another department has it.
fn give(plan: &mut Plan, numbers: &Numbers, department: &Department, local: &Local, reason: &str) {
    let number = local.text(AT_NUMBER).to_owned();
    match numbers.owner(&number) {
        Some(owner) if owner != department.id => {
            plan.conflicts.push(left(
                department,
                Some(local),
                &format!("its number {number} is that of department {owner} at Freshservice"),
            ));
        }
        _ => plan.writes.push(Write {
            department: department.id.clone(),
            label: department.name.clone(),
            company: Some(local.id),
            number,
            from: match &department.number {
                DepartmentNumber::Number(there) => Some(there.clone()),
                DepartmentNumber::Nothing | DepartmentNumber::Unusable => None,
            },
            reason: reason.to_owned(),
        }),
    }
}

fn left(department: &Department, local: Option<&Local>, why: &str) -> Left {
    Left {
        department: department.id.clone(),
        label: department.name.clone(),
        company: local.map(|local| local.id),
        why: why.to_owned(),
    }
}

/// The company of each department; of several the one that is not retired, and of those the oldest.
fn by_department(locals: &[Local]) -> HashMap<&str, &Local> {
    let mut linked: HashMap<&str, &Local> = HashMap::new();
    for local in locals {
        for id in &local.external_ids {
            let known = linked.entry(id.as_str()).or_insert(local);
            if known.retired && !local.retired {
                *known = local;
            }
        }
    }
    linked
}

/// Every number in use, here or there, with its owner there.
fn taken(departments: &[Department], locals: &[Local]) -> Numbers {
    let mut numbers = Numbers::default();
    for local in locals {
        numbers.take(local.text(AT_NUMBER));
    }
    // Where two departments have one number, a company's own department comes first.
    let linked = by_department(locals);
    let own = |department: &&Department, number: &str| {
        linked.get(department.id.as_str()).is_some_and(|local| local.text(AT_NUMBER) == number)
    };
    let mut seen = HashSet::new();
    for first in [true, false] {
        for department in departments {
            let DepartmentNumber::Number(number) = &department.number else { continue };
            if own(&department, number) == first && seen.insert(&department.id) {
                numbers.claim(number, &department.id);
            }
        }
    }
    numbers
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
