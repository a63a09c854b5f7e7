//! The staged records of the RMM as the planner reads them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    inventory::{Inventory, Sheet},
    mapping,
};
use crate::{
    config::FieldNames,
    db::Conn,
    error::{Error, Result},
    reconcile::{
        assets::{DeviceList, DeviceRecord},
        staged_store,
    },
    vendors::datto::wire,
};

/// Whose a site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// This company's.
    Company(i64),
    /// Nobody's until a person decides.
    Nobody,
    /// That could not be found out this time.
    Unread,
}

/// Staged pages, with whose each site is.
pub struct StagedDevices {
    /// The run that staged them.
    pub run: i64,
    /// What was listed.
    pub inventory: Arc<Inventory>,
    /// Whose each site is, by its place in the inventory.
    pub companies: Vec<Whose>,
    /// The sites about which a person decided, likewise.
    pub decided: HashSet<usize>,
    /// Names of user-defined fields.
    pub names: FieldNames,
}

impl DeviceList for StagedDevices {
    fn chunks(&self) -> usize {
        self.inventory.chunks.len()
    }

    fn read(&self, c: &mut Conn, chunk: usize) -> Result<Vec<DeviceRecord>> {
        let Some((list, page)) = self.inventory.chunks.get(chunk) else { return Ok(Vec::new()) };
        let body = staged_store::page(c, self.run, list, *page)?.ok_or_else(|| Error::internal("a staged page is missing"))?;
        let sheet: Sheet = serde_json::from_str(&body).map_err(Error::internal)?;
        let mut done = HashSet::new();
        let mut told = Vec::with_capacity(sheet.records.len());
        for record in sheet.records.iter().filter_map(wire::record) {
            let Some(uid) = wire::id(record, "uid") else { continue };
            let Some(place) = self.inventory.devices.get(&uid) else { continue };
            if place.chunk.is_none_or(|at| at as usize != chunk) || !done.insert(uid) {
                continue;
            }
            let site = place.site.and_then(|at| self.inventory.site(at));
            let whose = place.site.and_then(|at| self.companies.get(at as usize)).copied();
            let company = if let Some(Whose::Company(id)) = whose { Some(id) } else { None };
            let Some(mut device) = mapping::device(record, site, company, &self.names) else { continue };
            device.decided = place.site.is_some_and(|at| self.decided.contains(&(at as usize)));
            if whose == Some(Whose::Unread) {
                device.values.remove("company_id");
                device.waits = true;
            }
            told.push(device);
        }
        Ok(told)
    }

    fn lists(&self, external_id: &str) -> bool {
        self.inventory.is_live(external_id)
    }

    fn has_unknown(&self, linked: &HashMap<String, i64>) -> bool {
        self.inventory.devices.keys().any(|uid| !linked.contains_key(uid) && self.inventory.is_live(uid))
    }
}
