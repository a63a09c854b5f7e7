//! Freezes months, for whoever asks: people, programs, the schedule. A month is counted beside what is being written, and kept
//! in a short transaction of its own.

use serde::Serialize;

use super::{
    cause::Causes,
    month::Month,
    snapshot::{Content, Label},
    snapshot_store::{self as store, Snapshot},
    trueup::{self, Asked, Trueup},
};
use crate::{
    config::Config,
    db::{Conn, Write},
    error::{Error, Result},
    types::{now, now_plus},
};

/// A client that is left out when all are frozen.
#[derive(Clone, Debug, Serialize)]
pub struct Skipped {
    pub account_number: String,
    pub company: String,
    pub reason: String,
}

impl Skipped {
    /// Who was entered after the month and is not said to have been a client in it.
    fn of(trueup: &Trueup, month: &Month) -> Option<Self> {
        let company = &trueup.company;
        let has_begun = company.contract_start_date.as_ref().is_some_and(|day| *day < month.end());
        if company.created_at < month.end() || has_begun {
            return None;
        }
        let day = company.created_at.get(..10).unwrap_or_default();
        let contract = company.contract_start_date.as_ref().map_or_else(
            || "no contract start date says that it was a client before".to_owned(),
            |day| format!("its contract starts on {day}"),
        );
        Some(Self {
            account_number: company.account_number.clone(),
            company: company.name.clone(),
            reason: format!("entered on {day}, after the month, and {contract}"),
        })
    }
}

/// A month as it was counted, not kept yet.
#[derive(Debug)]
pub struct Counted {
    month: Month,
    is_partial: bool,
    /// When that was.
    at: String,
    /// What is to be frozen: whose, after which snapshot, what.
    new: Vec<(i64, Option<Snapshot>, Content)>,
    unchanged: Vec<Snapshot>,
    skipped: Vec<Skipped>,
}

/// What came of freezing a month.
#[derive(Debug, Default)]
pub struct Frozen {
    /// What is new.
    pub made: Vec<Snapshot>,
    /// What was frozen before, and has come out the same.
    pub unchanged: Vec<Snapshot>,
    /// Clients that are left out.
    pub skipped: Vec<Skipped>,
}

/// So many of those who are left out are named in a sentence.
const NAMED: usize = 5;

impl Frozen {
    /// In a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let adjusted = self.made.iter().filter(|one| one.label.adjusts.is_some()).count();
        let done = format!("{} frozen, {adjusted} adjusted, {} unchanged", self.made.len() - adjusted, self.unchanged.len());
        if self.skipped.is_empty() {
            return done;
        }
        let mut names: Vec<String> = self.skipped.iter().take(NAMED).map(|one| one.company.clone()).collect();
        if self.skipped.len() > NAMED {
            names.push(format!("{} more", self.skipped.len() - NAMED));
        }
        let names = names.join(", ");
        format!("{done}, {} skipped as entered after the month without an earlier contract: {names}", self.skipped.len())
    }
}

/// Whether a month may be frozen, and whether it is a part of one.
///
/// # Errors
/// `Invalid` for a month that has not ended, unless `force`; for one that has not begun in any case.
pub fn is_partial(month: &Month, force: bool) -> Result<bool> {
    match (month.is_over(), *month == Month::current(), force) {
        (true, ..) => Ok(false),
        (false, true, true) => Ok(true),
        (false, true, false) => {
            Err(Error::field("month", "has not ended yet; with force it is frozen as it stands, and marked so"))
        }
        (false, false, _) => Err(Error::field("month", "has not begun yet")),
    }
}

/// Counts a month of one company or of every client, and finds what of it is to be frozen.
///
/// # Errors
/// `NotFound`; those of [`is_partial`].
pub fn count(c: &mut Conn, config: &Config, month: &Month, company: Option<i64>, force: bool) -> Result<Counted> {
    let is_partial = is_partial(month, force)?;
    let at = now();
    let asked = Asked::new(config, month.clone(), None);
    let trueups = match company {
        Some(id) => vec![trueup::one(c, id, &asked)?],
        None => trueup::of_clients(c, &asked)?,
    };
    let mut known = store::last_of_month(c, month)?;
    let since = known.values().map(|(before, _)| before.label.frozen_at.as_str()).min();
    let causes = match since.map(str::to_owned) {
        Some(since) => Some(Causes::read(c, &since, &now_plus(1))?),
        None => None,
    };
    let mut counted =
        Counted { month: month.clone(), is_partial, at, new: Vec::new(), unchanged: Vec::new(), skipped: Vec::new() };
    for trueup in &trueups {
        let id = trueup.company.id;
        let mut content = Content::new(trueup);
        match (known.remove(&id), &causes) {
            (Some((before, frozen)), Some(causes)) => {
                content.differences = content.differences_to(&frozen, (id, trueup.plan.as_ref().map(|plan| plan.id)), causes);
                let has_ended = before.label.is_partial && !is_partial;
                if content.differences.is_empty() && !has_ended {
                    counted.unchanged.push(before);
                } else {
                    counted.new.push((id, Some(before), content));
                }
            }
            _ => match Skipped::of(trueup, month).filter(|_| company.is_none()) {
                Some(skipped) => counted.skipped.push(skipped),
                None => counted.new.push((id, None, content)),
            },
        }
    }
    Ok(counted)
}

/// Keeps what was counted.
///
/// # Errors
/// `Conflict` when the month of one of these companies was frozen by somebody else since it was counted.
pub fn keep(w: &mut Write<'_>, counted: Counted) -> Result<Frozen> {
    let Counted { month, is_partial, at, new, unchanged, skipped } = counted;
    let last = store::last_numbers(w, &month)?;
    let mut made = Vec::new();
    for (company, before, content) in new {
        if last.get(&company).copied() != before.as_ref().map(|before| before.label.number) {
            return Err(Error::conflict(format!(
                "the month of {} was frozen by somebody else at the same moment; ask again",
                content.company
            )));
        }
        let label = Label {
            month: month.as_str().to_owned(),
            number: before.as_ref().map_or(1, |before| before.label.number + 1),
            adjusts: before.as_ref().map(|before| before.label.adjusts.unwrap_or(before.id)),
            is_partial,
            frozen_at: at.clone(),
        };
        let id = store::add(w, company, label, &content)?;
        made.push(store::get(w, id)?.0);
    }
    Ok(Frozen { made, unchanged, skipped })
}
