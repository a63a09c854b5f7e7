//! Freezes months, for whoever asks: people, programs, the schedule.

use super::{
    cause::Causes,
    month::Month,
    snapshot::Content,
    snapshot_store::{self as store, Snapshot},
    trueup::{self, Asked},
};
use crate::{
    config::Config,
    db::Write,
    error::{Error, Result},
    types::now_plus,
};

/// What came of freezing a month.
#[derive(Debug, Default)]
pub struct Frozen {
    /// What is new.
    pub made: Vec<Snapshot>,
    /// What was frozen before, and has come out the same.
    pub unchanged: Vec<Snapshot>,
}

impl Frozen {
    /// In a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let adjusted = self.made.iter().filter(|one| one.label.adjusts.is_some()).count();
        format!("{} frozen, {adjusted} adjusted, {} unchanged", self.made.len() - adjusted, self.unchanged.len())
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

/// Freezes a month of one company or of every client.
///
/// # Errors
/// `NotFound`; those of [`is_partial`].
pub fn freeze(w: &mut Write<'_>, config: &Config, month: &Month, company: Option<i64>, force: bool) -> Result<Frozen> {
    let is_partial = is_partial(month, force)?;
    let asked = Asked::new(config, month.clone(), None);
    let trueups = match company {
        Some(id) => vec![trueup::one(w, id, &asked)?],
        None => trueup::of_clients(w, &asked)?,
    };
    let mut known = store::last_of_month(w, month)?;
    let since = known.values().map(|(before, _)| before.label.frozen_at.as_str()).min();
    let causes = match since.map(str::to_owned) {
        Some(since) => Some(Causes::read(w, &since, &now_plus(1))?),
        None => None,
    };
    let (mut made, mut unchanged) = (Vec::new(), Vec::new());
    for trueup in &trueups {
        let id = trueup.company.id;
        let mut content = Content::new(trueup);
        match (known.remove(&id), &causes) {
            (Some((before, frozen)), Some(causes)) => {
                content.differences = content.differences_to(&frozen, id, causes);
                let has_ended = before.label.is_partial && !is_partial;
                if content.differences.is_empty() && !has_ended {
                    unchanged.push(before);
                } else {
                    made.push(store::add(w, id, month, is_partial, Some(&before), &content)?);
                }
            }
            _ => made.push(store::add(w, id, month, is_partial, None, &content)?),
        }
    }
    let made = made.into_iter().map(|id| store::get(w, id).map(|(snapshot, _)| snapshot)).collect::<Result<_>>()?;
    Ok(Frozen { made, unchanged })
}
