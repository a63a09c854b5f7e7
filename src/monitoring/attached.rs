//! What becomes of alerts when two assets or two companies are merged.

use super::alert_store;
use crate::{
    assets::Asset,
    companies::Company,
    db::{Conn, Write},
    error::Result,
    history::Record as _,
    resource::dependents::{Dependent, Moved},
};

/// What moves here without history.
const ALERTS: &str = "alert";

/// The alerts about assets and of companies: they keep nobody from retiring.
pub struct Alerts;

impl Dependent for Alerts {
    fn attached(&self, _: &mut Conn, _: &str, _: i64) -> Result<Vec<(&'static str, i64)>> {
        Ok(Vec::new())
    }

    fn release(&self, _: &mut Write<'_>, _: &str, _: i64) -> Result<()> {
        Ok(())
    }

    fn moving(&self, c: &mut Conn, entity: &str, from: i64) -> Result<usize> {
        of_company(entity).map_or(Ok(0), |of_company| Ok(alert_store::ids(c, of_company, from)?.len()))
    }

    fn hand_over(&self, w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<Moved>> {
        let Some(of_company) = of_company(entity) else { return Ok(Vec::new()) };
        let ids = alert_store::ids(w, of_company, from)?;
        alert_store::move_some(w, &ids, of_company, from, to)?;
        Ok(vec![Moved::without_history(ALERTS, ids)])
    }

    fn hand_back(&self, w: &mut Write<'_>, entity: &str, moved: &Moved, (to, from): (i64, i64)) -> Result<()> {
        match of_company(entity).filter(|_| moved.what == ALERTS) {
            Some(of_company) => alert_store::move_some(w, &moved.ids, of_company, from, to),
            None => Ok(()),
        }
    }
}

fn of_company(entity: &str) -> Option<bool> {
    match entity {
        Company::ENTITY => Some(true),
        Asset::ENTITY => Some(false),
        _ => None,
    }
}
