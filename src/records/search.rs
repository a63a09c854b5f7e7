//! One search over companies, contacts, assets, tickets, and whatever else has a name.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::entities;
use crate::web::openapi::{Schemas, schema as json};
use crate::{
    assets::{AssetView, AssetViewContext, list_store as assets},
    auth::Reader,
    billing::{
        list_store::{OPTIONS, PLANS},
        store as plans,
    },
    companies::{
        CompanyView, Location,
        list_store::{COMPANIES, LOCATIONS, by_shown as companies_found},
        store as companies,
    },
    compliance::RedactionPolicy,
    contacts::{ContactView, list_store as contacts},
    custom::{self, Tag},
    db::{
        Conn, Row, Value as DbValue,
        list::{ListQuery, ListSpec, Slice},
    },
    entity::once::of_type,
    error::Result,
    history::Record as _,
    tickets::list_store as tickets,
    types::{finds_phone, fold, ticket_named},
    web::{ReadRequest, Routes, Web, list},
};

/// How many hits of each kind there are at most, and when nothing is asked.
const LIMIT: (i64, i64) = (100, 20);

/// The kinds that are searched beside the nouns of the one door.
const KINDS: [&str; 8] = ["companies", "locations", "contacts", "assets", "tickets", "billing_plans", "feature_options", "tags"];

/// What the search of everything is kept by.
struct Found;

/// The search.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().get("/api/search", index).tells("Search records of every kind", search_answer).asks(&[
        ("q", "string", "What to look for."),
        ("limit", "count", "How many of each kind at most."),
        ("counts", "boolean", "Adds counts: how many there are of each kind."),
    ])
}

/// What it answers: hits by kind.
fn search_answer(schemas: &mut Schemas) -> Value {
    let hit = |more: &[&str]| {
        let hit = json::object(&[("type", json::text()), ("id", json::int()), ("name", json::or_null(json::text()))]);
        json::with(hit, &more.iter().map(|name| (*name, json::or_null(json::text()))).collect::<Vec<_>>())
    };
    let kinds: [(&str, &str, &[&str]); KINDS.len()] = [
        ("companies", "CompanyHit", &["account_number", "phone"]),
        ("locations", "LocationHit", &["address", "company_id", "company_name"]),
        ("contacts", "ContactHit", &["email", "phone", "company_id"]),
        ("assets", "AssetHit", &["hostname", "serial_number", "company_id", "company_name"]),
        ("tickets", "TicketHit", &["ticket_number", "status", "company_id", "company_name"]),
        ("billing_plans", "BillingPlanHit", &["url"]),
        ("feature_options", "FeatureOptionHit", &["feature_category"]),
        ("tags", "TagHit", &["color"]),
    ];
    let mut groups: Vec<(&str, Value)> =
        kinds.into_iter().map(|(name, hits, more)| (name, json::array(schemas.name(hits.to_owned(), hit(more))))).collect();
    let of_noun = json::array(schemas.name("RecordHit".to_owned(), hit(&["company_id", "company_name"])));
    groups.extend(entities::nouns().map(|noun| (noun.door().api, of_noun.clone())));
    json::with(json::object(&groups), &[("counts", json::counts())])
}

/// One list that is searched: what is found by its own text, and what by fields that administrators have added and by tags.
pub struct Searched {
    query: ListQuery,
    beside: ListQuery,
    own: Vec<i64>,
    limit: i64,
}

impl Searched {
    /// A search of a list for somebody who may see that much; `beside` is the same list without the text.
    pub fn new(c: &mut Conn, query: ListQuery, beside: ListQuery, text: &str, policy: &RedactionPolicy) -> Result<Self> {
        let entity = query.spec().entities.first().copied().unwrap_or_default();
        let limit = query.slice().map_or(LIMIT.0, |slice| slice.limit);
        let mut own = Vec::new();
        if let Some(noun) = custom::noun(entity) {
            // Whoever does not see all of what is written there does not find by it.
            own = if policy.strikes() { Vec::new() } else { custom::store::found(c, entity, text, MOST_BESIDE)? };
            if !own.is_empty() && !policy.sees_all() {
                let protected = custom::store::protected(c, noun, &own)?;
                own.retain(|id| !protected.contains(id));
            }
        }
        Ok(Self { query, beside, own, limit })
    }

    fn among(query: &ListQuery, ids: Vec<i64>) -> ListQuery {
        query.clone().and(&format!("{} IN ids({{}})", query.spec().key), vec![DbValue::Ids(ids)])
    }

    /// The first that are found, those by their own text first.
    pub fn first<T>(&self, c: &mut Conn, id: fn(&T) -> i64, read: impl Fn(&Row) -> Result<T>) -> Result<Vec<T>> {
        let mut found = self.query.first(c, &read)?;
        let more: Vec<i64> = self.own.iter().copied().filter(|own| !found.iter().any(|known| id(known) == *own)).collect();
        let room = self.limit - i64::try_from(found.len()).unwrap_or(i64::MAX);
        if !more.is_empty() && room > 0 {
            let beside = Self::among(&self.beside, more).with_slice(Some(Slice { limit: room, offset: 0 }));
            found.extend(beside.first(c, &read)?);
        }
        Ok(found)
    }

    /// How many there are.
    pub fn count(&self, c: &mut Conn) -> Result<i64> {
        let count = self.query.count(c)?;
        if self.own.is_empty() {
            return Ok(count);
        }
        let (all, both) = (Self::among(&self.beside, self.own.clone()), Self::among(&self.query, self.own.clone()));
        Ok(count + all.count(c)? - both.count(c)?)
    }
}

/// `GET /api/search?q=&limit=&counts=`: hits by kind, each kind by name.
async fn index(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let text = request.query.text("q")?.unwrap_or_default().to_owned();
    let limit = request.query.count("limit")?.unwrap_or(LIMIT.1).clamp(1, LIMIT.0);
    let counts = request.query.is_on("counts")?;
    asked(&COMPANIES, &text, limit)?;
    let entities = of_type::<Found, Vec<&'static str>>(|| {
        let known = [
            "company",
            "location",
            "contact",
            "asset",
            "ticket",
            "psa_agent",
            "billing_plan",
            "feature_option",
            "custom_field",
            "tag",
        ];
        known.into_iter().chain(entities::nouns().map(|noun| noun.list().entities[0])).collect()
    });
    let view_context = AssetViewContext::of(&caller, &web.config, &request.query)?;
    list::value(&web, &caller.scope(), &view_context.key(), &request, entities, move |conn| {
        let mut found = find(conn, &text, limit, &view_context)?;
        if counts {
            found["counts"] = count(conn, &text, &view_context)?;
        }
        Ok(found)
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
        let none = KINDS.into_iter().chain(entities::nouns().map(|noun| noun.door().api));
        return Ok(none.map(|kind| (kind.to_owned(), json!([]))).collect::<serde_json::Map<_, _>>().into());
    }
    let companies = of_companies(conn, text, limit, policy)?.first(
        conn,
        |company: &CompanyView| company.row.id,
        |row| Ok(companies::view(row)?.redact(policy)),
    )?;
    let people = of_contacts(conn, text, limit, policy)?;
    let contacts = people.first(
        conn,
        |contact: &ContactView| contact.row.id,
        |row| Ok(crate::contacts::store::view(row)?.redact(policy)),
    )?;
    let devices = of_assets(conn, text, limit, policy)?;
    let assets =
        devices.first(conn, |asset: &AssetView| asset.row.id, |row| Ok(crate::assets::store::view(row)?.redact(view_context)))?;
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
        .map(|company| {
            let (row, phone) = (&company.row, phone_found(text, &[company.row.main_number.as_deref()]));
            json!({"type": "company", "id": row.id, "account_number": row.account_number, "name": row.name, "phone": phone})
        })
        .collect();
    let contacts: Vec<Value> = contacts.iter().map(|contact| contact_hit(text, contact)).collect();
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
    let tags: Vec<Value> = tags_found(conn, text)?
        .iter()
        .take(most)
        .map(|tag| json!({"type": "tag", "id": tag.id, "name": tag.name, "color": tag.color}))
        .collect();
    let mut found = json!({
        "companies": companies, "locations": locations(conn, text, limit)?, "contacts": contacts, "assets": assets,
        "tickets": tickets, "billing_plans": plans, "feature_options": options(conn, text, limit)?, "tags": tags,
    });
    for noun in entities::nouns() {
        found[noun.door().api] = noun.hits(conn, text, limit, policy)?.into();
    }
    Ok(found)
}

fn contact_hit(text: &str, contact: &ContactView) -> Value {
    let row = &contact.row;
    let phone = phone_found(text, &[row.work_phone_number.as_deref(), row.mobile_phone_number.as_deref()]);
    json!({
        "type": "contact", "id": row.id, "name": row.name, "email": row.email, "phone": phone, "company_id": contact.company_id(),
    })
}

/// The number that a text of digits found, as it is written; none when something else was looked for.
fn phone_found<'a>(text: &str, numbers: &[Option<&'a str>]) -> Option<&'a str> {
    numbers.iter().copied().flatten().find(|number| finds_phone(text, number))
}

/// The locations that contain a text, with whose they are.
fn locations(c: &mut Conn, text: &str, limit: i64) -> Result<Vec<Value>> {
    let found = asked(&LOCATIONS, text, limit)?.first(c, |row| Location::from_row(row, 0))?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let whose = companies::called(c, found.iter().map(|location| location.company_id).collect())?;
    let hit = |location: &Location| {
        let (number, name) = whose.get(&location.company_id).cloned().unzip();
        json!({
            "type": Location::ENTITY, "id": location.id, "name": location.name, "address": location.address,
            "company_id": number, "company_name": name,
        })
    };
    Ok(found.iter().map(hit).collect())
}

/// What can be chosen for features and contains a text.
fn options(c: &mut Conn, text: &str, limit: i64) -> Result<Vec<Value>> {
    Ok(asked(&OPTIONS, text, limit)?
        .first(c, plans::option)?
        .iter()
        .map(
            |option| json!({"type": "feature_option", "id": option.id, "name": option.name, "feature_category": option.category}),
        )
        .collect())
}

/// The tags whose names contain a text; there are few.
fn tags_found(c: &mut Conn, text: &str) -> Result<Vec<Tag>> {
    let wanted = fold(text);
    let mut tags = custom::store::tags(c)?;
    tags.retain(|tag| tag.retired_at.is_none() && fold(&tag.name).contains(&wanted));
    Ok(tags)
}

fn of_companies(c: &mut Conn, text: &str, limit: i64, policy: &RedactionPolicy) -> Result<Searched> {
    let query = companies_found(c, asked(&COMPANIES, text, limit)?, policy)?;
    Searched::new(c, query, ListQuery::everything(&COMPANIES)?, text, policy)
}

fn of_contacts(c: &mut Conn, text: &str, limit: i64, policy: &RedactionPolicy) -> Result<Searched> {
    let query = contacts::ASKING.allowed(asked(&contacts::LIST, text, limit)?, policy);
    Searched::new(c, query, ListQuery::everything(&contacts::LIST)?, text, policy)
}

fn of_assets(c: &mut Conn, text: &str, limit: i64, policy: &RedactionPolicy) -> Result<Searched> {
    let query = assets::ASKING.allowed(asked(&assets::LIST, text, limit)?.searching(assets::traces(policy)), policy);
    let query = assets::by_shown(c, query, policy)?;
    Searched::new(c, query, ListQuery::everything(&assets::LIST)?, text, policy)
}

/// How many records of each kind contain a text.
fn count(c: &mut Conn, text: &str, view_context: &AssetViewContext) -> Result<Value> {
    let policy = &view_context.policy;
    let mut counts = serde_json::Map::new();
    if asked(&COMPANIES, text, 1)?.search().is_none() {
        return Ok(KINDS
            .into_iter()
            .chain(entities::nouns().map(|noun| noun.door().api))
            .map(|kind| (kind.to_owned(), json!(0)))
            .collect());
    }
    let mut tell = |kind: &str, count: i64| drop(counts.insert(kind.to_owned(), count.into()));
    tell("companies", of_companies(c, text, 1, policy)?.count(c)?);
    tell("contacts", of_contacts(c, text, 1, policy)?.count(c)?);
    tell("assets", of_assets(c, text, 1, policy)?.count(c)?);
    let query = asked(&tickets::LIST, text, 1)?;
    tell("tickets", tickets::list(c, &query, &tickets::Filters::default(), policy, &BTreeMap::new())?.total);
    tell("locations", asked(&LOCATIONS, text, 1)?.count(c)?);
    tell("billing_plans", asked(&PLANS, text, 1)?.count(c)?);
    tell("feature_options", asked(&OPTIONS, text, 1)?.count(c)?);
    tell("tags", i64::try_from(tags_found(c, text)?.len()).unwrap_or(i64::MAX));
    for noun in entities::nouns() {
        tell(noun.door().api, noun.count(c, text, policy)?);
    }
    Ok(counts.into())
}

/// The most records that are found by what is kept beside them.
const MOST_BESIDE: i64 = 1_000;

fn asked(spec: &'static ListSpec, text: &str, limit: i64) -> Result<ListQuery> {
    ListQuery::everything(spec)?.with_slice(Some(Slice { limit, offset: 0 })).with_search(text)
}
