//! What becomes of how a company is billed when it is merged into another one.

use super::trueup_store as counted;
use crate::{
    companies::{Company, store as companies},
    db::{Conn, Write},
    error::Result,
    history::Record as _,
    resource::dependents::{Dependent, Moved},
};

/// How a company is counted, and how it deviates from its plan: said of the company that stays where nothing is said of it yet.
/// The other one keeps its own, retired as it is, so that its undo finds both as they were.
pub struct Billed;

impl Dependent for Billed {
    fn attached(&self, _c: &mut Conn, _entity: &str, _id: i64) -> Result<Vec<(&'static str, i64)>> {
        Ok(Vec::new())
    }

    fn release(&self, _w: &mut Write<'_>, _entity: &str, _id: i64) -> Result<()> {
        Ok(())
    }

    fn hand_over(&self, w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<Moved>> {
        if entity != Company::ENTITY {
            return Ok(Vec::new());
        }
        let mut moved = Vec::new();
        let (theirs, own) = (counted::settings(w, from)?, counted::settings(w, to)?);
        if theirs.id != 0 && own.id == 0 {
            let id = theirs.id;
            counted::keep_settings(w, to, theirs)?;
            moved.push(Moved::in_history("billing_settings", vec![id]));
        }
        let mut all = companies::feature_overrides(w, to)?;
        let before = all.len();
        for (feature, value) in companies::feature_overrides(w, from)? {
            all.entry(feature).or_insert(value);
        }
        if all.len() > before {
            companies::set_feature_overrides(w, to, &all)?;
            moved.push(Moved::in_history("feature_override", vec![to; all.len() - before]));
        }
        Ok(moved)
    }
}
