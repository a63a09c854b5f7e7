//! Companies over HTTP (contract §1.1, §1.10).

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::{
    Companies, Company,
    alias::Alias,
    alias_store,
    list_store::{self, COMPANIES, LOCATIONS},
    location::Location,
    store,
};
use crate::web::openapi::{Schemas, schema as json};
use crate::{
    auth::{Person, Reader, Staff},
    compliance::RedactionPolicy,
    db::Conn,
    error::Result,
    history::Record as _,
    resource::{as_of, dependents, merged},
    web::{
        Path, ReadRequest, Web, list,
        table::{self, Pagination},
    },
};

/// Columns by which the page's table may sort (contract §1.10).
const SORTABLE: &[&str] = &["name", "account_number", "plan_selected", "email_system", "phone_system", "contract_end_date"];

/// `GET /api/companies`: an array of all, or the part that was asked for.
///
/// # Errors
/// When a parameter is wrong.
pub async fn index(State(web): State<Web>, reader: Reader, request: ReadRequest) -> Result<Response> {
    if let Some(was) = as_of::list::<Company>(&web, &reader, &request, &COMPANIES, None).await? {
        return Ok(was);
    }
    let mut query = request.list(&COMPANIES)?;
    if let Some(contract) = list_store::contract(&request.query)? {
        query = contract.narrow(query);
    }
    let policy = RedactionPolicy::of(&reader, &web.config, &request.query)?;
    list::respond(&web, &reader.scope(), &policy.key(), &request, query, move |c, query, rows| {
        let query = list_store::by_shown(c, query.clone(), &policy)?;
        query.each(c, |row| rows.push(&store::view(row)?.redact(&policy)))
    })
    .await
}

/// `GET /api/companies/{acct}/aliases`: the names under which people have recognised it.
///
/// # Errors
/// `NotFound`.
pub async fn aliases(State(web): State<Web>, staff: Staff, Path(key): Path<String>) -> Result<Json<Vec<Alias>>> {
    let read = move |c: &mut Conn| {
        let id = store::id_of(c, &key)?;
        alias_store::of(c, id)
    };
    Ok(Json(web.db.read(&staff.scope(), read).await?))
}

/// `GET /api/companies/{acct}/locations`.
///
/// # Errors
/// `NotFound`.
pub async fn locations(
    State(web): State<Web>,
    reader: Reader,
    Path(key): Path<String>,
    request: ReadRequest,
) -> Result<Response> {
    if let Some(was) = as_of::list::<Location>(&web, &reader, &request, &LOCATIONS, Some(key.clone())).await? {
        return Ok(was);
    }
    if let Some(elsewhere) = merged::part::<Companies>(&web, &reader, &key, &request).await? {
        return Ok(elsewhere);
    }
    let views = read_locations(&web, &reader, key).await?;
    request.value(&views)
}

/// `GET /companies/{acct}/locations`, for our own page.
///
/// # Errors
/// `NotFound`.
pub async fn page_locations(
    State(web): State<Web>,
    reader: Reader,
    Path(key): Path<String>,
    request: ReadRequest,
) -> Result<Response> {
    let views = read_locations(&web, &reader, key).await?;
    request.value(&json!({ "success": true, "locations": views }))
}

async fn read_locations(web: &Web, reader: &Reader, key: String) -> Result<Vec<Location>> {
    web.db
        .read(&reader.scope(), move |c| {
            let id = store::id_of(c, &key)?;
            store::locations(c, id)
        })
        .await
}

/// `GET /api/companies/{acct}/attached`: what a person should know before they retire it.
///
/// # Errors
/// `NotFound`.
pub async fn attached(State(web): State<Web>, reader: Reader, Path(key): Path<String>, request: ReadRequest) -> Result<Response> {
    let read = move |c: &mut Conn| {
        let id = store::id_of(c, &key)?;
        dependents::attached(c, Company::ENTITY, id)
    };
    request.value(&web.db.read(&reader.scope(), read).await?)
}

/// What [`search`] answers.
pub fn search_answer(schemas: &mut Schemas) -> Value {
    let row = ["account_number", "name", "description", "plan_selected", "email_system", "phone_system", "contract_end_date"];
    let row = row.map(|name| (name, json::or_null(json::text())));
    json::done(&[("companies", json::array(json::object(&row))), ("pagination", json::one::<Pagination>(schemas))])
}

/// `GET /companies/api/search`: the page's own table.
pub async fn search(State(web): State<Web>, person: Person, request: ReadRequest) -> Result<Response> {
    let (query, slice) = table::query(&request, &COMPANIES, SORTABLE)?;
    let policy = RedactionPolicy::of(&person.0, &web.config, &request.query)?;
    let read = move |c: &mut Conn| list_store::by_shown(c, query, &policy)?.run(c, |row| Ok(store::view(row)?.redact(&policy)));
    let page = web.db.read(&person.0.scope(), read).await?;
    let companies: Vec<_> = page
        .items
        .into_iter()
        .map(|company| {
            json!({
                "account_number": company.row.account_number, "name": company.row.name, "description": company.row.description,
                "plan_selected": company.row.plan, "email_system": company.row.email_system,
                "phone_system": company.row.phone_system, "contract_end_date": company.row.contract_end_date,
            })
        })
        .collect();
    request.value(&json!({ "success": true, "companies": companies, "pagination": Pagination::new(slice, page.total) }))
}
