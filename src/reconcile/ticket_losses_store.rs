//! What the vendor's records would take away of tickets (their company, their requester), put aside until the run
//! knows for how many: a kill in between must neither lose the change nor let it through.

use serde_json::Value;

use crate::{
    db::{Conn, Row, Write},
    error::{Error, Result},
    history, params,
    plan::{FieldChange, Item},
    reconcile::planner::losses::GROUPS,
    tickets::Ticket,
    types::now,
};

/// A ticket that would lose something.
#[derive(Clone, Debug)]
pub struct Loss {
    /// Our row.
    pub ticket_id: i64,
    /// The vendor's number.
    pub external_id: i64,
    /// What it is about.
    pub subject: Option<String>,
    /// What would become of it.
    pub fields: Vec<FieldChange>,
}

fn value(ticket: &Ticket, column: &str) -> Value {
    let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::String);
    let number = |number: Option<i64>| number.map_or(Value::Null, Value::from);
    match column {
        "company_id" => number(ticket.company_id),
        "department_id" => number(ticket.department_id),
        "requester_id" => number(ticket.requester_id),
        "requester_name" => text(&ticket.requester_name),
        _ => text(&ticket.requester_email),
    }
}

/// Takes back what would be lost, and says what that is. The company of a retired one is no loss.
pub fn put_aside(c: &mut Conn, before: &Ticket, after: &mut Ticket) -> Result<Vec<FieldChange>> {
    let mut fields = Vec::new();
    for group in GROUPS {
        let first = group[0];
        let (from, to) = (value(before, first), value(after, first));
        if from.is_null() || from == to || (first == "company_id" && is_retired(c, before.company_id)?) {
            continue;
        }
        let changes = group.iter().map(|column| {
            let (from, to) = (value(before, column), value(after, column));
            FieldChange::new(*column, from, to)
        });
        fields.extend(changes.filter(|change| change.from != change.to));
        if first == "company_id" {
            (after.company_id, after.department_id) = (before.company_id, before.department_id);
        } else {
            after.requester_id = before.requester_id;
            after.requester_name.clone_from(&before.requester_name);
            after.requester_email.clone_from(&before.requester_email);
        }
    }
    Ok(fields)
}

fn is_retired(c: &mut Conn, company: Option<i64>) -> Result<bool> {
    let sql = "SELECT 1 FROM @companies company WHERE company.id = ?1 AND company.retired_at IS NOT NULL";
    Ok(c.first(sql, params![company])?.is_some())
}

/// Sets what was put aside, where the row still has what it had then; `false` when it has not.
pub fn set(ticket: &mut Ticket, fields: &[FieldChange]) -> bool {
    if fields.iter().any(|change| value(ticket, &change.field) != change.from) {
        return false;
    }
    for FieldChange { field, to, .. } in fields {
        match field.as_str() {
            "company_id" => ticket.company_id = to.as_i64(),
            "department_id" => ticket.department_id = to.as_i64(),
            "requester_id" => ticket.requester_id = to.as_i64(),
            "requester_name" => ticket.requester_name = to.as_str().map(str::to_owned),
            _ => ticket.requester_email = to.as_str().map(str::to_owned),
        }
    }
    true
}

/// Notes what a ticket would lose; nothing forgets what was noted before.
pub fn note(c: &mut Conn, ticket_id: i64, fields: &[FieldChange]) -> Result<()> {
    if fields.is_empty() {
        return forget(c, ticket_id);
    }
    let fields = serde_json::to_string(fields).map_err(Error::internal)?;
    c.run(
        "INSERT INTO ticket_losses (ticket_id, fields, noted_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (ticket_id) DO UPDATE SET fields = excluded.fields, noted_at = excluded.noted_at",
        params![ticket_id, fields, now()],
    )?;
    Ok(())
}

/// Nothing waits for this ticket any more.
pub fn forget(c: &mut Conn, ticket_id: i64) -> Result<()> {
    c.run("DELETE FROM ticket_losses WHERE ticket_id = ?1", params![ticket_id])?;
    Ok(())
}

/// Everything that is put aside, of live tickets.
pub fn all(c: &mut Conn) -> Result<Vec<Loss>> {
    let sql = "SELECT ticket.id, ticket.external_id, ticket.subject, loss.fields FROM @ticket_losses loss
               JOIN @tickets ticket ON ticket.id = loss.ticket_id WHERE ticket.retired_at IS NULL ORDER BY ticket.id";
    let read = |row: &Row| {
        let fields: String = row.get(3)?;
        let fields = serde_json::from_str(&fields).map_err(Error::internal)?;
        Ok(Loss { ticket_id: row.get(0)?, external_id: row.get(1)?, subject: row.get(2)?, fields })
    };
    c.all(sql, &[])?.iter().map(read).collect()
}

/// Makes the ticket what the item says, unless it is another by now; either way nothing waits any more for these fields.
pub fn resolve(w: &mut Write<'_>, item: &Item) -> Result<bool> {
    let Some(id) = item.entity_id else { return Ok(false) };
    let waiting = all_of(w, id)?;
    let rest: Vec<FieldChange> =
        waiting.into_iter().filter(|change| !item.fields.iter().any(|done| done.field == change.field)).collect();
    note(w, id, &rest)?;
    let Some(mut ticket) = history::find::<Ticket>(w, id)?.filter(|row| row.retired_at.is_none()) else { return Ok(false) };
    if !set(&mut ticket, &item.fields) {
        return Ok(false);
    }
    history::update(w, id, None, Some(&item.reason), |row: &mut Ticket| {
        set(row, &item.fields);
        Ok(())
    })?;
    Ok(true)
}

fn all_of(c: &mut Conn, ticket_id: i64) -> Result<Vec<FieldChange>> {
    let sql = "SELECT loss.fields FROM @ticket_losses loss WHERE loss.ticket_id = ?1";
    match c.first(sql, params![ticket_id])? {
        Some(row) => serde_json::from_str(&row.get::<String>(0)?).map_err(Error::internal),
        None => Ok(Vec::new()),
    }
}

/// How many live tickets of the vendor have a company, and how many a requester.
pub fn live(c: &mut Conn, system: &str) -> Result<[(&'static str, u64); 2]> {
    let sql = "SELECT COUNT(ticket.company_id), COUNT(ticket.requester_id) FROM @tickets ticket
               WHERE ticket.external_source = ?1 AND ticket.retired_at IS NULL";
    let row = c.one(sql, params![system])?;
    let (companies, requesters): (i64, i64) = (row.get(0)?, row.get(1)?);
    let count = |count| u64::try_from(count).unwrap_or(0);
    Ok([("company_id", count(companies)), ("requester_id", count(requesters))])
}
