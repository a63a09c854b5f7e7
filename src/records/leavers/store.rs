//! What people who have left still hold: devices, seats of licences, roles in their companies, open tickets.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    compliance::{RedactionPolicy, trail},
    contacts::{ContactView, store as contacts},
    db::{Conn, Value},
    error::Result,
    params,
    tickets::codes::ENDED,
};

/// Who has left: inactive, or retired by a sync although something is still theirs.
const LEFT: &str = "(contact.active = FALSE OR contact.retired_at IS NOT NULL)";
/// The devices of those who are inactive; those of the retired come back with them.
const DEVICES: &str = "@asset_contacts held JOIN @contacts contact ON contact.id = held.contact_id
    JOIN @assets asset ON asset.id = held.asset_id LEFT JOIN @companies company ON company.id = asset.company_id
    WHERE contact.active = FALSE AND contact.retired_at IS NULL AND asset.retired_at IS NULL";
const SEATS: &str = "@license_seats seat JOIN @contacts contact ON contact.id = seat.contact_id
    JOIN @licenses license ON license.id = seat.license_id JOIN @companies company ON company.id = seat.company_id
    WHERE seat.retired_at IS NULL AND ";
const PLACES: &str = "@contact_companies place JOIN @contacts contact ON contact.id = place.contact_id
    JOIN @companies company ON company.id = place.company_id WHERE company.retired_at IS NULL AND ";
const IS_PRIMARY: &str = "(place.is_primary = TRUE OR place.designation = 'primary')";
const BILLED: &str = "@companies company JOIN @contacts contact ON contact.id = company.billing_contact_id
    WHERE company.retired_at IS NULL AND ";
const TICKETS: &str = "@tickets ticket JOIN links known ON known.system = ticket.external_source AND known.entity = 'contact'
        AND known.external_id = CAST(ticket.requester_id AS TEXT)
    JOIN @contacts contact ON contact.id = known.entity_id LEFT JOIN @companies company ON company.id = ticket.company_id
    WHERE ticket.retired_at IS NULL AND ticket.status NOT IN";

/// Something that they hold: a device, a seat, or a role in a company.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = LeaverHolding)]
pub struct Holding {
    /// The device, the seat, or the company.
    pub id: i64,
    /// The device's or product's name; the company's for a role.
    pub name: String,
    pub company_account_number: Option<String>,
    pub company_name: Option<String>,
}

/// A ticket that is still worked on.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = LeaverTicket)]
pub struct OpenTicket {
    /// The vendor's number, as in `/api/ticket/{id}`.
    pub id: i64,
    pub ticket_number: String,
    pub status: String,
}

/// Everything of one of them.
#[derive(Clone, Debug, Default)]
pub struct Held {
    pub devices: Vec<Holding>,
    pub seats: Vec<Holding>,
    pub primary: Vec<Holding>,
    pub billing: Vec<Holding>,
    pub tickets: Vec<OpenTicket>,
}

/// What each of them holds, by contact.
pub fn held(c: &mut Conn) -> Result<BTreeMap<i64, Held>> {
    let mut all: BTreeMap<i64, Held> = BTreeMap::new();
    let of_company = "company.id, company.name, company.account_number, company.name";
    let billing_role = format!("{PLACES}{LEFT} AND place.role = 'billing' AND company.billing_contact_id IS NULL");
    for (sql, place) in [
        (
            format!(
                "SELECT contact.id, asset.id, asset.hostname, company.account_number, company.name FROM {DEVICES} ORDER BY asset.hostname_folded, asset.id"
            ),
            (|held: &mut Held| &mut held.devices) as fn(&mut Held) -> &mut Vec<Holding>,
        ),
        (
            format!(
                "SELECT contact.id, seat.id, license.product, company.account_number, company.name FROM {SEATS}{LEFT} ORDER BY license.product, seat.id"
            ),
            |held: &mut Held| &mut held.seats,
        ),
        (
            format!(
                "SELECT contact.id, {of_company} FROM {PLACES}{LEFT} AND {IS_PRIMARY} ORDER BY company.name_folded, company.id"
            ),
            |held: &mut Held| &mut held.primary,
        ),
        (
            format!("SELECT contact.id, {of_company} FROM {BILLED}{LEFT} ORDER BY company.name_folded, company.id"),
            |held: &mut Held| &mut held.billing,
        ),
        (
            format!("SELECT contact.id, {of_company} FROM {billing_role} ORDER BY company.name_folded, company.id"),
            |held: &mut Held| &mut held.billing,
        ),
    ] {
        for row in c.all(&sql, params![])? {
            let holding =
                Holding { id: row.get(1)?, name: row.get(2)?, company_account_number: row.get(3)?, company_name: row.get(4)? };
            place(all.entry(row.get(0)?).or_default()).push(holding);
        }
    }
    let (ended, words) = ended();
    let sql = format!(
        "SELECT contact.id, ticket.external_id, ticket.ticket_number, ticket.status FROM {TICKETS} ({ended}) AND {LEFT} ORDER BY ticket.id"
    );
    for row in c.all(&sql, &words)? {
        let ticket = OpenTicket { id: row.get(1)?, ticket_number: row.get(2)?, status: row.get(3)? };
        all.entry(row.get(0)?).or_default().tickets.push(ticket);
    }
    Ok(all)
}

/// The words of tickets that nobody works on any more, with their places.
fn ended() -> (String, Vec<Value>) {
    let places: Vec<String> = (1..=ENDED.len()).map(|number| format!("?{number}")).collect();
    (places.join(", "), ENDED.iter().map(|word| Value::from(*word)).collect())
}

/// How many people who have left still hold something.
pub fn count(c: &mut Conn) -> Result<i64> {
    let (ended, words) = ended();
    let sql = format!(
        "SELECT count(*) FROM (SELECT contact.id FROM {DEVICES} UNION SELECT contact.id FROM {SEATS}{LEFT}
         UNION SELECT contact.id FROM {PLACES}{LEFT} AND ({IS_PRIMARY} OR place.role = 'billing' AND company.billing_contact_id IS NULL)
         UNION SELECT contact.id FROM {BILLED}{LEFT} UNION SELECT contact.id FROM {TICKETS} ({ended}) AND {LEFT}) leaver"
    );
    c.kept_count(&["contact", "asset", "license", "license_seat", "company", "ticket"], &sql, &words)
}

/// These contacts as this caller may see them: by name, or by id for whoever may not see every name.
pub fn people(c: &mut Conn, ids: Vec<i64>, policy: &RedactionPolicy) -> Result<Vec<ContactView>> {
    let order = if policy.sees_all() { "contact.name_folded, contact.id" } else { "contact.id" };
    let sql = format!("SELECT {} FROM {} WHERE contact.id IN ids(?1) ORDER BY {order}", contacts::select(), contacts::FROM);
    c.map(&sql, params![ids], |row| Ok(contacts::view(row)?.redact(policy)))
}

/// Who could take over a role in a company: its active contacts, by name.
pub fn successors(c: &mut Conn, company: i64, policy: &RedactionPolicy) -> Result<Vec<(i64, String)>> {
    let sql =
        "SELECT contact.id, contact.name FROM @contact_companies place JOIN @contacts contact ON contact.id = place.contact_id
               WHERE place.company_id = ?1 AND contact.active = ?2 AND contact.retired_at IS NULL
               ORDER BY contact.name_folded, contact.id LIMIT 500";
    let found: Vec<(i64, String)> = c.map(sql, params![company, true], |row| Ok((row.get(0)?, row.get(1)?)))?;
    trail::names(c, found, policy)
}
