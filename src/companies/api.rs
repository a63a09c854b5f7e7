//! Companies over HTTP (contract §1.1, §1.10).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::{alias::Alias, alias_store, list_store::COMPANIES, location::Location, rules, store};
use crate::web::openapi::Schemas;
use crate::web::openapi::schema as json;
use crate::{
    auth::{Editor, Person, Reader, Staff},
    compliance::RedactionPolicy,
    db::Conn,
    error::{Error, Result},
    history,
    web::{
        Fields, Path, Preconditions, ReadRequest, Reply, Sent, Web, encode_segment, list,
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
    let query = request.list(&COMPANIES)?;
    let policy = RedactionPolicy::of(&reader, &web.config, &request.query)?;
    list::respond(&web, &reader.scope(), &policy.key(), &request, query, move |c, query, rows| {
        query.each(c, |row| rows.push(&store::view(row)?.redact(&policy)))
    })
    .await
}

/// `GET /api/companies/{acct}` and its singular twin.
///
/// # Errors
/// `NotFound`.
pub async fn show(State(web): State<Web>, reader: Reader, Path(key): Path<String>, request: ReadRequest) -> Result<Response> {
    let view = web
        .db
        .read(&reader.scope(), move |c| {
            let id = store::id_of(c, &key)?;
            store::get_view(c, id)
        })
        .await?
        .redact(&RedactionPolicy::of(&reader, &web.config, &request.query)?);
    request.row(view.row.id, view.row.rev, &view)
}

/// `POST /api/companies`.
///
/// # Errors
/// `Invalid`, or `Conflict` for a number that is taken.
pub async fn create(State(web): State<Web>, editor: Editor, conditions: Preconditions, fields: Fields) -> Result<Response> {
    let digest = fields.digest();
    let input = rules::read(fields, true)?;
    let policy = RedactionPolicy::of(&editor, &web.config, conditions.query())?;
    conditions
        .run(&web, &editor.scope(), &editor.actor(), &digest, move |w| {
            let company = store::create(w, &input, Some(&policy))?;
            let view = store::get_view(w, company.id)?.redact(&policy);
            let path = format!("/api/companies/{}", encode_segment(&view.row.account_number));
            Ok(Reply::created(&view, path)?.with("message", "Company created").tagged(view.row.id, view.row.rev))
        })
        .await
}

/// `PUT` and `PATCH /api/companies/{acct}`: the fields that were sent.
///
/// # Errors
/// `Invalid`, `Conflict`, `PreconditionFailed`, `NotFound`.
pub async fn update(
    State(web): State<Web>,
    editor: Editor,
    Path(key): Path<String>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let digest = fields.digest();
    let policy = RedactionPolicy::of(&editor, &web.config, conditions.query())?;
    let input = fields.of_record(rules::read, stands(&web, &editor, &policy, &key)).await?;
    let request = conditions.clone();
    conditions
        .run(&web, &editor.scope(), &editor.actor(), &digest, move |w| {
            let id = store::id_of(w, &key)?;
            store::update(w, id, &input, request.rev(id)?, &policy)?;
            let view = store::get_view(w, id)?.redact(&policy);
            Ok(Reply::ok(&view)?.with("message", "Company updated").tagged(view.row.id, view.row.rev))
        })
        .await
}

/// A company as this caller sees it.
async fn stands(web: &Web, editor: &Editor, policy: &RedactionPolicy, key: &str) -> Result<serde_json::Value> {
    let key = key.to_owned();
    let found = move |c: &mut Conn| {
        let id = store::id_of(c, &key)?;
        store::get_view(c, id)
    };
    let view = web.db.read(&editor.scope(), found).await?.redact(policy);
    serde_json::to_value(view).map_err(Error::internal)
}

/// `PUT /companies/{acct}/update`: the same for our own page, with the features that deviate.
///
/// # Errors
/// As [`update`].
pub async fn page_update(
    State(web): State<Web>,
    editor: Editor,
    Path(key): Path<String>,
    conditions: Preconditions,
    mut fields: Fields,
) -> Result<Response> {
    let digest = fields.digest();
    let overrides = fields.object("feature_overrides").get();
    let overrides = match overrides {
        Sent::Value(map) => Some(read_overrides(map, &mut fields)),
        Sent::Null => Some(BTreeMap::new()),
        Sent::Absent => None,
    };
    let policy = RedactionPolicy::of(&editor, &web.config, conditions.query())?;
    let input = fields.of_record(rules::read, stands(&web, &editor, &policy, &key)).await?;
    let request = conditions.clone();
    conditions
        .run(&web, &editor.scope(), &editor.actor(), &digest, move |w| {
            let id = store::id_of(w, &key)?;
            store::update(w, id, &input, request.rev(id)?, &policy)?;
            if let Some(overrides) = &overrides {
                store::set_feature_overrides(w, id, overrides)?;
            }
            Reply::ok(&json!({ "success": true, "message": "Company updated" }))
        })
        .await
}

fn read_overrides(map: serde_json::Map<String, serde_json::Value>, fields: &mut Fields) -> BTreeMap<String, String> {
    let mut overrides = BTreeMap::new();
    for (key, value) in map {
        match value {
            serde_json::Value::String(text) if text.trim().is_empty() => {}
            serde_json::Value::Null => {}
            serde_json::Value::String(text) if text.chars().count() <= 100 && key.chars().count() <= 100 => {
                overrides.insert(key, text.trim().to_owned());
            }
            _ => fields.refuse(format!("feature_overrides.{key}"), "must be text of at most 100 characters"),
        }
    }
    overrides
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

/// `POST /companies/{acct}/locations`: `name` and `address` are required.
///
/// # Errors
/// `Invalid`, `NotFound`.
pub async fn page_add_location(
    State(web): State<Web>,
    editor: Editor,
    Path(key): Path<String>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let digest = fields.digest();
    let input = rules::read_location(fields, true)?;
    conditions
        .run(&web, &editor.scope(), &editor.actor(), &digest, move |w| {
            let company_id = store::id_of(w, &key)?;
            let view = store::add_location(w, &input.made(|location| location.company_id = company_id)?)?;
            Reply::ok(&json!({ "success": true, "location": view }))
        })
        .await
}

/// `POST /api/companies/{acct}/locations`: the same, answered with the location itself.
///
/// # Errors
/// `Invalid`, `NotFound`.
pub async fn add_location(
    State(web): State<Web>,
    editor: Editor,
    Path(key): Path<String>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let digest = fields.digest();
    let input = rules::read_location(fields, true)?;
    conditions
        .run(&web, &editor.scope(), &editor.actor(), &digest, move |w| {
            let company_id = store::id_of(w, &key)?;
            let location = store::add_location(w, &input.made(|location| location.company_id = company_id)?)?;
            let (id, rev) = (location.id, location.rev);
            let path = format!("/api/companies/{}/locations/{id}", encode_segment(&key));
            Ok(Reply::created(&location, path)?.tagged(id, rev))
        })
        .await
}

/// `GET /api/companies/{acct}/locations/{id}`.
///
/// # Errors
/// `NotFound`.
pub async fn location(
    State(web): State<Web>,
    reader: Reader,
    Path((key, id)): Path<(String, i64)>,
    request: ReadRequest,
) -> Result<Response> {
    let location = web
        .db
        .read(&reader.scope(), move |c| {
            let company_id = store::id_of(c, &key)?;
            store::get_location(c, company_id, id)
        })
        .await?;
    let rev = location.rev;
    request.row(id, rev, &location)
}

/// `PUT` and `PATCH /api/companies/{acct}/locations/{id}`: the fields that were sent.
///
/// # Errors
/// `Invalid`, `PreconditionFailed`, `NotFound`.
pub async fn update_location(
    State(web): State<Web>,
    editor: Editor,
    Path((key, id)): Path<(String, i64)>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let digest = fields.digest();
    let input = rules::read_location(fields, false)?;
    let expected = conditions.rev(id)?;
    conditions
        .run(&web, &editor.scope(), &editor.actor(), &digest, move |w| {
            let company_id = store::id_of(w, &key)?;
            let location = store::update_location(w, company_id, id, &input, expected)?.record;
            let rev = location.rev;
            Ok(Reply::ok(&location)?.tagged(id, rev))
        })
        .await
}

/// `POST /api/companies/{acct}/restore`.
///
/// # Errors
/// `NotFound`.
pub async fn restore(
    State(web): State<Web>,
    editor: Editor,
    Path(key): Path<String>,
    conditions: Preconditions,
) -> Result<Response> {
    let policy = RedactionPolicy::of(&editor, &web.config, conditions.query())?;
    conditions
        .run(&web, &editor.scope(), &editor.actor(), "", move |w| {
            let id = store::id_of(w, &key)?;
            history::restore::<super::Company>(w, id, None)?;
            let view = store::get_view(w, id)?.redact(&policy);
            Ok(Reply::ok(&view)?.with("message", "Company restored").tagged(view.row.id, view.row.rev))
        })
        .await
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
    let page = web.db.read(&person.0.scope(), move |c| query.run(c, |row| Ok(store::view(row)?.redact(&policy)))).await?;
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
