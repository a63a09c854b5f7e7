//! The queue of tickets whose conversations and time sheets have to be read, and what was read.

use super::{SYSTEM, hours, messages};
use crate::{
    db::{Conn, Write},
    error::Result,
    history, params,
    tickets::{
        Message, Ticket, TimeEntry,
        codes::ENDED,
        messages_store,
        store::{self, Mark},
    },
};

/// A ticket in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Our row.
    pub ticket_id: i64,
    /// The vendor's number.
    pub external_id: i64,
    /// The vendor's time of the state that is to be read.
    pub version: String,
    /// Whether the list told the times of responses and of closing.
    pub has_stats: bool,
}

/// What was read of a ticket; `None` is what could not be read, or is not there to be read.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// Everything said on it.
    pub said: Option<Vec<Message>>,
    /// Its time sheet.
    pub sheet: Option<Vec<TimeEntry>>,
    /// Why it has to be read again, when something failed.
    pub problem: Option<String>,
}

/// What we have of a ticket from the vendor, and how often it has been tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Conversations.
    pub said: u64,
    /// Time entries.
    pub entries: u64,
    /// How often the present state could not be read whole.
    pub tries: i64,
}

/// What we have of a ticket from the vendor.
pub fn stored(c: &mut Conn, ticket_id: i64) -> Result<Stored> {
    let sql =
        "SELECT (SELECT COUNT(*) FROM @ticket_conversations said WHERE said.ticket_id = ?1 AND said.external_id IS NOT NULL),
                 (SELECT COUNT(*) FROM @ticket_time_entries entry WHERE entry.ticket_id = ?1),
                 (SELECT MAX(due.tries) FROM ticket_details due WHERE due.ticket_id = ?1)";
    let row = c.one(sql, params![ticket_id])?;
    let count = |count: i64| u64::try_from(count).unwrap_or(0);
    Ok(Stored { said: count(row.get(0)?), entries: count(row.get(1)?), tries: row.get::<Option<i64>>(2)?.unwrap_or(0) })
}

/// Puts a ticket into the queue, unless this state of it has been read.
pub fn enqueue(w: &mut Write<'_>, ticket: &Ticket, read: Option<&str>, has_stats: bool) -> Result<bool> {
    if read == Some(ticket.last_updated_at.as_str()) {
        return Ok(false);
    }
    let rank = i64::from(ENDED.contains(&ticket.status.as_str()));
    w.run(
        "INSERT INTO ticket_details (ticket_id, rank, version, has_stats) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (ticket_id) DO UPDATE SET rank = excluded.rank, has_stats = excluded.has_stats,
           tries = CASE WHEN ticket_details.version = excluded.version THEN ticket_details.tries ELSE 0 END, version = excluded.version",
        params![ticket.id, rank, &ticket.last_updated_at, has_stats],
    )?;
    Ok(true)
}

/// The next tickets that this run has not tried: those that are worked on first, the newest first.
pub fn next(c: &mut Conn, run: i64, at_most: i64) -> Result<Vec<Due>> {
    let sql = "SELECT due.ticket_id, ticket.external_id, due.version, due.has_stats FROM ticket_details due
               JOIN @tickets ticket ON ticket.id = due.ticket_id
               WHERE (due.tried_in IS NULL OR due.tried_in <> ?1) AND ticket.retired_at IS NULL AND ticket.external_source = ?2
               ORDER BY due.tries, due.rank, due.version DESC, due.ticket_id LIMIT ?3";
    c.all(sql, params![run, SYSTEM, at_most])?
        .iter()
        .map(|row| Ok(Due { ticket_id: row.get(0)?, external_id: row.get(1)?, version: row.get(2)?, has_stats: row.get(3)? }))
        .collect()
}

/// How many live tickets wait.
pub fn waiting(c: &mut Conn) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM ticket_details due JOIN @tickets ticket ON ticket.id = due.ticket_id WHERE ticket.retired_at IS NULL";
    let count: i64 = c.one(sql, &[])?.get(0)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Keeps what was read. What failed leaves what we have, and the ticket waits for the next run. Says
/// whether anything changed.
pub fn store(w: &mut Write<'_>, due: &Due, run: i64, read: &Read, default_minutes: i64) -> Result<bool> {
    let Some(ticket) = history::find::<Ticket>(w, due.ticket_id)? else { return Ok(false) };
    let mut changed = false;
    if let Some(said) = &read.said {
        changed |= messages_store::replace_conversations(w, ticket.id, said)?;
    }
    if let Some(sheet) = &read.sheet {
        changed |= messages_store::replace_time_entries(w, ticket.id, sheet)?;
    }
    let address = match (&read.said, ticket.requester_id, &ticket.requester_email) {
        (Some(said), Some(requester), None) => messages::address_of(said, requester),
        _ => None,
    };
    let updated =
        history::update(w, ticket.id, None, Some("its conversations and time sheet were read"), |ticket: &mut Ticket| {
            if let Some(sheet) = &read.sheet {
                ticket.minutes_spent = hours::spent(sheet, ticket.status == "closed", default_minutes);
                ticket.time_known = true;
            }
            if let Some(address) = address {
                ticket.requester_email = Some(address);
            }
            Ok(())
        })?;
    changed |= !updated.changed.is_empty();
    match &read.problem {
        Some(problem) => {
            let sql = "UPDATE ticket_details SET tries = tries + 1, tried_in = ?1, problem = ?2 WHERE ticket_id = ?3";
            w.run(sql, params![run, problem, due.ticket_id])?;
        }
        None => {
            store::mark(w, due.ticket_id, Mark::Detail, Some(&due.version))?;
            // One that moved meanwhile stays in the queue.
            let sql = "DELETE FROM ticket_details WHERE ticket_id = ?1 AND version = ?2";
            w.run(sql, params![due.ticket_id, &due.version])?;
        }
    }
    Ok(changed)
}
