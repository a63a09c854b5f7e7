//! Everything about every company in one answer (contract §1.1.3): from a handful of queries for each twenty companies,
//! as long as those have little. Of a company that has much, each row is written as it is read.

use std::{collections::HashMap, io::Write as _};

use axum::{extract::State, response::Response};
use serde::Serialize;

use super::bulk_store;
use crate::web::openapi::schema as json;
use crate::{
    assets::{AssetView, AssetViewContext, store as assets},
    auth::Reader,
    companies::{CompanyView, Location, store as companies},
    contacts::{ContactView, store as contacts},
    db::Conn,
    error::Result,
    tickets::{
        api as tickets,
        store::{self as ticket_rows, TicketSize},
        views::CompanyTicket,
    },
    web::{
        ReadRequest, Routes, Web, list,
        text::{self, Array, Writer},
    },
};

/// How many companies are read at once, and how many rows of each kind they have together.
const AT_ONCE: usize = 20;
const ROWS: i64 = 2_000;

/// Ledger's one request for an invoice run.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/companies/bulk", index)
        .tells("Read everything about every company", json::list::<Entry<'static>>)
        .asks(&[("include_tickets", "boolean", "Tickets too."), ("year", "loose", "Of the tickets, those of one year.")])
}

/// One company with everything that is billed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = BulkEntry)]
struct Entry<'a> {
    company: &'a CompanyView,
    assets: Vec<AssetView>,
    contacts: Vec<ContactView>,
    locations: Vec<Location>,
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
    view_context: AssetViewContext,
}

impl Wish {
    fn bills(&self, asset: &AssetView) -> bool {
        self.archived || asset.life != Some("archived")
    }
}

async fn index(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let wish = Wish {
        everybody: web.config.compat.include_inactive_contacts,
        with_tickets: request.query.get("include_tickets").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        archived: !web.config.assets.archived_leave_billing,
        view_context: AssetViewContext::of(&caller, &web.config, &request.query)?,
        year: tickets::year(&request),
        colleague: caller.is_staff(),
    };
    let entities: &[&str] = if wish.with_tickets {
        &["company", "contact", "asset", "location", "ticket", "psa_agent", "billing_plan"]
    } else {
        &["company", "contact", "asset", "location", "billing_plan"]
    };
    let variant = format!("{}|{}|{:?}|{}", wish.view_context.key(), wish.with_tickets, wish.year, wish.colleague);
    list::json(&web, &caller.scope(), &variant, &request, entities, move |conn, to| everything(conn, &wish, to)).await
}

/// The answer as text, made some rows at a time: all rows at once would take several times its memory.
fn everything(conn: &mut Conn, wish: &Wish, to: &mut Writer) -> Result<()> {
    let companies = companies::all_views(conn)?.into_iter().map(|company| company.redact(&wish.view_context.policy));
    let companies: Vec<CompanyView> = companies.collect();
    let mut entries = Array::begin(to)?;
    for some in companies.chunks(AT_ONCE) {
        let ids = some.iter().map(|company| company.row.id).collect();
        let sizes = if wish.with_tickets { ticket_rows::sizes_of_companies(conn, ids, wish.year)? } else { Vec::new() };
        let sizes = grouped(sizes.into_iter().map(|ticket| (ticket.company_id, ticket)));
        write(conn, some, &sizes, wish, &mut entries)?;
    }
    entries.end().map(drop)
}

/// The tickets of companies, the newest first, before they are read.
type Tickets = HashMap<i64, Vec<TicketSize>>;

/// Writes some companies: together when they have little, else in halves.
fn write(conn: &mut Conn, some: &[CompanyView], sizes: &Tickets, wish: &Wish, to: &mut Array<'_>) -> Result<()> {
    match (together(conn, some, sizes, wish)?, some) {
        (Some(entries), _) => entries.iter().try_for_each(|entry| to.push(entry)),
        (None, [company]) => alone(conn, company, sizes, wish, to.element()?),
        (None, _) => {
            let (some, others) = some.split_at(some.len() / 2);
            write(conn, some, sizes, wish, to)?;
            write(conn, others, sizes, wish, to)
        }
    }
}

/// What these companies have, unless it is much.
fn together<'a>(conn: &mut Conn, some: &'a [CompanyView], sizes: &Tickets, wish: &Wish) -> Result<Option<Vec<Entry<'a>>>> {
    let policy = &wish.view_context.policy;
    let ids: Vec<i64> = some.iter().map(|company| company.row.id).collect();
    let sizes: Vec<TicketSize> = ids.iter().filter_map(|id| sizes.get(id)).flatten().copied().collect();
    if tickets::total_size(&sizes) > tickets::AT_ONCE || !bulk_store::have_few(conn, ids.clone(), ROWS)? {
        return Ok(None);
    }
    let people = contacts::of_companies(conn, ids.clone())?;
    let people = people.into_iter().filter(|(_, contact)| wish.everybody || contact.inside().row.active);
    let mut contacts = grouped(people.map(|(company, contact)| (company, contact.redact(policy))));
    contacts.values_mut().for_each(|people| ContactView::order(people, policy));
    let devices = assets::of_companies(conn, ids.clone())?;
    let devices = devices.into_iter().map(|(company, asset)| (company, asset.redact(&wish.view_context)));
    let mut assets = grouped(devices.filter(|(_, asset)| wish.bills(asset)));
    let mut threads = grouped(tickets::read_with_threads(conn, &sizes, policy, wish.colleague)?);
    let mut locations = grouped(bulk_store::locations(conn, ids)?);
    let entries = some.iter().map(|company| Entry {
        assets: assets.remove(&company.row.id).unwrap_or_default(),
        contacts: contacts.remove(&company.row.id).unwrap_or_default(),
        locations: locations.remove(&company.row.id).unwrap_or_default(),
        tickets: wish.with_tickets.then(|| threads.remove(&company.row.id).unwrap_or_default()),
        company,
    });
    Ok(Some(entries.collect()))
}

/// Writes one company that has much, as an [`Entry`] would be, row by row.
fn alone(conn: &mut Conn, company: &CompanyView, sizes: &Tickets, wish: &Wish, to: &mut Writer) -> Result<()> {
    let policy = &wish.view_context.policy;
    to.write_all(b"{\"company\":").map_err(text::failure)?;
    serde_json::to_writer(&mut *to, company).map_err(text::failure)?;
    let mut rows = member(to, "assets")?;
    assets::each_of_company(conn, company.row.id, |asset| {
        let asset = asset.redact(&wish.view_context);
        if wish.bills(&asset) { rows.push(&asset) } else { Ok(()) }
    })?;
    rows.end()?;
    let mut rows = member(to, "contacts")?;
    // The order of names first, then those whose names the caller may not see.
    for is_named in [true, false] {
        contacts::each_of_company(conn, company.row.id, is_named, |contact| {
            let is_wanted = wish.everybody || contact.inside().row.active;
            let contact = contact.redact(policy);
            if is_wanted && contact.is_named(policy) == is_named { rows.push(&contact) } else { Ok(()) }
        })?;
    }
    rows.end()?;
    let mut rows = member(to, "locations")?;
    bulk_store::locations(conn, vec![company.row.id])?.iter().try_for_each(|(_, location)| rows.push(location))?;
    rows.end()?;
    if wish.with_tickets {
        let sizes = sizes.get(&company.row.id).map_or(&[][..], Vec::as_slice);
        let mut rows = member(to, "tickets")?;
        tickets::each_with_thread(conn, sizes, policy, wish.colleague, |ticket| rows.push(&ticket))?;
        rows.end()?;
    }
    to.write_all(b"}").map_err(text::failure)
}

/// The next member of an object, which is an array.
fn member<'a>(to: &'a mut Writer, name: &str) -> Result<Array<'a>> {
    write!(to, ",\"{name}\":").map_err(text::failure)?;
    Array::begin(to)
}

fn grouped<T>(pairs: impl IntoIterator<Item = (i64, T)>) -> HashMap<i64, Vec<T>> {
    let mut groups: HashMap<i64, Vec<T>> = HashMap::new();
    for (company, item) in pairs {
        groups.entry(company).or_default().push(item);
    }
    groups
}
