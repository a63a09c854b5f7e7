//! Conversations, notes and time sheets in the database.

use std::collections::HashMap;

use super::{
    Ticket,
    messages::{Message, MessageView, TimeEntry},
};
use crate::{
    compliance::{Level, Veiled},
    db::{Conn, Row, Write},
    error::{Error, Result},
    history::{self, ranks},
    params,
};

/// What a vendor told, and a note of our own.
const VENDOR: &str = "vendor";
const LOCAL: &str = "local";
/// How far the vendor's clock may be behind ours, in seconds.
const SKEW: i64 = 300;

const FIELDS: &str =
    "message.external_id, message.body_text, message.body_html, message.private, message.incoming, message.kind, message.user_id,
    message.author, message.from_email, message.to_emails, message.support_email, message.created_at, message.updated_at";

fn message(row: &Row) -> Result<Message> {
    let to_emails: Option<String> = row.get(9)?;
    Ok(Message {
        external_id: row.get(0)?,
        body_text: row.get(1)?,
        body_html: row.get(2)?,
        private: row.get(3)?,
        incoming: row.get(4)?,
        kind: row.get(5)?,
        user_id: row.get(6)?,
        author: row.get(7)?,
        from_email: row.get(8)?,
        to_emails: to_emails.map(|text| serde_json::from_str(&text).map_err(Error::internal)).transpose()?.unwrap_or_default(),
        support_email: row.get(10)?,
        created_at: row.get(11)?,
        updated_at: row.get(12)?,
    })
}

/// The messages on these tickets, oldest first, by ticket. Who wrote one is named, with their address, where the
/// vendor's id is an agent's or a contact's.
pub fn of_tickets(c: &mut Conn, ticket_ids: Vec<i64>) -> Result<HashMap<i64, Vec<Veiled<MessageView>>>> {
    let sql = format!(
        "SELECT {FIELDS}, message.id, message.ticket_id, agent.first_name, agent.last_name, contact.name, {}, COALESCE(agent.email, contact.email) FROM @ticket_conversations message
         JOIN @tickets ticket ON ticket.id = message.ticket_id
         LEFT JOIN @psa_agents agent ON agent.external_source = ticket.external_source AND agent.external_id = CAST(message.user_id AS TEXT)
         LEFT JOIN links known ON known.system = ticket.external_source AND known.entity = 'contact' AND known.external_id = CAST(message.user_id AS TEXT)
         LEFT JOIN @contacts contact ON contact.id = known.entity_id
         WHERE message.ticket_id IN ids(?1) ORDER BY message.ticket_id, message.created_at, message.id",
        ranks::MESSAGE
    );
    let mut found: HashMap<i64, Vec<Veiled<MessageView>>> = HashMap::new();
    for row in c.all(&sql, params![ticket_ids])? {
        let mut one = message(&row)?;
        let agent = [row.get::<Option<String>>(15)?, row.get::<Option<String>>(16)?];
        let agent = agent.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        let contact: Option<String> = row.get(17)?;
        one.author = one.author.or(Some(agent).filter(|name| !name.is_empty())).or(contact);
        let address: Option<String> = row.get(19)?;
        one.from_email = one.from_email.or(address.filter(|address| !address.is_empty()));
        let (ticket, protection) = (row.get(14)?, Level::from_rank(row.get(18)?));
        let view = MessageView { ticket, protection, ..MessageView::new(one, row.get(13)?) };
        found.entry(ticket).or_default().push(Veiled::new(view));
    }
    Ok(found)
}

/// A message on a ticket that is not stored.
pub fn view_unstored(c: &mut Conn, ticket: &Ticket, one: Message) -> Result<Veiled<MessageView>> {
    let sql = format!(
        "SELECT {} FROM (SELECT CAST(?1 AS TEXT) AS external_source, CAST(?2 AS BIGINT) AS user_id, CAST(?3 AS TEXT) AS from_email) message,
             (SELECT CAST(?1 AS TEXT) AS external_source) ticket",
        ranks::MESSAGE
    );
    let rank = c.one(&sql, params![&ticket.external_source, one.user_id, &one.from_email])?.get(0)?;
    Ok(Veiled::new(MessageView { ticket: ticket.external_id, protection: Level::from_rank(rank), ..MessageView::new(one, 0) }))
}

/// Makes the vendor's messages on a ticket exactly these, whole; our own notes stay. Says whether anything
/// changed; rows that are still told keep their ids.
///
/// # Errors
/// `NotFound`.
pub fn replace_conversations(w: &mut Write<'_>, ticket_id: i64, told: &[Message]) -> Result<bool> {
    history::get::<Ticket>(w, ticket_id)?;
    let sql = format!(
        "SELECT {FIELDS}, message.id, message.source FROM @ticket_conversations message WHERE message.ticket_id = ?1 ORDER BY message.id"
    );
    let mut known: HashMap<i64, (i64, Message)> = HashMap::new();
    let (mut nameless, mut ours) = (Vec::new(), Vec::new());
    for row in w.all(&sql, params![ticket_id])? {
        let (one, id, source): (Message, i64, String) = (message(&row)?, row.get(13)?, row.get(14)?);
        match one.external_id {
            Some(external) => drop(known.insert(external, (id, one))),
            None if source == VENDOR => nameless.push(id),
            None => ours.push((id, one)),
        }
    }
    let mut changed = false;
    let mut seen = std::collections::HashSet::new();
    for one in told {
        let before = one.external_id.and_then(|external| known.remove(&external));
        match before {
            Some((_, before)) if same(&before, one) => {}
            Some((id, before)) => {
                let author = one.author.clone().or(before.author);
                store(w, ticket_id, Some(id), VENDOR, &Message { author, ..one.clone() })?;
                changed = true;
            }
            // A list that names one thing twice names it once.
            None if one.external_id.is_some_and(|external| !seen.insert(external)) => {}
            None => {
                // A note of ours that was sent comes back under the vendor's name for it.
                let sent = ours.iter().position(|(_, note)| is_sent(note, one)).map(|at| ours.swap_remove(at));
                let author = one.author.clone().or(sent.as_ref().and_then(|(_, note)| note.author.clone()));
                store(w, ticket_id, sent.map(|(id, _)| id), VENDOR, &Message { author, ..one.clone() })?;
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

/// The same but for the name that we know ourselves.
fn same(before: &Message, now: &Message) -> bool {
    let author = now.author.clone().or_else(|| before.author.clone());
    Message { author: before.author.clone(), ..now.clone() } == *before && author == before.author
}

/// Adds a note of ours, which the vendor does not have; returns its row.
///
/// # Errors
/// `NotFound`.
pub fn add_note(w: &mut Write<'_>, ticket_id: i64, text: &str, user: &str, at: &str) -> Result<i64> {
    history::get::<Ticket>(w, ticket_id)?;
    let note = Message {
        body_text: text.to_owned(),
        private: true,
        author: Some(user.to_owned()),
        created_at: at.to_owned(),
        ..Message::default()
    };
    w.observe("ticket");
    store(w, ticket_id, None, LOCAL, &note)
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

fn store(w: &mut Write<'_>, ticket_id: i64, id: Option<i64>, source: &str, one: &Message) -> Result<i64> {
    let to_emails = serde_json::to_string(&one.to_emails).map_err(Error::internal)?;
    let values = params![
        ticket_id,
        source,
        one.external_id,
        &one.body_text,
        &one.body_html,
        one.private,
        one.incoming,
        one.kind,
        one.user_id,
        &one.author,
        &one.from_email,
        to_emails,
        &one.support_email,
        &one.created_at,
        &one.updated_at
    ];
    let Some(id) = id else {
        let sql =
            "INSERT INTO ticket_conversations (ticket_id, source, external_id, body_text, body_html, private, incoming, kind,
                       user_id, author, from_email, to_emails, support_email, created_at, updated_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) RETURNING id";
        return w.one(sql, values)?.get(0);
    };
    let sql = "UPDATE ticket_conversations SET ticket_id = ?1, source = ?2, external_id = ?3, body_text = ?4, body_html = ?5,
                   private = ?6, incoming = ?7, kind = ?8, user_id = ?9, author = ?10, from_email = ?11, to_emails = ?12,
                   support_email = ?13, created_at = ?14, updated_at = ?15 WHERE id = ?16";
    let mut values = values.to_vec();
    values.push(id.into());
    w.run(sql, &values)?;
    Ok(id)
}

/// A ticket's time sheet, oldest first.
pub fn time_entries(c: &mut Conn, ticket_id: i64) -> Result<Vec<TimeEntry>> {
    let sql =
        "SELECT entry.external_id, entry.agent_id, entry.minutes, entry.billable, entry.running, entry.note, entry.executed_at,
                   entry.created_at, entry.updated_at
               FROM @ticket_time_entries entry WHERE entry.ticket_id = ?1 ORDER BY entry.executed_at, entry.id";
    c.all(sql, params![ticket_id])?
        .iter()
        .map(|row| {
            Ok(TimeEntry {
                external_id: row.get(0)?,
                agent_id: row.get(1)?,
                minutes: row.get(2)?,
                billable: row.get(3)?,
                running: row.get(4)?,
                note: row.get(5)?,
                executed_at: row.get(6)?,
                created_at: row.get(7)?,
                updated_at: row.get(8)?,
            })
        })
        .collect()
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
    w.run("DELETE FROM ticket_time_entries WHERE ticket_id = ?1", params![ticket_id])?;
    for entry in &now {
        w.run(
            "INSERT INTO ticket_time_entries (ticket_id, external_id, agent_id, minutes, billable, running, note, executed_at, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                ticket_id,
                entry.external_id,
                entry.agent_id,
                entry.minutes,
                entry.billable,
                entry.running,
                &entry.note,
                &entry.executed_at,
                &entry.created_at,
                &entry.updated_at
            ],
        )?;
    }
    w.observe("ticket");
    Ok(true)
}
