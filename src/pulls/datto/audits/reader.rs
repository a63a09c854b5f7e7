//! Reading one device: its audit by its class, and every page of its programs, or nothing at all.

use serde_json::Value;

use super::{mapping, queue_store::Due};
use crate::{
    assets::audit::{Audit, Software},
    types::fold,
    vendors::{
        datto::{
            client::{self, Datto},
            wire,
        },
        fault::{Cause, Fault},
    },
};

/// The most pages of programs that a device is believed to have.
const MOST_PAGES: u32 = 400;

/// What became of a device.
#[derive(Debug)]
pub enum Read {
    /// Its audit, and its programs where its class has any.
    Told(Box<Audit>, Option<Vec<Software>>),
    /// The vendor has none for it.
    None,
}

/// The class that a device most likely has when nobody told.
fn likely(category: Option<&str>) -> &'static str {
    match fold(category.unwrap_or_default()).as_str() {
        "printer" => "printer",
        "esxi host" | "esxihost" => "esxihost",
        _ => "device",
    }
}

/// Reads one device. The class that fitted is put into `due`.
pub async fn read(client: &Datto, due: &mut Due) -> Result<Read, Fault> {
    let uid = due.asked.external_id.clone();
    let known = due.asked.device_class.clone();
    let mut class = known.unwrap_or_else(|| likely(due.category.as_deref()).to_owned());
    let mut told = client.audit(&uid, &class).await?;
    if told == client::Audit::WrongClass && is_audited(&class) {
        // The device says itself what it is; asked once, the answer is remembered until its audit moves.
        let record = client.device(&uid).await?;
        let theirs = record.as_ref().and_then(|record| wire::text(record, "deviceClass")).map(|class| class.to_lowercase());
        if let Some(theirs) = theirs.filter(|theirs| *theirs != class) {
            class = theirs;
            told = client.audit(&uid, &class).await?;
        }
    }
    due.asked.device_class = Some(class.clone());
    let client::Audit::Found(record) = told else { return Ok(Read::None) };
    let software = if class == "device" { programs(client, &uid).await? } else { None };
    Ok(Read::Told(Box::new(mapping::audit(&record)), software))
}

fn is_audited(class: &str) -> bool {
    matches!(class, "device" | "printer" | "esxihost")
}

/// Every page of a device's programs; `None` when the vendor keeps none for it.
async fn programs(client: &Datto, uid: &str) -> Result<Option<Vec<Software>>, Fault> {
    let mut records: Vec<Value> = Vec::new();
    for number in 0..MOST_PAGES {
        let page = match client.software(uid, number).await {
            Ok(page) => page,
            Err(Fault { cause: Cause::Missing | Cause::Absent(_), .. }) if number == 0 => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let empty = page.records.is_empty();
        records.extend(page.records);
        let total = page.total.and_then(|total| usize::try_from(total).ok());
        if page.next && !empty {
            continue;
        }
        return match total {
            Some(total) if records.len() < total => Err(broken(uid, format!("{} of {total} programs", records.len()))),
            _ => Ok(Some(mapping::software(&records))),
        };
    }
    Err(broken(uid, "a list of programs that does not end".to_owned()))
}

fn broken(uid: &str, why: String) -> Fault {
    let path = format!("/audit/device/{uid}/software");
    Fault { service: crate::vendors::datto::NAME, method: "GET", path, cause: Cause::Broken(why), attempts: 1 }
}
