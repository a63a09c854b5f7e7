//! One search over companies, contacts, assets, tickets, and whatever else has a name.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::entities;
use crate::web::openapi::{Schemas, schema as json};
use crate::{
    assets::{AssetViewContext, list_store as assets},
    auth::Reader,
    billing::{list_store::PLANS, store as plans},
    companies::{list_store::COMPANIES, store as companies},
    contacts::list_store as contacts,
    db::{
        Conn,
        list::{ListQuery, ListSpec, Slice},
    },
    entity::once::of_type,
    error::Result,
    tickets::list_store as tickets,
    types::ticket_named,
    web::{ReadRequest, Routes, Web, list},
};

/// How many hits of each kind there are at most, and when nothing is asked.
const LIMIT: (i64, i64) = (100, 20);

/// What the search of everything is kept by.
struct Found;

/// The search.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/search", index)
        .tells("Search records of every kind", search_answer)
        .asks(&[("q", "string", "What to look for."), ("limit", "integer", "How many of each kind at most.")])
}

/// What it answers: hits by kind.
fn search_answer(_: &mut Schemas) -> Value {
    let hit = json::object(&[("type", json::text()), ("id", json::int()), ("name", json::any())]);
    json!({"type": "object", "additionalProperties": json::array(hit)})
}

/// `GET /api/search?q=&limit=`: hits by kind, each kind by name.
async fn index(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let text = request.query.text("q")?.unwrap_or_default().to_owned();
    let limit = request.query.int_or("limit", LIMIT.1).clamp(1, LIMIT.0);
    asked(&COMPANIES, &text, limit)?;
    let entities = of_type::<Found, Vec<&'static str>>(|| {
        let known = ["company", "contact", "asset", "ticket", "psa_agent", "billing_plan"];
        known.into_iter().chain(entities::nouns().map(|noun| noun.list().entities[0])).collect()
    });
    let view_context = AssetViewContext::of(&caller, &web.config, &request.query)?;
    list::value(&web, &caller.scope(), &view_context.key(), &request, entities, move |conn| {
        find(conn, &text, limit, &view_context)
    })
    .await
}

/// At most so many companies, contacts, assets and tickets that contain a text; a blank text finds nothing.
///
/// # Errors
/// When the text is too long.
pub fn find(conn: &mut Conn, text: &str, limit: i64, view_context: &AssetViewContext) -> Result<Value> {
    let policy = &view_context.policy;
    let query = asked(&COMPANIES, text, limit)?;
    if query.search().is_none() {
        let none = ["companies", "contacts", "assets", "tickets", "billing_plans"]
            .into_iter()
            .chain(entities::nouns().map(|noun| noun.door().api));
        return Ok(none.map(|kind| (kind.to_owned(), json!([]))).collect::<serde_json::Map<_, _>>().into());
    }
    let companies = query.first(conn, |row| Ok(companies::view(row)?.redact(policy)))?;
    let people = contacts::ASKING.allowed(asked(&contacts::LIST, text, limit)?, policy);
    let contacts = people.first(conn, |row| Ok(crate::contacts::store::view(row)?.redact(policy)))?;
    let devices = assets::ASKING.allowed(asked(&assets::LIST, text, limit)?.searching(assets::traces(policy)), policy);
    let assets = devices.first(conn, |row| Ok(crate::assets::store::view(row)?.redact(view_context)))?;
    let mut found = Vec::new();
    // Who types a ticket's number wants that ticket before all whose numbers only contain it.
    let exact = ticket_named(text).map(|number| ("ticket.external_id = {}", "ticket.external_id <> {}", number));
    let mut ask = |narrowed: Option<(&str, i64)>, limit: i64| -> Result<()> {
        let query = asked(&tickets::LIST, text, limit)?;
        let query = narrowed.into_iter().fold(query, |query, (condition, number)| query.and(condition, vec![number.into()]));
        found.extend(tickets::list(conn, &query, &tickets::Filters::default(), policy, &BTreeMap::new())?.items);
        Ok(())
    };
    if let Some((is, is_not, number)) = exact {
        ask(Some((is, number)), limit)?;
        ask(Some((is_not, number)), limit)?;
    } else {
        ask(None, limit)?;
    }
    let most = usize::try_from(limit).unwrap_or_default();
    let tickets: Vec<Value> = found
        .iter()
        .take(most)
        .map(|ticket| {
            let row = &ticket.view.row;
            let name = row.subject.clone().unwrap_or_else(|| format!("Ticket {}", row.external_id));
            json!({
                "type": "ticket", "id": row.external_id, "name": name, "ticket_number": row.ticket_number, "status": row.status,
                "company_id": ticket.view.company_id, "company_name": ticket.view.company_name,
            })
        })
        .collect();
    let companies: Vec<Value> = companies
        .iter()
        .map(|company| json!({"type": "company", "id": company.row.id, "account_number": company.row.account_number, "name": company.row.name}))
        .collect();
    let contacts: Vec<Value> = contacts
        .iter()
        .map(|contact| {
            json!({"type": "contact", "id": contact.row.id, "name": contact.row.name, "email": contact.row.email, "company_id": contact.company_id()})
        })
        .collect();
    let assets: Vec<Value> = assets
        .iter()
        .map(|asset| {
            json!({
                "type": "asset", "id": asset.row.id, "name": asset.row.hostname, "hostname": asset.row.hostname,
                "serial_number": asset.row.serial_number, "company_id": asset.owner.account_number, "company_name": asset.owner.name,
            })
        })
        .collect();
    let plans: Vec<Value> = asked(&PLANS, text, limit)?
        .first(conn, plans::view)?
        .iter()
        .map(|plan| {
            let (id, name) = (plan.id, format!("{}, {}", plan.name, plan.term));
            json!({"type": "billing_plan", "id": id, "name": name, "url": format!("/billing-plans/#plan-{id}")})
        })
        .collect();
    let mut found =
        json!({"companies": companies, "contacts": contacts, "assets": assets, "tickets": tickets, "billing_plans": plans});
    for noun in entities::nouns() {
        found[noun.door().api] = noun.hits(conn, text, limit, policy)?.into();
    }
    Ok(found)
}

fn asked(spec: &'static ListSpec, text: &str, limit: i64) -> Result<ListQuery> {
    ListQuery::everything(spec)?.with_slice(Some(Slice { limit, offset: 0 })).with_search(text)
}
