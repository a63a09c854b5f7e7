//! Storing a page of tickets as the vendor told them, and saying what that would change.

use std::collections::HashMap;

use super::{SYSTEM, details_store, record::Record, sightings_store};
use crate::{
    db::{Conn, Write},
    error::Result,
    history::{self, Record as _, pins},
    plan::{Action, FieldChange, Item, Kind},
    reconcile::{
        rows_store::retired_by_hand,
        ticket_losses_store::{self, Loss},
    },
    tickets::{Ticket, store},
    types::now,
};

/// What a page came to.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// New rows.
    pub created: u64,
    /// Rows of which something changed.
    pub updated: u64,
    /// Tombstones that came back.
    pub restored: u64,
    /// Rows that are as told.
    pub unchanged: u64,
    /// Rows of which somebody has pinned what the vendor says otherwise.
    pub pinned: u64,
    /// Tombstones that a person made, which stay.
    pub kept_retired: u64,
    /// Rows whose conversations and time sheet have to be read.
    pub queued: u64,
    /// Numbers that the vendor shows as deleted or as spam.
    pub gone: Vec<i64>,
    /// For a dry run, what would be done.
    pub items: Vec<Item>,
    /// For a dry run, what tickets would lose.
    pub losses: Vec<Loss>,
}

/// Our companies by the vendor's departments, as far as this page names them.
fn companies(c: &mut Conn, records: &[Record]) -> Result<HashMap<i64, i64>> {
    let mut found = HashMap::new();
    for department in records.iter().filter_map(|record| record.department().flatten()) {
        if found.contains_key(&department) {
            continue;
        }
        if let Some(company) = store::company_of_department(c, SYSTEM, department)? {
            found.insert(department, company);
        }
    }
    Ok(found)
}

/// Where the vendor shows a ticket.
#[must_use]
pub fn vendor_link(base: &str, ticket: i64) -> String {
    format!("{}/a/tickets/{ticket}", base.trim_end_matches('/'))
}

/// Stores the records of a page. `base` is the address of the vendor's pages.
pub fn keep(w: &mut Write<'_>, records: &[Record], listing: i64, base: Option<&str>) -> Result<Page> {
    let companies = companies(w, records)?;
    let mut known = store::by_external_ids(w, SYSTEM, records.iter().map(|record| record.id).collect())?;
    let mut page = Page::default();
    for record in records {
        if record.gone.is_some() {
            page.gone.push(record.id);
            continue;
        }
        let company = record.department().flatten().and_then(|department| companies.get(&department)).copied();
        let (ticket, read) = match known.remove(&record.id) {
            None => {
                let mut ticket = record.blank(&now());
                record.apply(&mut ticket, company);
                page.created += 1;
                (history::create(w, &ticket, Some("new in Freshservice"))?, None)
            }
            Some((ticket, seen)) => {
                if ticket.retired_at.is_some() {
                    if retired_by_hand(w, Ticket::ENTITY, Some(&[ticket.id]))?.contains(&ticket.id) {
                        page.kept_retired += 1;
                        continue;
                    }
                    history::restore::<Ticket>(w, ticket.id, Some("listed in Freshservice again"))?;
                }
                let was_retired = ticket.retired_at.is_some();
                let mut wanted = ticket.clone();
                record.apply(&mut wanted, company);
                let lost = ticket_losses_store::put_aside(w, &ticket, &mut wanted)?;
                let lost = without_pinned(w, ticket.id, lost)?;
                ticket_losses_store::note(w, ticket.id, &lost)?;
                let updated = history::update(w, ticket.id, None, Some("updated in Freshservice"), |ticket: &mut Ticket| {
                    record.apply(ticket, company);
                    // What is put aside stays as it is until the whole run is known.
                    (ticket.company_id, ticket.department_id) = (wanted.company_id, wanted.department_id);
                    ticket.requester_id = wanted.requester_id;
                    ticket.requester_name.clone_from(&wanted.requester_name);
                    ticket.requester_email.clone_from(&wanted.requester_email);
                    Ok(())
                })?;
                page.pinned += u64::from(!updated.kept_pins.is_empty());
                match (was_retired, updated.changed.is_empty()) {
                    (true, _) => page.restored += 1,
                    (false, false) => page.updated += 1,
                    (false, true) => page.unchanged += 1,
                }
                (updated.record, seen.detail_synced_at)
            }
        };
        if record.has_words() {
            let stored = words(w, ticket.id)?;
            let (html, plain) = record.words(stored, base.map(|base| vendor_link(base, record.id)).as_deref());
            store::set_text(w, ticket.id, html.as_deref(), plain.as_deref())?;
        }
        sightings_store::met(w, ticket.id, listing)?;
        page.queued += u64::from(details_store::enqueue(w, &ticket, read.as_deref(), record.has_stats)?);
    }
    Ok(page)
}

/// What a person has pinned is not lost.
fn without_pinned(c: &mut Conn, ticket: i64, mut fields: Vec<FieldChange>) -> Result<Vec<FieldChange>> {
    if !fields.is_empty() {
        let pinned = pins::fields(c, Ticket::ENTITY, ticket)?;
        fields.retain(|change| !pinned.contains(&change.field));
    }
    Ok(fields)
}

/// What is stored of a ticket at length.
fn words(c: &mut Conn, ticket_id: i64) -> Result<(Option<String>, Option<String>)> {
    let sql = "SELECT words.description, words.description_text FROM @ticket_texts words WHERE words.ticket_id = ?1";
    match c.first(sql, &[ticket_id.into()])? {
        Some(row) => Ok((row.get(0)?, row.get(1)?)),
        None => Ok((None, None)),
    }
}

/// What [`keep`] would do, without doing it.
pub fn compare(c: &mut Conn, records: &[Record]) -> Result<Page> {
    let companies = companies(c, records)?;
    let mut known = store::by_external_ids(c, SYSTEM, records.iter().map(|record| record.id).collect())?;
    let mut page = Page::default();
    for record in records {
        if record.gone.is_some() {
            page.gone.push(record.id);
            continue;
        }
        let company = record.department().flatten().and_then(|department| companies.get(&department)).copied();
        let Some((before, _)) = known.remove(&record.id) else {
            page.created += 1;
            page.items.push(item(record, Action::Create, "new in Freshservice"));
            continue;
        };
        if before.retired_at.is_some() {
            if retired_by_hand(c, Ticket::ENTITY, Some(&[before.id]))?.contains(&before.id) {
                page.kept_retired += 1;
            } else {
                page.restored += 1;
                page.items.push(of(item(record, Action::Restore, "listed in Freshservice again"), &before));
            }
            continue;
        }
        let mut after = before.clone();
        record.apply(&mut after, company);
        let pinned = pins::fields(c, Ticket::ENTITY, before.id)?;
        let mut kept = after.clone();
        let mut lost = ticket_losses_store::put_aside(c, &before, &mut kept)?;
        lost.retain(|change| !pinned.contains(&change.field));
        if !lost.is_empty() {
            let (ticket_id, external_id, subject) = (before.id, before.external_id, before.subject.clone());
            page.losses.push(Loss { ticket_id, external_id, subject, fields: lost });
        }
        let mut fields = differences(&before, &after);
        let all = fields.len();
        fields.retain(|change| !pinned.contains(&change.field));
        page.pinned += u64::from(fields.len() < all);
        if fields.is_empty() {
            page.unchanged += 1;
            continue;
        }
        page.updated += 1;
        let mut item = of(item(record, Action::Update, "updated in Freshservice"), &before);
        item.fields = fields;
        page.items.push(item);
    }
    Ok(page)
}

fn differences(before: &Ticket, after: &Ticket) -> Vec<FieldChange> {
    let pairs = Ticket::COLUMNS.iter().zip(before.values().into_iter().zip(after.values()));
    pairs
        .filter(|(_, (from, to))| from != to)
        .map(|(field, (from, to))| FieldChange::new(*field, from.to_json(), to.to_json()))
        .collect()
}

fn item(record: &Record, action: Action, why: &str) -> Item {
    Item::new(Kind::Ticket, action, &record.label(), why).from_vendor(&record.id.to_string())
}

fn of(mut item: Item, ticket: &Ticket) -> Item {
    (item.entity_id, item.rev) = (Some(ticket.id), Some(ticket.rev));
    item
}
