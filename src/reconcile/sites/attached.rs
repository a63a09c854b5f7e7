//! What becomes of a vendor's sites when two companies are merged.

use super::store;
use crate::{
    companies::Company,
    db::{Conn, Write},
    error::Result,
    history::Record as _,
    resource::dependents::{Dependent, Moved},
};

/// What moves here without history.
const SITES: &str = "site";

/// The sites of companies: they keep nobody from retiring.
pub struct Sites;

impl Dependent for Sites {
    fn attached(&self, _: &mut Conn, _: &str, _: i64) -> Result<Vec<(&'static str, i64)>> {
        Ok(Vec::new())
    }

    fn release(&self, _: &mut Write<'_>, _: &str, _: i64) -> Result<()> {
        Ok(())
    }

    fn hand_over(&self, w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<Moved>> {
        let ids = if entity == Company::ENTITY { store::hand_over(w, from, to)? } else { Vec::new() };
        Ok(vec![Moved::without_history(SITES, ids)])
    }

    fn hand_back(&self, w: &mut Write<'_>, entity: &str, moved: &Moved, (to, from): (i64, i64)) -> Result<()> {
        let ours = entity == Company::ENTITY && moved.what == SITES;
        if ours { store::hand_back(w, &moved.ids, from, to) } else { Ok(()) }
    }
}
