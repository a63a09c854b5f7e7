//! Tickets in the database.

use std::collections::HashMap;

use super::model::{Person, Seen, Ticket, TicketView};
use super::{Statuses, codes};
use crate::compliance::{Level, Veiled};
use crate::db::{Conn, Row, Value, Write};
use crate::entity::Facet as _;
use crate::error::{Error, Result};
use crate::history::{self, Record, pins, ranks};
use crate::params;
use crate::types::now_plus;

/// A ticket beside its company, its people and its text.
pub const FROM: &str = "@tickets ticket
    LEFT JOIN @companies company ON company.id = ticket.company_id
    LEFT JOIN links known ON known.system = ticket.external_source AND known.entity = 'contact' AND known.external_id = CAST(ticket.requester_id AS TEXT)
    LEFT JOIN @contacts contact ON contact.id = known.entity_id
    LEFT JOIN @psa_agents agent ON agent.external_source = ticket.external_source AND agent.external_id = CAST(ticket.responder_id AS TEXT)
    LEFT JOIN @ticket_texts words ON words.ticket_id = ticket.id";

/// What [`view`] reads.
#[must_use]
pub fn select() -> String {
    format!(
        "{}, {}, company.account_number, company.name, {}, contact.id, contact.name, contact.email, agent.first_name,
         agent.last_name, words.description_text, ticket.company_id",
        Ticket::SELECT,
        Seen::select(),
        ranks::TICKET
    )
}

/// Reads a row selected as [`select`].
///
/// # Errors
/// `Internal` when a column holds another type.
pub fn view(row: &Row) -> Result<Veiled<TicketView>> {
    Ok(Veiled::new(bare(row)?))
}

/// The same with its markup, which stands behind what [`select`] reads.
fn whole(row: &Row) -> Result<Veiled<TicketView>> {
    Ok(Veiled::new(TicketView { description: row.get(Ticket::width() + 13)?, ..bare(row)? }))
}

fn bare(row: &Row) -> Result<TicketView> {
    let at = Ticket::width();
    let contact = match row.get::<Option<i64>>(at + 6)? {
        Some(id) => Some(Person { id, name: row.get(at + 7)?, email: row.get(at + 8)? }),
        None => None,
    };
    Ok(TicketView {
        seen: Seen::from_row(row, at)?,
        company_id: row.get(at + 3)?,
        company_name: row.get(at + 4)?,
        protection: Level::from_rank(row.get(at + 5)?),
        contact,
        agent_name: joined([row.get(at + 9)?, row.get(at + 10)?]),
        description_text: row.get(at + 11)?,
        ..TicketView::new(Ticket::from_row(row, 0)?)?
    })
}

/// One ticket by its vendor's number, whole.
///
/// # Errors
/// `NotFound`.
pub fn get_view(c: &mut Conn, external_id: i64) -> Result<Veiled<TicketView>> {
    let sql = format!(
        "SELECT {}, words.description FROM {FROM} WHERE ticket.external_id = ?1 ORDER BY ticket.retired_at IS NOT NULL, ticket.id",
        select()
    );
    whole(&c.first(&sql, params![external_id])?.ok_or(Error::NotFound { what: Ticket::WHAT })?)
}

/// Which ticket of which company, and how many bytes its texts and messages have.
#[derive(Clone, Copy, Debug)]
pub struct TicketSize {
    /// The company.
    pub company_id: i64,
    /// The ticket's row.
    pub id: i64,
    /// The bytes.
    pub bytes: i64,
}

/// The live tickets of these companies, the newest first, before they are read; of one year, by the beginning of the
/// time of their last change, when one is asked for.
pub fn sizes_of_companies(c: &mut Conn, company_ids: Vec<i64>, year: Option<i64>) -> Result<Vec<TicketSize>> {
    let (from, until) = year.map_or((String::new(), "~".to_owned()), |year| (year.to_string(), format!("{year}~")));
    let sql = "SELECT ticket.company_id, ticket.id,
            coalesce(octet_length(words.description), 0) + coalesce(octet_length(words.description_text), 0)
            + (SELECT coalesce(sum(octet_length(message.body_text) + coalesce(octet_length(message.body_html), 0)), 0)
               FROM @ticket_conversations message WHERE message.ticket_id = ticket.id)
         FROM @tickets ticket LEFT JOIN @ticket_texts words ON words.ticket_id = ticket.id
         WHERE ticket.company_id IN ids(?1) AND ticket.retired_at IS NULL
         AND ticket.last_updated_at >= ?2 AND ticket.last_updated_at < ?3
         ORDER BY ticket.last_updated_at DESC, ticket.id DESC";
    c.map(sql, params![company_ids, from, until], |found| {
        Ok(TicketSize { company_id: found.get(0)?, id: found.get(1)?, bytes: found.get(2)? })
    })
}

/// These tickets whole, as (company id, ticket), in the order of [`sizes_of_companies`].
pub fn of_ids(c: &mut Conn, ids: Vec<i64>) -> Result<Vec<(i64, Veiled<TicketView>)>> {
    let sql = format!(
        "SELECT {}, words.description FROM {FROM} WHERE ticket.id IN ids(?1)
         ORDER BY ticket.last_updated_at DESC, ticket.id DESC",
        select()
    );
    let company_at = Ticket::width() + 12;
    c.map(&sql, params![ids], |found| Ok((found.get(company_at)?, whole(found)?)))
}

/// The newest live tickets of a company, and how many it has in all.
pub fn newest_of_company(c: &mut Conn, company_id: i64, count: i64) -> Result<(Vec<Veiled<TicketView>>, i64)> {
    newest(c, "ticket.company_id = ?1", vec![company_id.into()], count)
}

/// The newest live tickets that these people of the vendor asked for, and how many there are in all.
pub fn newest_of_requesters(
    c: &mut Conn,
    source: &str,
    requesters: Vec<i64>,
    count: i64,
) -> Result<(Vec<Veiled<TicketView>>, i64)> {
    if requesters.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let theirs = format!("{} AND ticket.requester_id IN ids(?2)", of_source(1));
    newest(c, &theirs, vec![source.into(), requesters.into()], count)
}

fn newest(c: &mut Conn, whose: &str, mut of: Vec<Value>, count: i64) -> Result<(Vec<Veiled<TicketView>>, i64)> {
    let sql = format!("SELECT count(*) FROM @tickets ticket WHERE {whose} AND ticket.retired_at IS NULL");
    let total = c.kept_count(&[Ticket::ENTITY], &sql, &of)?;
    of.push(count.into());
    let sql = format!(
        "SELECT {} FROM {FROM} WHERE {whose} AND ticket.retired_at IS NULL
         ORDER BY ticket.last_updated_at DESC, ticket.id DESC LIMIT ?{}",
        select(),
        of.len()
    );
    Ok((c.all(&sql, &of)?.iter().map(view).collect::<Result<_>>()?, total))
}

/// The vendor's ids of these contacts as those who ask for tickets.
pub fn requesters(c: &mut Conn, source: &str, contacts: Vec<i64>) -> Result<Vec<i64>> {
    let sql = "SELECT known.external_id FROM links known JOIN @contacts contact ON contact.id = known.entity_id
         WHERE known.entity = 'contact' AND known.system = ?1 AND known.entity_id IN ids(?2) ORDER BY known.external_id";
    let rows = c.all(sql, params![source, contacts])?;
    let ids = rows.iter().map(|row| Ok(row.get::<String>(0)?.parse().ok()));
    Ok(ids.collect::<Result<Vec<Option<i64>>>>()?.into_iter().flatten().collect())
}

/// The live tickets that somebody still works on, of one vendor or of all, of one group and one agent
/// when they are named.
pub fn active(
    c: &mut Conn,
    group_id: Option<i64>,
    responder_id: Option<i64>,
    mut take: impl FnMut(Veiled<TicketView>) -> Result<()>,
) -> Result<()> {
    let mut values = working(c)?;
    let mut sql =
        format!("SELECT {} FROM {FROM} WHERE ticket.retired_at IS NULL AND ticket.status IN ({})", select(), places(&values));
    for (column, wanted) in [("group_id", group_id), ("responder_id", responder_id)] {
        if let Some(wanted) = wanted {
            values.push(wanted.into());
            sql = format!("{sql} AND ticket.{column} = ?{}", values.len());
        }
    }
    sql.push_str(" ORDER BY ticket.id");
    c.each(&sql, &values, |found| take(view(&found)?))
}

/// The words of the statuses that tickets have: from one to the next in the index, however many tickets have each.
pub fn status_words(c: &mut Conn) -> Result<Vec<String>> {
    let sql = "WITH RECURSIVE known (status) AS (
                   SELECT min(ticket.status) FROM @tickets ticket
                   UNION ALL
                   SELECT (SELECT min(ticket.status) FROM @tickets ticket WHERE ticket.status > known.status)
                   FROM known WHERE known.status IS NOT NULL
               )
               SELECT known.status FROM known WHERE known.status IS NOT NULL ORDER BY known.status";
    c.map(sql, params![], |row| row.get(0))
}

/// The words of the statuses that tickets have while somebody works on them: few, and an index finds their
/// tickets among all that are closed. Never empty, so that it can stand in `IN`.
fn working(c: &mut Conn) -> Result<Vec<Value>> {
    let mut words: Vec<Value> =
        status_words(c)?.into_iter().filter(|word| !codes::ENDED.contains(&word.as_str())).map(Value::from).collect();
    if words.is_empty() {
        words.push("open".into());
    }
    Ok(words)
}

fn places(values: &[Value]) -> String {
    (1..=values.len()).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ")
}

/// The live tickets that somebody should work on and does not.
#[derive(Clone, Debug, Default)]
pub struct Neglected {
    /// How many are overdue, and since when the oldest is.
    pub overdue: (i64, Option<String>),
    /// How many nobody has taken, and since when the oldest is there.
    pub unassigned: (i64, Option<String>),
}

/// What is overdue is counted anew with every so many seconds.
const CLOCK: i64 = 15;

/// Counts them.
pub fn neglected(c: &mut Conn) -> Result<Neglected> {
    let mut values = working(c)?;
    let words = places(&values);
    let second = jiff::Timestamp::now().as_second();
    values.push(now_plus(-second.rem_euclid(CLOCK)).into());
    let sql = format!(
        "SELECT count(CASE WHEN ticket.due_by < ?{at} THEN 1 END), min(CASE WHEN ticket.due_by < ?{at} THEN ticket.due_by END),
         count(CASE WHEN ticket.responder_id IS NULL THEN 1 END),
         min(CASE WHEN ticket.responder_id IS NULL THEN ticket.vendor_created_at END)
         FROM @tickets ticket WHERE ticket.retired_at IS NULL AND ticket.status IN ({words})",
        at = values.len()
    );
    let rows = c.kept(&[Ticket::ENTITY], &sql, &values)?;
    let row = rows.first().ok_or_else(|| Error::internal("a total is missing"))?;
    Ok(Neglected { overdue: (row.get(0)?, row.get(1)?), unassigned: (row.get(2)?, row.get(3)?) })
}

/// How many live tickets these agents of the vendor still work on.
pub fn of_agents(c: &mut Conn, agents: Vec<i64>) -> Result<i64> {
    let mut values = working(c)?;
    let words = places(&values);
    values.push(agents.into());
    let sql = format!(
        "SELECT count(*) FROM @tickets ticket
         WHERE ticket.retired_at IS NULL AND ticket.status IN ({words}) AND ticket.responder_id IN ids(?{})",
        values.len()
    );
    c.kept_count(&[Ticket::ENTITY], &sql, &values)
}

/// How many live tickets somebody still works on, and how many of them are urgent or high.
pub fn open(c: &mut Conn) -> Result<(i64, i64)> {
    let words = working(c)?;
    let sql = format!(
        "SELECT count(*), count(CASE WHEN ticket.priority_id >= 3 THEN 1 END) FROM @tickets ticket
         WHERE ticket.retired_at IS NULL AND ticket.status IN ({})",
        places(&words)
    );
    let rows = c.kept(&[Ticket::ENTITY], &sql, &words)?;
    let row = rows.first().ok_or_else(|| Error::internal("a total is missing"))?;
    Ok((row.get(0)?, row.get(1)?))
}

/// How many live tickets somebody still works on for each of these companies; none for those without any.
pub fn open_of_companies(c: &mut Conn, companies: Vec<i64>) -> Result<HashMap<i64, i64>> {
    let mut values = working(c)?;
    let words = places(&values);
    values.push(companies.into());
    let sql = format!(
        "SELECT ticket.company_id, count(*) FROM @tickets ticket WHERE ticket.retired_at IS NULL AND ticket.status IN ({words})
         AND ticket.company_id IN ids(?{}) GROUP BY ticket.company_id",
        values.len()
    );
    c.all(&sql, &values)?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// That a ticket is of the vendor in this parameter, as a condition beside one that an index leads to: the index of a vendor's
/// tickets leads to nearly all of them, and SQLite does not know that.
fn of_source(parameter: usize) -> String {
    format!("{SOURCE_BESIDE} = ?{parameter}")
}

/// A ticket's vendor, where no index is to lead to it.
pub(super) const SOURCE_BESIDE: &str = "(ticket.external_source || '')";

/// The same for each of these requesters of one vendor, by their ids there.
pub fn open_of_requesters(c: &mut Conn, source: &str, requesters: Vec<i64>) -> Result<HashMap<i64, i64>> {
    let mut values = working(c)?;
    let words = places(&values);
    values.push(source.into());
    values.push(requesters.into());
    let sql = format!(
        "SELECT ticket.requester_id, count(*) FROM @tickets ticket WHERE ticket.retired_at IS NULL AND ticket.status IN ({words})
         AND {} AND ticket.requester_id IN ids(?{}) GROUP BY ticket.requester_id",
        of_source(values.len() - 1),
        values.len()
    );
    c.all(&sql, &values)?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The stored tickets with these numbers at one vendor, retired ones too, with what is kept beside them.
pub fn by_external_ids(c: &mut Conn, source: &str, external_ids: Vec<i64>) -> Result<HashMap<i64, (Ticket, Seen)>> {
    let sql = format!(
        "SELECT {}, {} FROM @tickets ticket WHERE ticket.external_source = ?1 AND ticket.external_id IN ids(?2)",
        Ticket::SELECT,
        Seen::select()
    );
    let at = Ticket::width();
    c.all(&sql, params![source, external_ids])?
        .iter()
        .map(|found| {
            let ticket = Ticket::from_row(found, 0)?;
            Ok((ticket.external_id, (ticket, Seen::from_row(found, at)?)))
        })
        .collect()
}

/// What storing a ticket did.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The row as it is now.
    pub ticket: Ticket,
    /// Whether it is new here.
    pub created: bool,
    /// The fields that changed, with `retired_at` when it came back.
    pub changed: Vec<&'static str>,
    /// Fields that a sync would have changed but somebody has pinned.
    pub kept_pins: Vec<&'static str>,
}

/// Stores a ticket as told, by its vendor's number. One that had been retired comes back.
pub fn upsert(w: &mut Write<'_>, told: &Ticket, reason: Option<&str>) -> Result<Stored> {
    let known = by_external_ids(w, &told.external_source, vec![told.external_id])?.remove(&told.external_id);
    let Some((known, _)) = known else {
        let ticket = history::create(w, told, reason)?;
        return Ok(Stored { ticket, created: true, changed: Vec::new(), kept_pins: Vec::new() });
    };
    let mut changed = Vec::new();
    if known.retired_at.is_some() {
        history::restore::<Ticket>(w, known.id, reason)?;
        changed.push("retired_at");
    }
    let updated = history::update(w, known.id, None, reason, |ticket: &mut Ticket| {
        *ticket = told.clone();
        Ok(())
    })?;
    changed.extend(updated.changed.iter().map(|(field, ..)| *field));
    Ok(Stored { ticket: updated.record, created: false, changed, kept_pins: updated.kept_pins })
}

/// Keeps what a ticket says at length; says whether that is new.
///
/// # Errors
/// `NotFound`.
pub fn set_text(w: &mut Write<'_>, ticket_id: i64, description: Option<&str>, description_text: Option<&str>) -> Result<bool> {
    history::get::<Ticket>(w, ticket_id)?;
    let sql = "SELECT words.description, words.description_text FROM @ticket_texts words WHERE words.ticket_id = ?1";
    let known: Option<(Option<String>, Option<String>)> =
        w.first(sql, params![ticket_id])?.map(|row| Ok::<_, Error>((row.get(0)?, row.get(1)?))).transpose()?;
    let (html, text) = known.unwrap_or_default();
    if html.as_deref() == description && text.as_deref() == description_text {
        return Ok(false);
    }
    w.run(
        "INSERT INTO ticket_texts (ticket_id, description, description_text) VALUES (?1, ?2, ?3)
         ON CONFLICT (ticket_id) DO UPDATE SET description = excluded.description, description_text = excluded.description_text",
        params![ticket_id, description, description_text],
    )?;
    w.observe("ticket");
    Ok(true)
}

/// What is noted about a ticket beside its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A webhook told of it, at this time of the vendor's.
    Webhook,
    /// Somebody changed it here, now.
    Local,
    /// Its conversations and time sheet have been read, of the state of this time of the vendor's.
    Detail,
}

/// Notes when somebody looked at a ticket or changed it here; never moves the vendor's time.
///
/// # Errors
/// `NotFound`.
pub fn mark(w: &mut Write<'_>, ticket_id: i64, mark: Mark, at: Option<&str>) -> Result<()> {
    history::get::<Ticket>(w, ticket_id)?;
    let sql = match mark {
        Mark::Webhook => "UPDATE tickets SET webhook_updated_at = ?1 WHERE id = ?2",
        Mark::Local => "UPDATE tickets SET local_updated_at = ?1 WHERE id = ?2",
        Mark::Detail => "UPDATE tickets SET detail_synced_at = ?1 WHERE id = ?2",
    };
    w.run(sql, params![at, ticket_id])?;
    Ok(())
}

/// The columns that a local status holds.
const STATUS: [&str; 2] = ["status", "status_id"];

/// Writes a status here. Whoever writes it, no sync may take it back before the vendor has it.
///
/// # Errors
/// `NotFound`, `PreconditionFailed`.
pub fn set_status(w: &mut Write<'_>, ticket_id: i64, if_match: Option<i64>, status: (String, Option<i64>)) -> Result<bool> {
    let updated = history::update(w, ticket_id, if_match, None, |ticket: &mut Ticket| {
        (ticket.status, ticket.status_id) = status;
        Ok(())
    })?;
    if !updated.changed.is_empty() {
        for field in STATUS {
            pins::pin(w, Ticket::ENTITY, ticket_id, field)?;
        }
    }
    Ok(!updated.changed.is_empty())
}

/// Lets syncs write the status again: the vendor has what was written here.
///
/// # Errors
/// `NotFound`.
pub fn release_status(w: &mut Write<'_>, ticket_id: i64) -> Result<()> {
    history::get::<Ticket>(w, ticket_id)?;
    for field in STATUS {
        pins::unpin(w, Ticket::ENTITY, ticket_id, field)?;
    }
    Ok(())
}

/// Gives at most so many tickets, whose code now means another word, that word; returns how many there were.
pub fn reword(w: &mut Write<'_>, source: &str, statuses: &Statuses, at_most: i64) -> Result<usize> {
    let sql = "SELECT DISTINCT ticket.status_id, ticket.status FROM @tickets ticket
               WHERE ticket.external_source = ?1 AND ticket.status_id IS NOT NULL";
    let mut count = 0;
    for pair in w.all(sql, params![source])? {
        let (code, word): (i64, String) = (pair.get(0)?, pair.get(1)?);
        let meant = statuses.word(Some(code));
        if meant == word {
            continue;
        }
        let sql = "SELECT ticket.id FROM @tickets ticket WHERE ticket.external_source = ?1 AND ticket.status_id = ?2 AND ticket.status = ?3
                   AND NOT EXISTS (SELECT 1 FROM pins pin WHERE pin.entity = 'ticket' AND pin.entity_id = ticket.id AND pin.field = 'status')
                   ORDER BY ticket.id LIMIT ?4";
        for row in w.all(sql, params![source, code, &word, at_most - i64::try_from(count).unwrap_or(i64::MAX)])? {
            let why = Some("the vendor's statuses were named anew");
            let id = row.get(0)?;
            history::update(w, id, None, why, |ticket: &mut Ticket| {
                ticket.status.clone_from(&meant);
                Ok(())
            })?;
            count += 1;
        }
    }
    Ok(count)
}

/// The company that a vendor's department is, if it is one.
pub fn company_of_department(c: &mut Conn, source: &str, department_id: i64) -> Result<Option<i64>> {
    let sql = "SELECT company.id FROM links link JOIN @companies company ON company.id = link.entity_id
               WHERE link.system = ?1 AND link.entity = 'company' AND link.external_id = ?2";
    c.first(sql, params![source, department_id.to_string()])?.map(|row| row.get(0)).transpose()
}

/// A ticket that is not stored, with what stands around it here.
pub fn view_unstored(c: &mut Conn, ticket: Ticket) -> Result<Veiled<TicketView>> {
    let sql =
        "SELECT company.account_number, company.name, company.compliance_level FROM @companies company WHERE company.id = ?1";
    let company = c.first(sql, params![ticket.company_id])?;
    let company: Option<(String, String, String)> =
        company.map(|row| Ok::<_, Error>((row.get(0)?, row.get(1)?, row.get(2)?))).transpose()?;
    let of_company = company.as_ref().map(|(.., level)| Level::parse(level)).unwrap_or_default();
    let sql = format!(
        "SELECT {} FROM (SELECT CAST(?1 AS TEXT) AS external_source, CAST(?2 AS BIGINT) AS requester_id, CAST(?3 AS TEXT) AS requester_key,
             CAST(?4 AS BIGINT) AS company_id, CAST(?5 AS BIGINT) AS department_id, 0 AS protection) ticket",
        ranks::TICKET
    );
    let whose =
        params![&ticket.external_source, ticket.requester_id, ticket.requester_key(), ticket.company_id, ticket.department_id];
    let of_people = Level::from_rank(c.one(&sql, whose)?.get(0)?);
    let sql = "SELECT contact.id, contact.name, contact.email FROM links known
         JOIN @contacts contact ON contact.id = known.entity_id
         WHERE known.system = ?1 AND known.entity = 'contact' AND known.external_id = ?2";
    let asked_by = ticket.requester_id.map(|id| id.to_string());
    let contact = c.first(sql, params![&ticket.external_source, asked_by])?;
    let contact =
        contact.map(|row| Ok::<_, Error>(Person { id: row.get(0)?, name: row.get(1)?, email: row.get(2)? })).transpose()?;
    let sql = "SELECT agent.first_name, agent.last_name FROM @psa_agents agent WHERE agent.external_source = ?1 AND agent.external_id = ?2";
    let answers = ticket.responder_id.map(|id| id.to_string());
    let agent = c.first(sql, params![&ticket.external_source, answers])?;
    let agent = agent.map(|row| Ok::<_, Error>([row.get(0)?, row.get(1)?])).transpose()?.and_then(joined);
    Ok(Veiled::new(TicketView {
        protection: of_company.max(of_people),
        company_id: company.as_ref().map(|(number, ..)| number.clone()),
        company_name: company.map(|(_, name, _)| name),
        contact,
        agent_name: agent,
        ..TicketView::new(ticket)?
    }))
}

fn joined(parts: [Option<String>; 2]) -> Option<String> {
    let name = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    Some(name).filter(|name| !name.is_empty())
}
