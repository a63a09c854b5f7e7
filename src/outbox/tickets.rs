//! What people write to tickets here, on its way to Freshservice, and what follows once it has arrived.

use serde_json::{Map, Value, json};

use super::{
    model::{Entry, Operation, Values, Write as Wish},
    store,
};
use crate::{
    db::Write,
    error::{Error, Result},
    history::{self, Record},
    tickets::{Ticket, messages_store, store as tickets},
    vendors,
};

/// Queues a ticket's status and a note of ours, inside the write that made them; returns the entries' ids.
/// A status that is no status of the vendor's stays here.
pub fn enqueue(w: &mut Write<'_>, ticket: &Ticket, status: bool, note: Option<(i64, &str)>) -> Result<Vec<i64>> {
    let mut ids = Vec::new();
    if !vendors::find(&ticket.external_source).is_some_and(|vendor| vendor.takes_tickets) {
        return Ok(ids);
    }
    let by = w.actor().name.clone();
    let wish = |operation, key: String, wanted: Values| Wish {
        operation,
        target: ticket.external_id.to_string(),
        key,
        entity: Some((Ticket::ENTITY, ticket.id)),
        label: format!("ticket {}", ticket.ticket_number),
        reason: format!("decided by {by}"),
        wanted,
        expected: None,
        conflict: None,
        run_id: None,
    };
    if let (true, Some(code)) = (status, ticket.status_id) {
        let wanted = Map::from_iter([("status".to_owned(), json!(code))]);
        ids.push(store::enqueue(w, &wish(Operation::Ticket, String::new(), wanted))?);
    }
    if let Some((row, text)) = note {
        let wanted = json!({ "body": text, "private": true, "note": row }).as_object().cloned().unwrap_or_default();
        ids.push(store::enqueue(w, &wish(Operation::TicketNote, format!("note {row}"), wanted))?);
    }
    Ok(ids)
}

/// What follows from a write that the vendor has: a trace, the vendor's name for a note of ours, and the end of
/// the status's pin when nobody has written another one since.
pub fn arrived(w: &mut Write<'_>, id: i64, entry: &Entry, found: Option<&Values>, reason: &str) -> Result<()> {
    let Some(ticket) = history::find::<Ticket>(w, id)? else { return Ok(()) };
    let mut told = Map::new();
    if entry.operation == Operation::Ticket {
        let was = entry.seen_before.as_ref().and_then(|was| was.get("status")).cloned().unwrap_or_default();
        let wanted = entry.wanted.get("status").cloned().unwrap_or_default();
        if wanted.as_i64().is_some() && wanted.as_i64() == ticket.status_id {
            tickets::release_status(w, id)?;
        }
        told.insert(format!("{}:status", ticket.external_source), Value::Array(vec![was, wanted]));
    }
    let theirs = found.and_then(|found| found.get("id")?.as_str()?.parse().ok());
    if let Some((ours, theirs)) = entry.wanted.get("note").and_then(Value::as_i64).zip(theirs) {
        match messages_store::note_sent(w, ours, theirs) {
            Err(Error::NotFound { .. }) => {}
            other => other?,
        }
    }
    history::record_change(w, Ticket::ENTITY, id, "push", Some(reason), told)
}
