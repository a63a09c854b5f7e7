//! Conversations, notes and time sheets in the database.

use std::collections::{HashMap, HashSet};

use super::{
    Ticket,
    messages::{Message, MessageView, TimeEntry},
};
use crate::{
    compliance::{Level, Veiled},
    db::{Conn, Write},
    entity::{Facet as _, Fielded as _},
    error::{Error, Result},
    history::{self, ranks},
    params,
};

/// What a vendor told, and a note of our own.
const VENDOR: &str = "vendor";
const LOCAL: &str = "local";
/// How far the vendor's clock may be behind ours, in seconds.
const SKEW: i64 = 300;

/// The messages on these tickets, oldest first, by ticket. Who wrote one is named, with their address, where the
/// vendor's id is an agent's or a contact's.
pub fn of_tickets(c: &mut Conn, ticket_ids: Vec<i64>) -> Result<HashMap<i64, Vec<Veiled<MessageView>>>> {
    let sql = format!(
        "SELECT {}, message.id, {}, agent.first_name, agent.last_name, contact.name, COALESCE(agent.email, contact.email)
         FROM @ticket_conversations message
         JOIN @tickets ticket ON ticket.id = message.ticket_id
         LEFT JOIN @psa_agents agent ON agent.external_source = ticket.external_source AND agent.external_id = CAST(message.user_id AS TEXT)
         LEFT JOIN links known ON known.system = ticket.external_source AND known.entity = 'contact' AND known.external_id = CAST(message.user_id AS TEXT)
         LEFT JOIN @contacts contact ON contact.id = known.entity_id
         WHERE message.ticket_id IN ids(?1) ORDER BY message.ticket_id, message.created_at, message.id",
        Message::select(),
        ranks::MESSAGE
    );
    let at = Message::FIELDS.len();
    let mut found: HashMap<i64, Vec<Veiled<MessageView>>> = HashMap::new();
    for row in c.all(&sql, params![ticket_ids])? {
        let mut message = Message::from_row(&row, 0)?;
        let agent = [row.get::<Option<String>>(at + 2)?, row.get::<Option<String>>(at + 3)?];
        let agent = agent.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        let contact: Option<String> = row.get(at + 4)?;
        message.author = message.author.or(Some(agent).filter(|name| !name.is_empty())).or(contact);
        let address: Option<String> = row.get(at + 5)?;
        message.from_email = message.from_email.or(address.filter(|address| !address.is_empty()));
        let view = MessageView::new(message, row.get(at)?, Level::from_rank(row.get(at + 1)?))?;
        found.entry(view.message.ticket_id).or_default().push(Veiled::new(view));
    }
    Ok(found)
}

/// A message on a ticket that is not stored.
pub fn view_unstored(c: &mut Conn, ticket: &Ticket, message: Message) -> Result<Veiled<MessageView>> {
    let sql = format!(
        "SELECT {} FROM (SELECT CAST(?1 AS TEXT) AS external_source, CAST(?2 AS BIGINT) AS user_id, CAST(?3 AS TEXT) AS from_email) message,
             (SELECT CAST(?1 AS TEXT) AS external_source) ticket",
        ranks::MESSAGE
    );
    let rank = c.one(&sql, params![&ticket.external_source, message.user_id, &message.from_email])?.get(0)?;
    let message = Message { ticket_id: ticket.external_id, ..message };
    Ok(Veiled::new(MessageView::new(message, 0, Level::from_rank(rank))?))
}

/// Makes the vendor's messages on a ticket exactly these, whole; our own notes stay. Says whether anything
/// changed; rows that are still told keep their ids.
///
/// # Errors
/// `NotFound`.
pub fn replace_conversations(w: &mut Write<'_>, ticket_id: i64, told: &[Message]) -> Result<bool> {
    history::get::<Ticket>(w, ticket_id)?;
    let sql = format!(
        "SELECT message.id, {} FROM @ticket_conversations message WHERE message.ticket_id = ?1 ORDER BY message.id",
        Message::select()
    );
    let mut known: HashMap<i64, (i64, Message)> = HashMap::new();
    let (mut nameless, mut ours) = (Vec::new(), Vec::new());
    for row in w.all(&sql, params![ticket_id])? {
        let (id, one): (i64, Message) = (row.get(0)?, Message::from_row(&row, 1)?);
        match one.external_id {
            Some(external) => drop(known.insert(external, (id, one))),
            None if one.source == VENDOR => nameless.push(id),
            None => ours.push((id, one)),
        }
    }
    let mut changed = false;
    let mut seen = HashSet::new();
    for one in told {
        let of_vendor = |author: Option<String>| Message {
            ticket_id,
            source: VENDOR.to_owned(),
            author: one.author.clone().or(author),
            ..one.clone()
        };
        match one.external_id.and_then(|external| known.remove(&external)) {
            // Who wrote it we may know ourselves, and a note of ours that was sent stays ours.
            Some((_, before)) if before == (Message { source: before.source.clone(), ..of_vendor(before.author.clone()) }) => {}
            Some((id, before)) => {
                of_vendor(before.author).update(w, id)?;
                changed = true;
            }
            // A list that names one thing twice names it once.
            None if one.external_id.is_some_and(|external| !seen.insert(external)) => {}
            None => {
                // A note of ours that was sent comes back under the vendor's name for it.
                let sent = ours.iter().position(|(_, note)| is_sent(note, one)).map(|at| ours.swap_remove(at));
                match sent {
                    Some((id, note)) => of_vendor(note.author).update(w, id)?,
                    None => drop(of_vendor(None).add(w)?),
                }
                changed = true;
            }
        }
        seen.extend(one.external_id);
    }
    let gone: Vec<i64> = known.into_values().map(|(id, _)| id).chain(nameless).collect();
    if !gone.is_empty() {
        changed = true;
        w.run("DELETE FROM ticket_conversations WHERE id IN ids(?1)", params![gone])?;
    }
    if changed {
        w.observe("ticket");
    }
    Ok(changed)
}

/// Whether what the vendor tells is this note of ours: the same words, written no earlier. Its clock may
/// be behind ours.
fn is_sent(note: &Message, told: &Message) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let at = |message: &Message| message.created_at.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
    told.private && !told.incoming && at(told) + SKEW >= at(note) && words(&told.body_text) == words(&note.body_text)
}

/// Adds a note of ours, which the vendor does not have; returns its row.
///
/// # Errors
/// `NotFound`.
pub fn add_note(w: &mut Write<'_>, ticket_id: i64, text: &str, user: &str, at: &str) -> Result<i64> {
    history::get::<Ticket>(w, ticket_id)?;
    let note = Message {
        ticket_id,
        source: LOCAL.to_owned(),
        body_text: text.to_owned(),
        private: true,
        author: Some(user.to_owned()),
        created_at: at.to_owned(),
        ..Message::default()
    };
    w.observe("ticket");
    note.add(w)
}

/// Says that the vendor now has a note of ours, under this id: its next list will tell the same note.
///
/// # Errors
/// `NotFound`.
pub fn note_sent(w: &mut Write<'_>, note_id: i64, external_id: i64) -> Result<()> {
    let sql = "SELECT message.ticket_id FROM @ticket_conversations message WHERE message.id = ?1";
    let ticket_id: i64 = w.first(sql, params![note_id])?.ok_or(Error::NotFound { what: "Note" })?.get(0)?;
    // The list may have been read in between: then it is there already.
    let sql = "DELETE FROM ticket_conversations WHERE external_id = ?2 AND id <> ?1 AND ticket_id = ?3";
    w.run(sql, params![note_id, external_id, ticket_id])?;
    w.run("UPDATE ticket_conversations SET external_id = ?2 WHERE id = ?1", params![note_id, external_id])?;
    w.observe("ticket");
    Ok(())
}

/// A ticket's time sheet, oldest first.
pub fn time_entries(c: &mut Conn, ticket_id: i64) -> Result<Vec<TimeEntry>> {
    TimeEntry::all_beside(c, ticket_id, "entry.executed_at, entry.id")
}

/// Makes a ticket's time sheet exactly this, whole. The ticket's own sum is the caller's to set. Says
/// whether anything changed.
///
/// # Errors
/// `NotFound`.
pub fn replace_time_entries(w: &mut Write<'_>, ticket_id: i64, told: &[TimeEntry]) -> Result<bool> {
    history::get::<Ticket>(w, ticket_id)?;
    let order = |entry: &TimeEntry| (entry.executed_at.clone(), entry.external_id, entry.minutes);
    let mut before = time_entries(w, ticket_id)?;
    let mut now = told.to_vec();
    before.sort_by_key(order);
    now.sort_by_key(order);
    if before == now {
        return Ok(false);
    }
    TimeEntry::replace(w, ticket_id, &now, None)?;
    w.observe("ticket");
    Ok(true)
}
