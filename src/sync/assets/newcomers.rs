//! The devices that are linked to nothing yet, in companies that have assets they might be.

use std::{collections::HashMap, sync::Arc};

use super::{
    matching::{Candidate, Marks, Newcomer},
    pass::Source,
    rows_store,
};
use crate::{db::Db, error::Result, types::Scope};

/// Newcomers, and the assets they might be.
#[derive(Debug, Default)]
pub struct Newcomers {
    /// The devices.
    pub devices: Vec<Newcomer>,
    /// Unlinked assets by company.
    pub candidates: HashMap<i64, Vec<Candidate>>,
}

/// Collects them, chunk by chunk.
pub async fn collect(db: &Db, system: &'static str, source: &Arc<dyn Source>) -> Result<Newcomers> {
    let (linked, candidates) =
        db.read(&Scope::All, move |c| Ok((rows_store::linked(c, system)?, rows_store::candidates(c, system)?))).await?;
    let mut newcomers = Newcomers { devices: Vec::new(), candidates };
    if newcomers.candidates.is_empty() {
        return Ok(newcomers);
    }
    for chunk in 0..source.chunks() {
        let reader = source.clone();
        let told = db.read(&Scope::All, move |c| reader.read(c, chunk)).await?;
        for told in told {
            let Some(company) = told.company().filter(|id| newcomers.candidates.contains_key(id)) else { continue };
            if linked.contains_key(&told.external_id) || told.gone.is_some() {
                continue;
            }
            let serial = Some(told.values.text("serial_number")).filter(|serial| !serial.is_empty());
            let marks = Marks::of(told.values.text("hostname"), serial, &told.macs);
            newcomers.devices.push(Newcomer { external_id: told.external_id, company, marks });
        }
    }
    Ok(newcomers)
}

impl Newcomers {
    /// The devices whose serial number and addresses could tell more than their names do: others of
    /// their company carry such marks.
    #[must_use]
    pub fn worth_a_look(&self) -> Vec<usize> {
        let marked = |candidate: &Candidate| candidate.marks.serial.is_some() || !candidate.marks.macs.is_empty();
        let companies: Vec<i64> =
            self.candidates.iter().filter(|(_, all)| all.iter().any(marked)).map(|(company, _)| *company).collect();
        let open = |newcomer: &Newcomer| newcomer.marks.serial.is_none() && companies.contains(&newcomer.company);
        self.devices.iter().enumerate().filter(|(_, newcomer)| open(newcomer)).map(|(at, _)| at).collect()
    }
}
