//! Departments to companies. Matched by the link, else by the account number, never by name.

use std::collections::{HashMap, HashSet};

use super::{all_fields, by_external_id, numbers::Numbers, plan_existing, report_ignored};
use crate::{
    companies::contract,
    db::Value as Cell,
    plan::{Action, Item, Kind, Moves, Plan, cells::Cells, local::Local, record::SourceRecord},
};

/// The column that says whether the vendor knows the number too.
const AT_VENDOR: &str = "account_number_at_vendor";
/// The column of the number.
const NUMBER: &str = "account_number";

/// What is being worked on.
struct Work<'l, 'p> {
    plan: &'p mut Plan,
    numbers: Numbers,
    /// Which row has which number; 0 is a row that this plan creates.
    holders: HashMap<String, i64>,
    /// Records whose number is still another row's.
    waiting: Vec<(Option<&'l Local>, SourceRecord, String)>,
}

/// Plans every listed department. `records` are distinct and in a fixed order; `gone` are vendor ids
/// that are proven to exist no more, so that a row may pass to the record that now has its number.
pub fn plan(plan: &mut Plan, locals: &[Local], records: Vec<SourceRecord>, gone: &HashSet<String>) {
    let linked = by_external_id(locals);
    let listed: HashSet<&str> = records.iter().map(|r| r.external_id.as_str()).collect();
    let free = |l: &&Local| {
        !l.external_ids.iter().any(|id| listed.contains(id.as_str()))
            && (l.retired || l.external_ids.iter().all(|id| gone.contains(id)))
    };
    let adoptable: HashMap<&str, &Local> = locals.iter().filter(free).map(|l| (l.text(NUMBER), l)).collect();
    let mut work = Work {
        plan,
        numbers: claims(locals, &linked, &records),
        holders: locals.iter().map(|l| (l.text(NUMBER).to_owned(), l.id)).collect(),
        waiting: Vec::new(),
    };
    for mapped in &records {
        report_ignored(work.plan, Kind::Company, mapped);
    }
    for mapped in records {
        let number = work.own_number(&mapped);
        match (linked.get(mapped.external_id.as_str()), number) {
            (Some(local), number) => work.existing(local, mapped, number),
            (None, Some(number)) => match adoptable.get(number.as_str()) {
                Some(local) => work.adopt(local, mapped, &number),
                None => work.create_or_wait(mapped, number),
            },
            (None, None) => work.create(mapped, None),
        }
    }
    work.move_numbers();
}

/// Who has each number: a row that carries it already comes before the rest, then the lowest vendor id.
fn claims(locals: &[Local], linked: &HashMap<&str, &Local>, records: &[SourceRecord]) -> Numbers {
    let mut numbers = Numbers::default();
    for local in locals {
        numbers.take(local.text(NUMBER));
    }
    let carries = |mapped: &&SourceRecord| {
        let local = linked.get(mapped.external_id.as_str());
        local.is_some_and(|local| mapped.account_number.as_deref() == Some(local.text(NUMBER)))
    };
    let (first, rest): (Vec<&SourceRecord>, Vec<&SourceRecord>) = records.iter().partition(carries);
    for mapped in first.into_iter().chain(rest) {
        if let Some(number) = &mapped.account_number {
            numbers.claim(number, &mapped.external_id);
        }
    }
    numbers
}

impl<'l> Work<'l, '_> {
    /// The record's number, unless another record has the better claim to it.
    fn own_number(&mut self, mapped: &SourceRecord) -> Option<String> {
        let number = mapped.account_number.clone()?;
        let owner = self.numbers.owner(&number).unwrap_or_default();
        if owner == mapped.external_id {
            return Some(number);
        }
        let reason = format!("account number {number} is also that of {owner} at the vendor, which keeps it");
        self.review(None, mapped, reason);
        None
    }

    fn review(&mut self, local: Option<&Local>, mapped: &SourceRecord, reason: String) {
        let item = Item::new(Kind::Company, Action::Review, &mapped.label, reason).from_vendor(&mapped.external_id);
        self.plan.items.push(match local {
            Some(local) => item.of(local),
            None => item,
        });
    }

    fn existing(&mut self, local: &'l Local, mapped: SourceRecord, number: Option<String>) {
        match number {
            Some(number) if local.text(NUMBER) == number => self.update(local, mapped, Some(number)),
            Some(number) if local.pins.contains(NUMBER) => {
                let mut mapped = mapped;
                mapped.values.set(NUMBER, number);
                self.update(local, mapped, None);
            }
            Some(number) => self.waiting.push((Some(local), mapped, number)),
            None => self.update(local, mapped, None),
        }
    }

    /// Updates a linked row; `number` is the one it ends up with, when the vendor knows it.
    fn update(&mut self, local: &Local, mut mapped: SourceRecord, number: Option<String>) {
        mapped.values.set(AT_VENDOR, number.is_some());
        complete_contract(&mut mapped.values, Some(&local.values), &local.pins);
        if let Some(number) = number {
            self.holders.remove(local.text(NUMBER));
            self.holders.insert(number.clone(), local.id);
            mapped.values.set(NUMBER, number);
        }
        plan_existing(self.plan, Kind::Company, local, &mapped, None, Moves::default());
    }

    fn adopt(&mut self, local: &Local, mut mapped: SourceRecord, number: &str) {
        mapped.values.set(AT_VENDOR, true);
        complete_contract(&mut mapped.values, Some(&local.values), &local.pins);
        let reason = match local.external_ids.first() {
            None => format!("not linked before, same account number {number}"),
            Some(old) => format!("same account number {number}; its former record {old} is gone at the vendor"),
        };
        plan_existing(self.plan, Kind::Company, local, &mapped, Some(reason), Moves::default());
    }

    fn create_or_wait(&mut self, mapped: SourceRecord, number: String) {
        if self.holders.contains_key(&number) {
            self.waiting.push((None, mapped, number));
        } else {
            self.create(mapped, Some(number));
        }
    }

    fn create(&mut self, mut mapped: SourceRecord, number: Option<String>) {
        let at_vendor = number.is_some();
        let Some(number) = number.or_else(|| self.numbers.free(&mapped.external_id)) else {
            return self.review(None, &mapped, "no six-digit account number is free".to_owned());
        };
        self.holders.insert(number.clone(), 0);
        let reason = if at_vendor {
            "new at the vendor".to_owned()
        } else {
            format!("new at the vendor, without an account number of its own; {number} was free")
        };
        mapped.values.set_default("name", &mapped.label);
        mapped.values.set(NUMBER, number);
        mapped.values.set(AT_VENDOR, at_vendor);
        complete_contract(&mut mapped.values, None, &HashSet::new());
        mapped.values.extend(std::mem::take(&mut mapped.observed));
        let mut item = Item::new(Kind::Company, Action::Create, &mapped.label, reason).from_vendor(&mapped.external_id);
        item.fields = all_fields(&mapped.values);
        self.plan.items.push(item);
    }

    /// Numbers that move from row to row: each move waits until its number is free. What is still in
    /// the way then (another company here, or a circle) is for a person to sort out.
    fn move_numbers(mut self) {
        loop {
            let waiting = std::mem::take(&mut self.waiting);
            let before = waiting.len();
            for (local, mapped, number) in waiting {
                match local {
                    _ if self.holders.contains_key(&number) => self.waiting.push((local, mapped, number)),
                    Some(local) => self.update(local, mapped, Some(number)),
                    None => self.create(mapped, Some(number)),
                }
            }
            if self.waiting.is_empty() || self.waiting.len() == before {
                break;
            }
        }
        for (local, mapped, number) in std::mem::take(&mut self.waiting) {
            self.review(local, &mapped, format!("account number {number} belongs to another company here"));
            match local {
                Some(local) => self.update(local, mapped, None),
                None => self.create(mapped, None),
            }
        }
    }
}

/// Whether the end that stands here is the one of the start and term that stand here.
fn followed(here: Option<&Cells>) -> bool {
    here.is_some_and(|cells| {
        let [start, term, last] =
            ["contract_start_date", "contract_term", "contract_end_date"].map(|column| match cells.get(column) {
                Some(Cell::Text(text)) => Some(text.as_str()),
                _ => None,
            });
        contract::follows(start, term, last)
    })
}

/// Sets the end of a contract whose start and term of years are known, from the vendor or from the row here.
pub fn complete_contract(values: &mut Cells, here: Option<&Cells>, pinned: &HashSet<String>) {
    let of = |column: &str| {
        let here = || here.and_then(|cells| cells.get(column)).cloned();
        let cell = if pinned.contains(column) { here() } else { values.get(column).cloned().or_else(here) };
        match cell {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    };
    if !pinned.contains("contract_end_date")
        && values.text("contract_end_date").is_empty()
        && let (Some(start), Some(term)) = (of("contract_start_date"), of("contract_term"))
        && let Some(end) = contract::end(&start, &term)
        && (values.get("contract_end_date").is_some() || of("contract_end_date").is_none() || followed(here))
    {
        values.set("contract_end_date", end);
    }
}
