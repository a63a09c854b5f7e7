//! Everything about every company in one answer, from a fixed number of queries (contract §1.1.3).

use super::bulk_store;
use crate::assets::{AssetView, store as assets};
use crate::auth::Reader;
use crate::companies::{CompanyView, LocationView, store as companies};
use crate::compliance::Lens;
use crate::contacts::{ContactView, store as contacts};
use crate::db::Conn;
use crate::error::Result;
use crate::web::{Ask, Routes, Web, list};
use axum::{extract::State, response::Response};
use serde::Serialize;
use std::collections::HashMap;

/// Ledger's one request for an invoice run.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().get("/api/companies/bulk", index)
}

/// One company with everything that is billed.
#[derive(Debug, Serialize)]
struct Entry {
    company: CompanyView,
    assets: Vec<AssetView>,
    contacts: Vec<ContactView>,
    locations: Vec<LocationView>,
    /// Present only when it is asked for; tickets are not kept yet, so there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    tickets: Option<[(); 0]>,
}

async fn index(State(web): State<Web>, caller: Reader, ask: Ask) -> Result<Response> {
    let everybody = web.config.compat.include_inactive_contacts;
    let with_tickets = ask.query.get("include_tickets").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let entities = &["company", "contact", "asset", "location"];
    let lens = Lens::of(&caller, &web.config, &ask.query)?;
    list::value(&web, &caller.scope(), &lens.key(), &ask, entities, move |conn| entries(conn, everybody, with_tickets, &lens))
        .await
}

fn entries(conn: &mut Conn, everybody: bool, with_tickets: bool, lens: &Lens) -> Result<Vec<Entry>> {
    let companies_found = companies::all_views(conn)?;
    let mut assets = grouped(assets::of_companies(conn, None)?);
    let people = contacts::of_companies(conn, None)?;
    lens.disclose("contacts", people.iter().filter(|(_, contact)| contact.is_protected()).count());
    let people = people.into_iter().filter(|(_, contact)| everybody || contact.active);
    let mut contacts = grouped(people.map(|(company, contact)| (company, contact.through(lens))));
    let mut locations = grouped(bulk_store::locations(conn)?);
    let entries = companies_found.into_iter().map(|company| Entry {
        assets: assets.remove(&company.id).unwrap_or_default(),
        contacts: contacts.remove(&company.id).unwrap_or_default(),
        locations: locations.remove(&company.id).unwrap_or_default(),
        tickets: with_tickets.then_some([]),
        company: company.through(lens),
    });
    Ok(entries.collect())
}

fn grouped<T>(pairs: impl IntoIterator<Item = (i64, T)>) -> HashMap<i64, Vec<T>> {
    let mut groups: HashMap<i64, Vec<T>> = HashMap::new();
    for (company, item) in pairs {
        groups.entry(company).or_default().push(item);
    }
    groups
}
