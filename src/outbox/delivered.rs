//! What follows here from a write that the vendor has: a trace in the row's history, the mark that it knows
//! the number, and the end of a pin whose value now agrees.

use serde_json::{Map, Value, json};

use super::{
    decide::same,
    fields,
    model::{Entry, Operation, State, Values},
    store, tickets,
};
use crate::{
    companies::Company,
    contacts::Contact,
    db::Write,
    error::Result,
    history::{self, Record, pins},
    tickets::Ticket,
};

/// Settles a verified entry; `found` is what the vendor calls it, where that is worth knowing.
pub fn mark_delivered(w: &mut Write<'_>, entry: &Entry, found: Option<&Values>, warning: Option<&str>) -> Result<()> {
    store::mark(w, entry.id, State::Done, found, warning)?;
    let Some(id) = entry.entity_id else { return Ok(()) };
    let reason = format!("written to {} and read back; {}", entry.operation.vendor().name, entry.reason);
    match entry.entity.as_deref() {
        Some(Company::ENTITY) => company(w, id, entry, &reason),
        Some(Contact::ENTITY) => {
            let Some(contact) = history::find::<Contact>(w, id)? else { return Ok(()) };
            note(w, Contact::ENTITY, id, entry, &reason)?;
            release(w, &contact, id, entry)?;
            let both = ["first_name", "last_name"].iter().all(|part| entry.wanted.contains_key(*part));
            let agrees = both && fields::of_contact(&contact, "name").is_ok_and(|wanted| wanted == entry.wanted);
            if agrees { pins::unpin(w, Contact::ENTITY, id, "name").map(|_| ()) } else { Ok(()) }
        }
        Some(Ticket::ENTITY) => tickets::arrived(w, id, entry, found, &reason),
        _ => Ok(()),
    }
}

fn company(w: &mut Write<'_>, id: i64, entry: &Entry, reason: &str) -> Result<()> {
    let Some(company) = history::find::<Company>(w, id)? else { return Ok(()) };
    note(w, Company::ENTITY, id, entry, reason)?;
    if entry.operation != Operation::Department {
        return Ok(());
    }
    if entry.wanted.get("account_number").and_then(Value::as_str) == Some(company.account_number.as_str()) {
        history::update::<Company>(w, id, None, Some(reason), |company| {
            company.account_number_at_vendor = true;
            Ok(())
        })?;
    }
    release(w, &company, id, entry)
}

/// Ends the pins of fields in which the vendor now agrees with us.
fn release<R: Record>(w: &mut Write<'_>, row: &R, id: i64, entry: &Entry) -> Result<()> {
    for (column, wanted) in &entry.wanted {
        let Ok(ours) = fields::wanted(entry.operation, row, &[column.as_str()]) else { continue };
        if ours.get(column).is_some_and(|ours| same(ours, wanted)) {
            pins::unpin(w, R::ENTITY, id, column)?;
        }
    }
    Ok(())
}

fn note(w: &mut Write<'_>, entity: &'static str, id: i64, entry: &Entry, reason: &str) -> Result<()> {
    let was = entry.seen_before.as_ref().or(entry.expected.as_ref());
    let told: Map<String, Value> = entry
        .wanted
        .iter()
        .map(|(field, wanted)| {
            let name = if entry.operation == Operation::SiteVariable { "account_number" } else { field.as_str() };
            let was = was.and_then(|was| was.get(field)).cloned().unwrap_or_default();
            (format!("{}:{name}", entry.operation.system()), json!([was, wanted]))
        })
        .collect();
    history::record_change(w, entity, id, "push", Some(reason), told)
}
