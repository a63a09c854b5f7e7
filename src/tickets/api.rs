//! Tickets as JSON (contract §1.1.9, §1.6); one ticket, which may have to be fetched, is in `single`.

use axum::{extract::State, response::Response};

use super::change::ChangeView;
use super::{
    Ticket,
    active::Board,
    change_store,
    codes::SOURCE,
    list_store::{self, ENTITIES, Filters, LIST},
    messages_store, statuses_store,
    store::{self, TicketSize},
    views::{CompanyTicket, ListedTicket, Thread, TicketDetail, VendorTicket},
};
use serde_json::Value;

use crate::web::openapi::{Schemas, schema as json};
use crate::{
    auth::Reader,
    companies::{Companies, store as companies},
    compliance::RedactionPolicy,
    config::Config,
    db::{Conn, list::Slice},
    entity::Shaped as _,
    error::Result,
    resource::{as_of, merged},
    web::{Path, ReadRequest, Routes, Web, list},
};

/// How many tickets a list has when nothing is asked.
const LIMIT: i64 = 50;
/// How many it has at most for callers who know our parameters. Those of old ask for all at once.
const MOST: i64 = 500;

/// What can be asked about tickets here.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/tickets", index)
        .tells("List tickets", tickets_answer)
        .asks(&[
            ("contact_id", "count", "Those that this contact asked for."),
            ("asset_id", "count", "Those that somebody asked for to whom this asset is assigned."),
            as_of::PARAMETER,
        ])
        .get("/api/tickets/active", active)
        .tells("Group the active tickets as boards show them", json::one::<Board>)
        .get("/api/companies/{acct}/tickets", of_company)
        .tells("List the tickets of a company", json::list::<CompanyTicket>)
        .answers(307, merged::WHEN, merged::described)
        .asks(&[("year", "loose", "Those opened or changed in this year alone.")])
        .get("/api/freshservice/tickets", of_vendor)
        .tells("List tickets with the names of company and requester", json::list::<VendorTicket>)
        .get("/api/change_requests", changes)
        .tells("List change requests", json::list::<ChangeView>)
        .get("/api/change_requests/{id}", change)
        .tells("Read a change request", json::one::<ChangeView>)
        .merge(super::psa_api::routes())
        .merge(super::hooks::routes())
}

/// What part of a list is asked for, loosely, as old clients do it; without a number, so many.
pub(super) fn part(request: &ReadRequest, usual: i64) -> Result<Slice> {
    let paged = request.query.text("page")?.is_some() || request.query.text("per_page")?.is_some();
    let asked = if paged { request.list(&LIST)?.slice() } else { None };
    let limit = request.query.int_or("limit", usual);
    let offset = request.query.int_or("offset", 0).max(0);
    let slice = asked.unwrap_or(Slice { limit: if limit < 0 { usual } else { limit }, offset });
    let shaped = request.query.text("fields")?.is_some() || request.query.is_on("envelope")?;
    let old = !paged && !shaped && request.list(&LIST)?.is_plain();
    Ok(if old || request.wants_csv()? { slice } else { at_most(slice) })
}

/// A part of a size that somebody may ask for who knows our parameters.
pub(super) fn at_most(slice: Slice) -> Slice {
    Slice { limit: slice.limit.min(MOST), ..slice }
}

/// What tells the answers to two callers of one scope apart.
pub(super) fn variant(caller: &Reader, policy: &RedactionPolicy, filters: &Filters) -> String {
    format!("{}|{}|{}", policy.key(), caller.is_staff(), filters.key())
}

/// `GET /api/tickets`: an object, not an array; CSV on request.
async fn index(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    if let Some(was) = as_of::list::<Ticket>(&web, &caller, &request, &LIST, None).await? {
        return Ok(was);
    }
    let query = request.list(&LIST)?;
    let filters = Filters::read(&request.query)?;
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let (variant, configured) = (variant(&caller, &policy, &filters), web.config.freshservice.statuses.clone());
    let load = move |conn: &mut Conn, query: &_, rows: &mut list::Rows| {
        list_store::each(conn, query, &filters, &policy, &configured, |ticket| rows.push(&ticket))
    };
    if request.wants_csv()? {
        return list::respond(&web, &caller.scope(), &variant, &request, query, load).await;
    }
    if request.query.is_on("envelope")? {
        let slice = query.slice().map(at_most);
        return list::respond(&web, &caller.scope(), &variant, &request, query.with_slice(slice), load).await;
    }
    let query = query.with_slice(Some(part(&request, LIMIT)?));
    list::respond_named(&web, &caller.scope(), &variant, &request, query, "tickets", load).await
}

/// What the list of tickets answers.
fn tickets_answer(schemas: &mut Schemas) -> Value {
    let counts = ["count", "total", "offset", "limit"].map(|name| (name, json::int()));
    let tickets = ("tickets", json::list::<ListedTicket>(schemas));
    json::object(&std::iter::once(tickets).chain(counts).collect::<Vec<_>>())
}

/// `GET /api/tickets/active`: the board, which changes with the clock: what it says of that is a quarter of a minute old at most.
async fn active(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let number = |name: &str| request.query.get(name).and_then(|text| text.trim().parse::<i64>().ok());
    let (group, responder) = (number("group_id"), number("responder_id"));
    let configured = web.config.freshservice.statuses.clone();
    let variant = format!("{}|{group:?}|{responder:?}", variant(&caller, &policy, &Filters::default()));
    list::of_this_quarter_minute(&web, &caller.scope(), &variant, &request, ENTITIES, move |conn| {
        let statuses = statuses_store::load(conn, SOURCE, &configured)?;
        let now = jiff::Timestamp::now();
        let mut board = Board::new(list_store::last_sync(conn)?, now);
        store::active(conn, group, responder, |view| {
            board.add(view.redact(&policy), &statuses, now);
            Ok(())
        })?;
        Ok(board.sorted())
    })
    .await
}

/// `GET /api/companies/{acct}/tickets?year=`: a plain array, whole.
async fn of_company(State(web): State<Web>, caller: Reader, Path(acct): Path<String>, request: ReadRequest) -> Result<Response> {
    if let Some(elsewhere) = merged::part::<Companies>(&web, &caller, &acct, &request).await? {
        return Ok(elsewhere);
    }
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let variant = variant(&caller, &policy, &Filters::default());
    let (colleague, year) = (caller.is_staff(), year(&request));
    list::array(&web, &caller.scope(), &variant, &request, ENTITIES, move |conn, tickets| {
        let company = companies::id_of(conn, &acct)?;
        let sizes = store::sizes_of_companies(conn, vec![company], year)?;
        each_with_thread(conn, &sizes, &policy, colleague, |ticket| tickets.push(&ticket))
    })
    .await
}

/// The year that is asked for; what is none counts as not asked.
#[must_use]
pub fn year(request: &ReadRequest) -> Option<i64> {
    request.query.get("year").and_then(|text| text.trim().parse().ok())
}

/// What a ticket takes in memory beside its texts, more or less.
const BARE: i64 = 1024;
/// The bytes of tickets that are read at once.
pub const AT_ONCE: i64 = 4 * 1024 * 1024;

/// How many bytes these tickets take.
#[must_use]
pub fn total_size(tickets: &[TicketSize]) -> i64 {
    tickets.iter().map(|ticket| BARE + ticket.bytes).sum()
}

/// These tickets with their messages, as (company id, ticket), all at once.
pub fn read_with_threads(
    conn: &mut Conn,
    tickets: &[TicketSize],
    policy: &RedactionPolicy,
    colleague: bool,
) -> Result<Vec<(i64, CompanyTicket)>> {
    let views = store::of_ids(conn, tickets.iter().map(|ticket| ticket.id).collect())?;
    let views: Vec<_> = views.into_iter().map(|(company, view)| (company, view.redact(policy))).collect();
    let readable = views.iter().filter(|(_, view)| !view.is_hidden).map(|(_, view)| view.row.id).collect();
    let mut messages = messages_store::of_tickets(conn, readable)?;
    let whole = views.into_iter().map(|(company, view)| {
        let thread = Thread::new(messages.remove(&view.row.id).unwrap_or_default(), policy, colleague);
        (company, CompanyTicket::new(view, thread))
    });
    Ok(whole.collect())
}

/// Gives each of these tickets to `take`, with its messages; however many and however long they are, some
/// [`AT_ONCE`] bytes of them are in memory.
pub fn each_with_thread(
    conn: &mut Conn,
    mut tickets: &[TicketSize],
    policy: &RedactionPolicy,
    colleague: bool,
    mut take: impl FnMut(CompanyTicket) -> Result<()>,
) -> Result<()> {
    while !tickets.is_empty() {
        let mut bytes = 0;
        let fits = tickets.iter().take_while(|ticket| {
            bytes += BARE + ticket.bytes;
            bytes <= AT_ONCE
        });
        let (some, rest) = tickets.split_at(fits.count().max(1));
        read_with_threads(conn, some, policy, colleague)?.into_iter().try_for_each(|(_, ticket)| take(ticket))?;
        tickets = rest;
    }
    Ok(())
}

/// One stored ticket in full, as this caller may see it.
///
/// # Errors
/// `NotFound`.
pub fn detail(conn: &mut Conn, number: i64, policy: &RedactionPolicy, colleague: bool, config: &Config) -> Result<TicketDetail> {
    let statuses = statuses_store::load(conn, SOURCE, &config.freshservice.statuses)?;
    let view = store::get_view(conn, number)?.redact(policy);
    let readable = if view.is_hidden { Vec::new() } else { vec![view.row.id] };
    let messages = messages_store::of_tickets(conn, readable)?;
    let thread = Thread::new(messages.into_values().flatten().collect(), policy, colleague);
    Ok(TicketDetail { ticket: ListedTicket::new(view, &statuses), thread })
}

/// `GET /api/freshservice/tickets?limit=`: a plain array.
async fn of_vendor(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let query = request.list(&LIST)?.with_slice(Some(part(&request, LIMIT)?));
    let filters = Filters { provider: Some(SOURCE.to_owned()), ..Filters::read(&request.query)? };
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let (variant, configured) = (variant(&caller, &policy, &filters), web.config.freshservice.statuses.clone());
    list::respond_as(&web, &caller.scope(), &variant, &request, query, VendorTicket::names(), move |conn, query, rows| {
        list_store::each(conn, query, &filters, &policy, &configured, |ticket| rows.push(&VendorTicket(ticket)))
    })
    .await
}

/// `GET /api/change_requests`: a plain array, the newest first.
async fn changes(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let query = request.list(&change_store::LIST)?;
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let variant = policy.key();
    list::respond(&web, &caller.scope(), &variant, &request, query, move |conn, query, rows| {
        change_store::each(conn, query, &policy, |change| rows.push(&change))
    })
    .await
}

/// `GET /api/change_requests/{id}`, by the vendor's number.
async fn change(State(web): State<Web>, caller: Reader, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let view = web.db.read(&caller.scope(), move |conn| change_store::get_view(conn, id)).await?.redact(&policy);
    request.row(id, view.row.rev, &view)
}
