//! Everything about every company in one answer, from a handful of queries for each twenty (contract §1.1.3).

use super::bulk_store;
use crate::assets::{AssetView, Eyes, store as assets};
use crate::auth::Reader;
use crate::companies::{CompanyView, LocationView, store as companies};
use crate::compliance::Veiled;
use crate::contacts::{ContactView, store as contacts};
use crate::db::Conn;
use crate::error::Result;
use crate::tickets::{api as tickets, views::CompanyTicket};
use crate::web::{
    Ask, Routes, Web, list,
    text::{self, Writer},
};
use axum::{extract::State, response::Response};
use serde::Serialize;
use std::{collections::HashMap, io::Write as _};

/// How many companies are read at once.
const AT_ONCE: usize = 20;

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
    /// Present only when it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    tickets: Option<Vec<CompanyTicket>>,
}

/// What a request for everything asks for.
struct Wish {
    /// Inactive contacts too.
    everybody: bool,
    with_tickets: bool,
    /// Archived assets too.
    archived: bool,
    /// Of the tickets, those of one year.
    year: Option<i64>,
    /// Notes among colleagues too.
    colleague: bool,
    eyes: Eyes,
}

async fn index(State(web): State<Web>, caller: Reader, ask: Ask) -> Result<Response> {
    let wish = Wish {
        everybody: web.config.compat.include_inactive_contacts,
        with_tickets: ask.query.get("include_tickets").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        archived: !web.config.assets.archived_leave_billing,
        eyes: Eyes::of(&caller, &web.config, &ask.query)?,
        year: tickets::year(&ask),
        colleague: caller.is_staff(),
    };
    let entities: &[&str] = if wish.with_tickets {
        &["company", "contact", "asset", "location", "ticket", "psa_agent"]
    } else {
        &["company", "contact", "asset", "location"]
    };
    let variant = format!("{}|{}|{:?}|{}", wish.eyes.key(), wish.with_tickets, wish.year, wish.colleague);
    list::json(&web, &caller.scope(), &variant, &ask, entities, move |conn, to| everything(conn, &wish, to)).await
}

/// The answer as text, made some companies at a time: all rows at once would take several times its memory.
fn everything(conn: &mut Conn, wish: &Wish, to: &mut Writer) -> Result<()> {
    let mut companies = companies::all_views(conn)?.into_iter().peekable();
    let mut before = "[";
    while companies.peek().is_some() {
        for entry in entries(conn, companies.by_ref().take(AT_ONCE).collect(), wish)? {
            to.write_all(before.as_bytes()).map_err(text::failure)?;
            serde_json::to_writer(&mut *to, &entry).map_err(text::failure)?;
            before = ",";
        }
    }
    to.write_all(if before == "[" { b"[]" } else { b"]" }).map_err(text::failure)
}

fn entries(conn: &mut Conn, some: Vec<Veiled<CompanyView>>, wish: &Wish) -> Result<Vec<Entry>> {
    let lens = &wish.eyes.lens;
    let some: Vec<CompanyView> = some.into_iter().map(|company| company.through(lens)).collect();
    let ids: Vec<i64> = some.iter().map(|company| company.id).collect();
    let people = contacts::of_companies(conn, ids.clone())?;
    let people = people.into_iter().filter(|(_, contact)| wish.everybody || contact.inside().active);
    let mut contacts = grouped(people.map(|(company, contact)| (company, contact.through(lens))));
    contacts.values_mut().for_each(|people| ContactView::order(people, lens));
    let devices = assets::of_companies(conn, ids.clone())?;
    let devices = devices.into_iter().map(|(company, asset)| (company, asset.through(&wish.eyes)));
    let mut assets = grouped(devices.filter(|(_, asset)| wish.archived || asset.life != Some("archived")));
    let mut talked = if wish.with_tickets {
        grouped(tickets::of_companies(conn, ids.clone(), wish.year, lens, wish.colleague)?)
    } else {
        HashMap::new()
    };
    let mut locations = grouped(bulk_store::locations(conn, ids)?);
    let entries = some.into_iter().map(|company| Entry {
        assets: assets.remove(&company.id).unwrap_or_default(),
        contacts: contacts.remove(&company.id).unwrap_or_default(),
        locations: locations.remove(&company.id).unwrap_or_default(),
        tickets: wish.with_tickets.then(|| talked.remove(&company.id).unwrap_or_default()),
        company,
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
