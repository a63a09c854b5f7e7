//! What is counted of companies, read from the database.

use std::collections::HashMap;

use super::{
    counting::{Exclusion, Settings, Sheet, Thing},
    then::{Place, Then},
};
use crate::{
    assets::{Asset, AssetView, staleness, store as assets},
    companies::Company,
    compliance::{RedactionPolicy, Veiled},
    config::LifeDays,
    contacts::{Contact, ContactView, store as contacts},
    db::{Conn, Write},
    entity::Patch,
    error::{Error, Result},
    history::{self, Record as _},
    network::Equipment,
    params,
    tickets::Ticket,
};

/// Every company, retired ones too, by name.
pub fn companies(c: &mut Conn) -> Result<Vec<Company>> {
    let sql = format!("SELECT {} FROM @companies company ORDER BY company.name_folded, company.id", Company::SELECT);
    c.map(&sql, params![], |row| Company::from_row(row, 0))
}

/// How a company is counted.
pub fn settings(c: &mut Conn, company: i64) -> Result<Settings> {
    Ok(settings_of(c, vec![company])?.pop().unwrap_or_else(|| Settings::usual(company)))
}

/// How these companies are counted, as far as somebody has said it.
pub fn settings_of(c: &mut Conn, companies: Vec<i64>) -> Result<Vec<Settings>> {
    let sql = format!(
        "SELECT {} FROM @billing_settings billing_settings
         WHERE billing_settings.company_id IN ids(?1) AND billing_settings.retired_at IS NULL",
        Settings::SELECT
    );
    c.map(&sql, params![companies], |row| Settings::from_row(row, 0))
}

/// Says how a company is counted; whether anything is another one now.
///
/// # Errors
/// `Invalid` when a role counts and none is named, `NotFound` for a company that there is not, `PreconditionFailed`.
pub fn save_settings(w: &mut Write<'_>, company: i64, input: &Patch<Settings>, rev: Option<i64>) -> Result<bool> {
    history::get::<Company>(w, company)?;
    let before = settings(w, company)?;
    if rev.is_some_and(|rev| rev != before.rev) {
        return Err(Error::PreconditionFailed);
    }
    let mut wanted = before.clone();
    input.apply(&mut wanted)?;
    if wanted.count_contacts == "role" && wanted.contact_role.is_none() {
        return Err(Error::field("contact_role", "is required when contacts with a role are counted"));
    }
    if wanted == before {
        return Ok(false);
    }
    keep_settings(w, company, wanted).map(|()| true)
}

/// Counts a company by these settings from now on, whosever they were.
pub fn keep_settings(w: &mut Write<'_>, company: i64, settings: Settings) -> Result<()> {
    let wanted = Settings { company_id: company, ..settings };
    let Some(id) = stored_settings(w, company)? else { return history::create(w, &wanted, None).map(drop) };
    history::restore::<Settings>(w, id, None)?;
    history::update(w, id, None, None, |stored: &mut Settings| {
        let Settings { id, rev, created_at, updated_at, retired_at, .. } = stored.clone();
        *stored = Settings { id, rev, created_at, updated_at, retired_at, ..wanted };
        Ok(())
    })
    .map(drop)
}

/// The row of what was said of a company, also when that was taken back: it has one, for ever.
fn stored_settings(c: &mut Conn, company: i64) -> Result<Option<i64>> {
    let sql = "SELECT billing_settings.id FROM @billing_settings billing_settings WHERE billing_settings.company_id = ?1";
    c.first(sql, params![company])?.map(|row| row.get(0)).transpose()
}

/// What is left out of the bills of companies by hand.
pub fn exclusions(c: &mut Conn, companies: Vec<i64>) -> Result<Vec<Exclusion>> {
    let sql = format!(
        "SELECT {} FROM @billing_exclusions billing_exclusion
         WHERE billing_exclusion.company_id IN ids(?1) AND billing_exclusion.retired_at IS NULL ORDER BY billing_exclusion.id",
        Exclusion::SELECT
    );
    c.map(&sql, params![companies], |row| Exclusion::from_row(row, 0))
}

/// Everything that was ever left out by hand: which exclusion is about which record.
pub fn exclusions_ever(c: &mut Conn) -> Result<Vec<(i64, (String, i64))>> {
    let sql = "SELECT billing_exclusion.id, billing_exclusion.entity, billing_exclusion.entity_id FROM @billing_exclusions billing_exclusion";
    c.map(sql, params![], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))
}

/// The companies of which somebody has ever said how they are counted, and where that stands.
pub fn settings_ever(c: &mut Conn) -> Result<Vec<(i64, i64)>> {
    let sql = "SELECT billing_settings.company_id, billing_settings.id FROM @billing_settings billing_settings";
    c.map(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// What these contacts are called, as far as this caller may know.
pub fn names(c: &mut Conn, contacts: Vec<i64>, policy: &RedactionPolicy) -> Result<HashMap<i64, String>> {
    let sql = format!("SELECT {} FROM {} WHERE contact.id IN ids(?1)", contacts::select(), contacts::FROM);
    let found = c.map(&sql, params![contacts], contacts::view)?;
    Ok(found.into_iter().map(|contact| contact.redact(policy).row).map(|row| (row.id, row.name)).collect())
}

/// Leaves something out by hand, or says anew why; whether it is new.
///
/// # Errors
/// `Invalid` when it is nothing of this company.
pub fn exclude(w: &mut Write<'_>, company: i64, input: &Patch<Exclusion>) -> Result<(Exclusion, bool)> {
    history::get::<Company>(w, company)?;
    let wanted = input.made(|exclusion| exclusion.company_id = company)?;
    let sql = match wanted.entity.as_str() {
        Contact::ENTITY => "SELECT 1 FROM @contact_companies place WHERE place.company_id = ?1 AND place.contact_id = ?2",
        Asset::ENTITY => "SELECT 1 FROM @assets asset WHERE asset.company_id = ?1 AND asset.id = ?2",
        Equipment::ENTITY => "SELECT 1 FROM @network_equipment equipment WHERE equipment.company_id = ?1 AND equipment.id = ?2",
        Ticket::ENTITY => "SELECT 1 FROM @tickets ticket WHERE ticket.company_id = ?1 AND ticket.id = ?2",
        _ => return Err(Error::field("entity", "cannot be left out")),
    };
    if w.first(sql, params![company, wanted.entity_id])?.is_none() {
        return Err(Error::field("entity_id", format!("this company has no {} {}", wanted.entity, wanted.entity_id)));
    }
    let known = exclusions(w, vec![company])?;
    let known = known.into_iter().find(|known| known.entity == wanted.entity && known.entity_id == wanted.entity_id);
    match known {
        Some(known) => {
            let update = |stored: &mut Exclusion| {
                stored.reason.clone_from(&wanted.reason);
                Ok(())
            };
            history::update(w, known.id, None, None, update).map(|done| (done.record, false))
        }
        None => history::create(w, &wanted, None).map(|made| (made, true)),
    }
}

/// The contacts of companies at the end of the month, and those who are or have been theirs; named as far as that is asked for.
pub fn people(c: &mut Conn, then: &Then, companies: &[i64], names: Option<&RedactionPolicy>) -> Result<Vec<(i64, Thing)>> {
    let sql = format!(
        "SELECT {} FROM @contact_companies place
         JOIN @companies company ON company.id = place.company_id
         JOIN @contacts contact ON contact.id = place.contact_id
         WHERE place.company_id IN ids(?1) ORDER BY contact.id",
        contacts::select()
    );
    let mut found = Vec::new();
    for contact in c.map(&sql, params![companies.to_vec()], contacts::view)? {
        let company = contact.inside().place.company_id;
        let role = contact.inside().place.role.clone();
        found.extend(person(then, company, contact, Some(Place { role }), names)?.map(|thing| (company, thing)));
    }
    let moved = then.moved_contacts(companies);
    if !moved.is_empty() {
        let sql = format!("SELECT {} FROM {} WHERE contact.id IN ids(?1)", contacts::select(), contacts::FROM);
        for contact in c.map(&sql, params![moved], contacts::view)? {
            for company in then.companies_of_contact(contact.inside().row.id) {
                let is_there = found.iter().any(|(known, thing)| *known == company && thing.id == contact.inside().row.id);
                if companies.contains(&company) && !is_there {
                    found.extend(person(then, company, contact.clone(), None, names)?.map(|thing| (company, thing)));
                }
            }
        }
        found.sort_by_key(|(company, thing)| (*company, thing.id));
    }
    Ok(found)
}

fn person(
    then: &Then,
    company: i64,
    contact: Veiled<ContactView>,
    place: Option<Place>,
    names: Option<&RedactionPolicy>,
) -> Result<Option<Thing>> {
    let now = contact.inside().row.clone();
    let is_there = place.is_some();
    let (row, absent) = then.row(now, company)?;
    let had = then.place(row.id, company, place.clone());
    let absent = match (absent, &had) {
        (Some(why), _) => Some(why),
        (None, Some(_)) => None,
        (None, None) if is_there => Some("joined the company after the month".to_owned()),
        (None, None) => return Ok(None),
    };
    let card = [row.job_title.as_deref(), Some(row.employment_type.as_str())];
    Ok(Some(Thing {
        entity: Contact::ENTITY,
        id: row.id,
        card: card.into_iter().flatten().collect::<Vec<_>>().join(" "),
        name: names.map_or_else(String::new, |policy| contact.redact(policy).row.name),
        active: row.active,
        role: had.or(place).and_then(|place| place.role),
        absent,
        ..Thing::default()
    }))
}

/// The devices of companies at the end of the month, and those that are theirs now.
pub fn devices(c: &mut Conn, then: &Then, companies: &[i64], days: LifeDays) -> Result<Vec<(i64, Thing)>> {
    let moved = then.moved(&then.past, Asset::ENTITY, companies);
    let sql = format!(
        "SELECT {} FROM {} WHERE asset.company_id IN ids(?1) OR asset.id IN ids(?2) ORDER BY asset.hostname_folded, asset.id",
        assets::select(),
        assets::FROM
    );
    let mut found = Vec::new();
    for asset in c.map(&sql, params![companies.to_vec(), moved], assets::view)? {
        let AssetView { row, owner, seen, .. } = asset.inside();
        let life = staleness::label(&owner.basis, seen.last_seen.as_deref(), days);
        let archived = life.is_some_and(|(life, _)| life == "archived");
        for (company, row, absent) in then.places(row.clone(), |asset| asset.company_id, companies)? {
            // Its name tells of nobody; whatever else it has stays under the veil.
            let Asset { id, kind, hostname: name, backup_data_bytes: amount, .. } = row;
            found.push((company, Thing { entity: Asset::ENTITY, id, name, kind, archived, amount, absent, ..Thing::default() }));
        }
    }
    Ok(found)
}

/// The network equipment of companies at the end of the month, and what is theirs now.
pub fn gear(c: &mut Conn, then: &Then, companies: &[i64]) -> Result<Vec<(i64, Thing)>> {
    let moved = then.moved(&then.past, Equipment::ENTITY, companies);
    let sql = format!(
        "SELECT {} FROM @network_equipment equipment WHERE equipment.company_id IN ids(?1) OR equipment.id IN ids(?2)
         ORDER BY equipment.name, equipment.id",
        Equipment::SELECT
    );
    let mut found = Vec::new();
    for one in c.map(&sql, params![companies.to_vec(), moved], |row| Equipment::from_row(row, 0))? {
        for (company, row, absent) in then.places(one, |equipment| Some(equipment.company_id), companies)? {
            let Equipment { id, name, kind, .. } = row;
            found.push((company, Thing { entity: Equipment::ENTITY, id, name, kind, absent, ..Thing::default() }));
        }
    }
    Ok(found)
}

/// The tickets of companies that were last changed in the month.
pub fn tickets(c: &mut Conn, then: &Then, companies: &[i64]) -> Result<Vec<(i64, Thing)>> {
    let moved = then.moved(&then.tickets, Ticket::ENTITY, companies);
    let sql = "SELECT ticket.id, ticket.company_id, ticket.ticket_number, ticket.minutes_spent, ticket.status, ticket.retired_at,
                   ticket.time_known, ticket.last_updated_at
               FROM @tickets ticket
               WHERE (ticket.company_id IN ids(?1) OR ticket.id IN ids(?2)) AND ticket.last_updated_at >= ?3
               ORDER BY ticket.external_id, ticket.id";
    let mut found = Vec::new();
    let read = |row: crate::db::Row| {
        let ticket = Ticket {
            id: row.get(0)?,
            company_id: row.get(1)?,
            ticket_number: row.get(2)?,
            minutes_spent: row.get(3)?,
            status: row.get(4)?,
            retired_at: row.get(5)?,
            time_known: row.get(6)?,
            last_updated_at: row.get(7)?,
            ..Ticket::default()
        };
        if let Some((ticket, before)) = then.ticket(ticket)?
            && let Some(company) = ticket.company_id.filter(|company| companies.contains(company))
        {
            found.push((company, worked(then, &ticket, before.as_ref())));
        }
        Ok(())
    };
    c.each(sql, params![companies.to_vec(), moved, then.month.start()], read)?;
    Ok(found)
}

fn worked(then: &Then, ticket: &Ticket, before: Option<&Ticket>) -> Thing {
    let is_closed = |ticket: &Ticket| matches!(ticket.status.as_str(), "closed" | "resolved");
    let sheet = Sheet {
        is_read: ticket.time_known,
        is_closed: is_closed(ticket),
        earlier: before.map_or(0, |before| before.minutes_spent),
        was_closed: before.is_some_and(|before| is_closed(before) && before.time_known && before.minutes_spent == 0),
    };
    Thing {
        entity: Ticket::ENTITY,
        id: ticket.id,
        name: format!("Ticket {}", ticket.ticket_number),
        amount: ticket.minutes_spent,
        absent: then.retired(ticket.retired_at.as_deref()),
        sheet,
        ..Thing::default()
    }
}
