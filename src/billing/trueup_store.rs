//! What is counted of a company, read from the database.

use super::counting::{Exclusion, Month, Settings, Thing};
use crate::{
    assets::{Asset, AssetViewContext, store as assets},
    companies::Company,
    compliance::RedactionPolicy,
    contacts::{Contact, store as contacts},
    db::{Conn, Write},
    entity::Patch,
    error::{Error, Result},
    history::{self, Record as _},
    network::Equipment,
    params,
    tickets::Ticket,
};

/// How a company is counted.
pub fn settings(c: &mut Conn, company: i64) -> Result<Settings> {
    let sql =
        format!("SELECT {} FROM @billing_settings billing_settings WHERE billing_settings.company_id = ?1", Settings::SELECT);
    let found = c.first(&sql, params![company])?.map(|row| Settings::from_row(&row, 0)).transpose()?;
    Ok(found.unwrap_or_else(|| Settings::usual(company)))
}

/// Says how a company is counted.
///
/// # Errors
/// `Invalid` when a role counts and none is named, `NotFound` for a company that there is not.
pub fn save_settings(w: &mut Write<'_>, company: i64, input: &Patch<Settings>) -> Result<Settings> {
    history::get::<Company>(w, company)?;
    let before = settings(w, company)?;
    let mut wanted = before.clone();
    input.apply(&mut wanted)?;
    if wanted.count_contacts == "role" && wanted.contact_role.is_none() {
        return Err(Error::field("contact_role", "is required when contacts with a role are counted"));
    }
    if before.id == 0 {
        return if wanted == before { Ok(before) } else { history::create(w, &wanted, None) };
    }
    history::update(w, before.id, None, None, |stored| {
        *stored = wanted;
        Ok(())
    })
    .map(|done| done.record)
}

/// What is left out of a company's bill by hand.
pub fn exclusions(c: &mut Conn, company: i64) -> Result<Vec<Exclusion>> {
    let sql = format!(
        "SELECT {} FROM @billing_exclusions billing_exclusion
         WHERE billing_exclusion.company_id = ?1 AND billing_exclusion.retired_at IS NULL ORDER BY billing_exclusion.id",
        Exclusion::SELECT
    );
    c.map(&sql, params![company], |row| Exclusion::from_row(row, 0))
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
    let known = exclusions(w, company)?;
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

/// The contacts of a company, retired ones too.
pub fn people(c: &mut Conn, company: i64, policy: &RedactionPolicy) -> Result<Vec<Thing>> {
    let sql = format!(
        "SELECT {} FROM @contact_companies place
         JOIN @companies company ON company.id = place.company_id
         JOIN @contacts contact ON contact.id = place.contact_id
         WHERE place.company_id = ?1 ORDER BY contact.id",
        contacts::select()
    );
    let found = c.map(&sql, params![company], contacts::view)?;
    let thing = |contact: crate::compliance::Veiled<crate::contacts::ContactView>| {
        let card = [contact.inside().row.job_title.as_deref(), Some(contact.inside().row.employment_type.as_str())];
        let card = card.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let contact = contact.redact(policy);
        Thing {
            entity: Contact::ENTITY,
            id: contact.row.id,
            name: contact.row.name.clone(),
            since: contact.row.created_at.clone(),
            retired_at: contact.row.retired_at.clone(),
            active: contact.row.active,
            role: contact.place.role.clone(),
            card,
            ..Thing::default()
        }
    };
    Ok(found.into_iter().map(thing).collect())
}

/// The devices of a company, retired ones too.
pub fn devices(c: &mut Conn, company: i64, view_context: &AssetViewContext) -> Result<Vec<Thing>> {
    let sql = format!(
        "SELECT {} FROM {} WHERE asset.company_id = ?1 ORDER BY asset.hostname_folded, asset.id",
        assets::select(),
        assets::FROM
    );
    let found = c.map(&sql, params![company], assets::view)?;
    let thing = |asset: crate::compliance::Veiled<crate::assets::AssetView>| {
        let asset = asset.redact(view_context);
        Thing {
            entity: Asset::ENTITY,
            id: asset.row.id,
            name: asset.row.hostname.clone(),
            kind: asset.row.kind.clone(),
            since: asset.row.created_at.clone(),
            retired_at: asset.row.retired_at.clone(),
            archived: asset.life == Some("archived"),
            amount: asset.row.backup_data_bytes,
            ..Thing::default()
        }
    };
    Ok(found.into_iter().map(thing).collect())
}

/// The network equipment of a company, retired too.
pub fn gear(c: &mut Conn, company: i64) -> Result<Vec<Thing>> {
    let sql = "SELECT equipment.id, equipment.name, equipment.kind, equipment.created_at, equipment.retired_at
               FROM @network_equipment equipment WHERE equipment.company_id = ?1 ORDER BY equipment.name, equipment.id";
    c.map(sql, params![company], |row| {
        Ok(Thing {
            entity: Equipment::ENTITY,
            id: row.get(0)?,
            name: row.get(1)?,
            kind: row.get(2)?,
            since: row.get(3)?,
            retired_at: row.get(4)?,
            ..Thing::default()
        })
    })
}

/// The tickets of a company that were last changed in a month.
pub fn tickets(c: &mut Conn, company: i64, month: &Month) -> Result<Vec<Thing>> {
    let sql = "SELECT ticket.id, ticket.ticket_number, ticket.minutes_spent, ticket.status, ticket.retired_at
               FROM @tickets ticket
               WHERE ticket.company_id = ?1 AND ticket.last_updated_at >= ?2 AND ticket.last_updated_at < ?3
               ORDER BY ticket.external_id, ticket.id";
    c.map(sql, params![company, month.as_str(), format!("{}~", month.as_str())], |row| {
        let (number, status): (String, String) = (row.get(1)?, row.get(3)?);
        Ok(Thing {
            entity: Ticket::ENTITY,
            id: row.get(0)?,
            name: format!("Ticket {number}"),
            amount: row.get(2)?,
            closed: matches!(status.as_str(), "closed" | "resolved"),
            retired_at: row.get(4)?,
            ..Thing::default()
        })
    })
}
