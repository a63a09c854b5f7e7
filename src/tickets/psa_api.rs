//! Tickets and agents as Beacon and Brainhair ask for them (contract §1.6.5, §1.6.6).

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::{
    TicketView,
    api::{at_most, part, variant},
    codes::SOURCE,
    list_store::{self, Filters, LIST},
    statuses_store, store,
    views::{ActivePsaTicket, ListedTicket, PsaTicket},
};
use crate::web::openapi::schema as json;
use crate::{
    agents::psa_agents,
    auth::{BillingReader, Reader},
    compliance::RedactionPolicy,
    db::list::ListQuery,
    entity::Shaped as _,
    error::Result,
    web::{ReadRequest, Routes, Web, list},
};

/// How many tickets the list has when nothing is asked.
const LIMIT: i64 = 100;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/api/psa/tickets", tickets)
        .tells("List tickets of all service desks", json::list::<PsaTicket>)
        .get("/api/psa/tickets/active", active)
        .tells("List the tickets that are worked on, the urgent first", json::list::<ActivePsaTicket>)
        .asks(&[("provider", "string", "One service desk alone.")])
        .get("/api/freshservice/agents", agents)
        .tells("List the active agents of the service desk", |_| {
            json::array(json::object(&[("id", json::or_null(json::int())), ("name", json::text())]))
        })
}

/// `GET /api/psa/tickets?provider=&status=&company=&limit=`: a plain array, the newest first.
async fn tickets(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let query = request.list(&LIST)?.with_slice(Some(part(&request, LIMIT)?));
    let asked = Filters::read(&request.query)?;
    let text = |name: &str| request.query.text(name).map(|value| value.map(str::to_owned));
    let filters = Filters { provider: text("provider")?, company: text("company")?.or(asked.company.clone()), ..asked };
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let (variant, configured) = (variant(&caller, &policy, &filters), web.config.freshservice.statuses.clone());
    list::respond_as(&web, &caller.scope(), &variant, &request, query, PsaTicket::names(), move |conn, query, rows| {
        list_store::each(conn, query, &filters, &policy, &configured, |ticket| rows.push(&PsaTicket(ticket)))
    })
    .await
}

/// `GET /api/psa/tickets/active?provider=`: what is worked on, the urgent first.
async fn active(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let provider = request.query.text("provider")?.map(str::to_lowercase);
    let (variant, configured) = (variant(&caller, &policy, &Filters::default()), web.config.freshservice.statuses.clone());
    let variant = format!("{variant}|{provider:?}");
    // None of the parameters for a part is old: without one, everything.
    let asks_for_part = ["limit", "offset", "page", "per_page"].iter().any(|name| request.query.get(name).is_some());
    let slice = if asks_for_part { Some(at_most(part(&request, LIMIT)?)) } else { None };
    let query = ListQuery::everything(&LIST)?.with_slice(slice);
    list::respond(&web, &caller.scope(), &variant, &request, query, move |conn, _, shown| {
        let statuses = statuses_store::load(conn, SOURCE, &configured)?;
        let mut rows = Vec::new();
        store::active(conn, None, None, |row| {
            let ticket = &row.inside().row;
            let is_worked_on = ActivePsaTicket::STATUSES.contains(&ticket.status.as_str());
            if is_worked_on && provider.as_ref().is_none_or(|provider| *provider == ticket.external_source) {
                // The texts are long, and not told here.
                rows.push(row.within(|view| TicketView { description_text: None, ..view }));
            }
            Ok(())
        })?;
        rows.sort_by_cached_key(|row| {
            let row = &row.inside().row;
            let urgency = row.priority_id.unwrap_or(0);
            (std::cmp::Reverse(urgency), std::cmp::Reverse(row.last_updated_at.clone()), row.id)
        });
        let total = rows.len();
        let size = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let (skipped, most) = slice.map_or((0, total), |slice| (size(slice.offset), size(slice.limit)));
        for row in rows.into_iter().skip(skipped).take(most) {
            shown.push(&ActivePsaTicket(ListedTicket::new(row.redact(&policy), &statuses)))?;
        }
        Ok(i64::try_from(total).unwrap_or(i64::MAX))
    })
    .await
}

/// `GET /api/freshservice/agents`: the active ones, by name; not for clients, as those of every vendor.
async fn agents(State(web): State<Web>, caller: BillingReader, request: ReadRequest) -> Result<Response> {
    let agents = web.db.read(&caller.scope(), |conn| psa_agents(conn, Some(SOURCE))).await?;
    let active: Vec<Value> = agents
        .into_iter()
        .filter(|agent| agent.active)
        .map(|agent| json!({"id": agent.number(), "name": agent.name()}))
        .collect();
    request.value(&active)
}
