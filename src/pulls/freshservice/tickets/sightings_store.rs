//! Which tickets were met at the vendor and when, and which are proven to be there no more.

use super::SYSTEM;
use crate::{
    db::Conn,
    error::Result,
    params,
    plan::Kind,
    reconcile::rows_store,
    tickets::codes::ENDED,
    types::{now, now_plus},
};

/// A live ticket of ours that somebody has to ask the vendor about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Our row.
    pub ticket_id: i64,
    /// The vendor's number.
    pub external_id: i64,
}

/// A live ticket that is proven to be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Our row.
    pub ticket_id: i64,
    /// Its revision.
    pub rev: i64,
    /// The vendor's number.
    pub external_id: i64,
    /// What it is about.
    pub subject: Option<String>,
    /// What proves it.
    pub because: String,
}

/// The vendor showed this ticket.
pub fn met(c: &mut Conn, ticket_id: i64, listing: i64) -> Result<()> {
    c.run(
        "INSERT INTO ticket_sightings (ticket_id, listing, seen_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (ticket_id) DO UPDATE SET listing = excluded.listing, seen_at = excluded.seen_at, gone_because = NULL",
        params![ticket_id, listing, now()],
    )?;
    Ok(())
}

/// The vendor says that this ticket is there no more.
pub fn gone(c: &mut Conn, ticket_id: i64, because: &str) -> Result<()> {
    c.run(
        "INSERT INTO ticket_sightings (ticket_id, listing, seen_at, gone_because) VALUES (?1, 0, ?2, ?3)
         ON CONFLICT (ticket_id) DO UPDATE SET seen_at = excluded.seen_at, gone_because = excluded.gone_because",
        params![ticket_id, now(), because],
    )?;
    Ok(())
}

/// How many live tickets came from the vendor.
pub fn live(c: &mut Conn) -> Result<u64> {
    rows_store::live(c, Kind::Ticket, SYSTEM)
}

/// Live tickets that a complete listing lacked, at most so many.
pub fn absent(c: &mut Conn, listing: i64, at_most: i64) -> Result<Vec<Suspect>> {
    let sql = "SELECT ticket.id, ticket.external_id FROM @tickets ticket
               LEFT JOIN ticket_sightings sighting ON sighting.ticket_id = ticket.id
               WHERE ticket.external_source = ?1 AND ticket.retired_at IS NULL
                 AND (sighting.listing IS NULL OR sighting.listing <> ?2) AND sighting.gone_because IS NULL
               ORDER BY ticket.last_updated_at DESC, ticket.id LIMIT ?3";
    suspects(c, sql, &[SYSTEM.into(), listing.into(), at_most.into()])
}

/// Live tickets with these numbers.
pub fn known(c: &mut Conn, external_ids: Vec<i64>) -> Result<Vec<Suspect>> {
    let sql = "SELECT ticket.id, ticket.external_id FROM @tickets ticket
               WHERE ticket.external_source = ?1 AND ticket.retired_at IS NULL AND ticket.external_id IN ids(?2) ORDER BY ticket.id";
    suspects(c, sql, params![SYSTEM, external_ids])
}

/// Tickets that are worked on and that nobody has seen for `hours`, the longest unseen first.
pub fn stale(c: &mut Conn, hours: i64, at_most: i64) -> Result<Vec<Suspect>> {
    let ended = ENDED.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT ticket.id, ticket.external_id FROM @tickets ticket
         LEFT JOIN ticket_sightings sighting ON sighting.ticket_id = ticket.id
         WHERE ticket.external_source = ?1 AND ticket.retired_at IS NULL AND ticket.status NOT IN ({ended})
           AND (sighting.seen_at IS NULL OR sighting.seen_at < ?2) AND sighting.gone_because IS NULL
         ORDER BY COALESCE(sighting.seen_at, ''), ticket.id LIMIT ?3"
    );
    suspects(c, &sql, params![SYSTEM, now_plus(-hours * 3600), at_most])
}

/// The live ticket that the vendor changed last, with that time; never one that is proven gone.
pub fn newest(c: &mut Conn) -> Result<Option<(Suspect, String)>> {
    let sql = "SELECT ticket.id, ticket.external_id, ticket.last_updated_at FROM @tickets ticket
               LEFT JOIN ticket_sightings sighting ON sighting.ticket_id = ticket.id
               WHERE ticket.external_source = ?1 AND ticket.retired_at IS NULL AND sighting.gone_because IS NULL
               ORDER BY ticket.last_updated_at DESC, ticket.id DESC LIMIT 1";
    let Some(row) = c.first(sql, params![SYSTEM])? else { return Ok(None) };
    Ok(Some((Suspect { ticket_id: row.get(0)?, external_id: row.get(1)? }, row.get(2)?)))
}

/// The live tickets that the vendor showed last.
pub fn last_seen(c: &mut Conn, at_most: i64) -> Result<Vec<Suspect>> {
    let sql = "SELECT ticket.id, ticket.external_id FROM ticket_sightings sighting
               JOIN @tickets ticket ON ticket.id = sighting.ticket_id
               WHERE ticket.external_source = ?1 AND ticket.retired_at IS NULL AND sighting.gone_because IS NULL
               ORDER BY sighting.seen_at DESC, ticket.last_updated_at DESC, ticket.id DESC LIMIT ?2";
    suspects(c, sql, params![SYSTEM, at_most])
}

/// Every live ticket that came from the vendor.
pub fn all(c: &mut Conn) -> Result<Vec<Suspect>> {
    let sql = "SELECT ticket.id, ticket.external_id FROM @tickets ticket
               WHERE ticket.external_source = ?1 AND ticket.retired_at IS NULL ORDER BY ticket.id";
    suspects(c, sql, params![SYSTEM])
}

/// Every live ticket that is proven gone.
pub fn all_gone(c: &mut Conn) -> Result<Vec<Gone>> {
    let sql =
        "SELECT ticket.id, ticket.rev, ticket.external_id, ticket.subject, sighting.gone_because FROM ticket_sightings sighting
               JOIN @tickets ticket ON ticket.id = sighting.ticket_id
               WHERE sighting.gone_because IS NOT NULL AND ticket.retired_at IS NULL ORDER BY ticket.id";
    c.all(sql, &[])?
        .iter()
        .map(|row| {
            Ok(Gone {
                ticket_id: row.get(0)?,
                rev: row.get(1)?,
                external_id: row.get(2)?,
                subject: row.get(3)?,
                because: row.get(4)?,
            })
        })
        .collect()
}

fn suspects(c: &mut Conn, sql: &str, values: &[crate::db::Value]) -> Result<Vec<Suspect>> {
    c.all(sql, values)?.iter().map(|row| Ok(Suspect { ticket_id: row.get(0)?, external_id: row.get(1)? })).collect()
}

/// Tickets without a company although their department has become one, at most so many: ticket, company.
pub fn homeless(c: &mut Conn, at_most: i64) -> Result<Vec<(i64, i64)>> {
    let sql = "SELECT ticket.id, link.entity_id FROM @tickets ticket
               JOIN links link ON link.system = ticket.external_source AND link.entity = 'company'
                 AND link.external_id = CAST(ticket.department_id AS TEXT)
               WHERE ticket.external_source = ?1 AND ticket.company_id IS NULL AND ticket.department_id IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM pins pin WHERE pin.entity = 'ticket' AND pin.entity_id = ticket.id AND pin.field = 'company_id')
               ORDER BY ticket.id LIMIT ?2";
    c.all(sql, params![SYSTEM, at_most])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
