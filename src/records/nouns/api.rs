//! A noun as JSON.

use axum::{extract::State, response::Response};

use super::{about, door};
use crate::web::openapi::{Schemas, schema as json};
use crate::{
    auth::{Caller, Editor, Reader},
    companies::store as companies,
    compliance::RedactionPolicy,
    db::{
        Conn, Write,
        list::{ListQuery, Slice},
    },
    entity::{
        Noun, Seen,
        noun::{self, Paths},
        once::lasting,
        schema,
    },
    error::{Error, Result},
    history,
    web::{Fields, Path, Preconditions, Query, ReadRequest, Reply, Routes, Web, list},
};

/// What can be asked about a noun and done to its rows.
pub fn routes<E: Noun>() -> Routes {
    let paths = Paths::of::<E>();
    let noun::Door { one, many, .. } = E::DOOR;
    let says = |text: String| lasting(text);
    Routes::new()
        .get(paths.list, index::<E>)
        .tells(says(format!("List {many}")), json::list::<Seen<E>>)
        .post(paths.list, create::<E>)
        .makes(says(format!("Add one of the {many}")), json::written::<Seen<E>>)
        .takes(new_body::<E>)
        .get(paths.one, show::<E>)
        .tells(says(format!("Read one of the {many}")), json::one::<Seen<E>>)
        .update(paths.one, update::<E>)
        .tells(says(format!("Change the fields of a {one} that are sent")), json::written::<Seen<E>>)
        .takes(changed_body::<E>)
        .delete(paths.one, retire::<E>)
        .tells(says(format!("Retire a {one}")), json::written::<Seen<E>>)
        .asks(&[("force", "boolean", "Although other rows lead to it.")])
        .post(paths.restore, restore::<E>)
        .tells(says(format!("Bring a retired {one} back")), json::written::<Seen<E>>)
        .get(paths.of_company, of_company::<E>)
        .tells(says(format!("List the {many} of a company")), json::list::<Seen<E>>)
}

/// A noun's company is sent by its number or its id; what a noun is about, by its kind and id.
const COMPANY: [&str; 2] = ["company_id", "company_account_number"];

fn new_body<E: Noun>(schemas: &mut Schemas) -> serde_json::Value {
    json::with(schema::new::<E>(schemas), &COMPANY.map(|name| (name, json::any())))
}

fn changed_body<E: Noun>(schemas: &mut Schemas) -> serde_json::Value {
    json::with(schema::changed::<E>(schemas), &COMPANY.map(|name| (name, json::any())))
}

/// The question with its company, as a number or an id; rows of a company that there is not are none.
pub fn narrowed<E: Noun>(c: &mut Conn, query: &ListQuery, company: Option<&str>) -> Result<ListQuery> {
    let Some(company) = company else { return Ok(query.clone()) };
    let id = companies::find_id(c, company)?.unwrap_or_default();
    Ok(query.clone().and(&format!("{}.company_id = {{}}", E::ENTITY), vec![id.into()]))
}

/// The company that a question names.
///
/// # Errors
/// When it is no text.
pub fn company_asked(query: &Query) -> Result<Option<String>> {
    Ok(query.text("company_account_number")?.or(query.text("company_id")?).map(str::to_owned))
}

/// What the caller may see, if they may read this noun.
fn policy<E: Noun>(web: &Web, caller: &Caller, query: &Query) -> Result<RedactionPolicy> {
    let policy = RedactionPolicy::of(caller, &web.config, query)?;
    about::allow::<E>(&policy)?;
    Ok(policy)
}

/// How many rows that are about others are read at once.
const SOME: i64 = 200;

/// Gives each row to the list. Of rows that are about others some are gathered first: what those are called stands in other
/// tables.
fn each<E: Noun>(c: &mut Conn, query: &ListQuery, policy: &RedactionPolicy, rows: &mut list::Rows) -> Result<i64> {
    if E::ABOUT.is_none() {
        return query.each(c, |row| rows.push(&noun::view::<E>(row)?));
    }
    let asked = query.slice().unwrap_or(Slice { limit: i64::MAX, offset: 0 });
    let (mut given, mut total) = (0, 0);
    while given < asked.limit {
        let part = Slice { limit: SOME.min(asked.limit - given), offset: asked.offset + given };
        let mut found = query.clone().with_slice(Some(part)).run(c, noun::view::<E>)?;
        about::name(c, &mut found.items)?;
        about::log_disclosure(c, &found.items, policy)?;
        found.items.iter().try_for_each(|seen| rows.push(seen))?;
        let count = i64::try_from(found.items.len()).unwrap_or(i64::MAX);
        (given, total) = (given + count, found.total);
        if count < part.limit {
            break;
        }
    }
    Ok(total)
}

/// One row, with what it is about, for somebody who may read it.
///
/// # Errors
/// `NotFound`.
pub fn one<E: Noun>(c: &mut Conn, id: i64, policy: &RedactionPolicy) -> Result<Seen<E>> {
    let mut seen = [noun::get::<E>(c, id)?];
    about::name(c, &mut seen)?;
    about::log_disclosure(c, &seen, policy)?;
    let [seen] = seen;
    Ok(seen)
}

async fn index<E: Noun>(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let query = request.list(noun::list::<E>())?;
    let company = company_asked(&request.query)?;
    let policy = policy::<E>(&web, &caller, &request.query)?;
    let variant = format!("{company:?}");
    list::respond(&web, &caller.scope(), &variant, &request, query, move |c, query, rows| {
        let query = narrowed::<E>(c, query, company.as_deref())?;
        each::<E>(c, &query, &policy, rows)
    })
    .await
}

async fn of_company<E: Noun>(
    State(web): State<Web>,
    caller: Reader,
    Path(acct): Path<String>,
    request: ReadRequest,
) -> Result<Response> {
    let query = request.list(noun::list::<E>())?;
    let policy = policy::<E>(&web, &caller, &request.query)?;
    list::respond(&web, &caller.scope(), "", &request, query, move |c, query, rows| {
        companies::id_of(c, &acct)?;
        let query = narrowed::<E>(c, query, Some(&acct))?;
        each::<E>(c, &query, &policy, rows)
    })
    .await
}

async fn show<E: Noun>(State(web): State<Web>, caller: Reader, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let policy = policy::<E>(&web, &caller, &request.query)?;
    let seen = web.db.read(&caller.scope(), move |c| one::<E>(c, id, &policy)).await?;
    request.row(id, seen.row.rev(), &seen)
}

async fn create<E: Noun>(State(web): State<Web>, caller: Editor, conditions: Preconditions, fields: Fields) -> Result<Response> {
    let body = fields.digest();
    let policy = policy::<E>(&web, &caller, conditions.query())?;
    let input = door::read::<E>(fields, true)?;
    let work = move |w: &mut Write<'_>| {
        let id = door::create(w, &input)?.id();
        reply::<E>(w, id, &policy, "created", Some(format!("/api/{}/{id}", E::DOOR.api)))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

async fn update<E: Noun>(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let policy = policy::<E>(&web, &caller, conditions.query())?;
    let stands = async {
        let seen = web.db.read(&caller.scope(), move |c| noun::get::<E>(c, id)).await?;
        serde_json::to_value(seen).map_err(Error::internal)
    };
    let input = fields.of_record(door::read::<E>, stands).await?;
    let expected = conditions.rev(id)?;
    let work = move |w: &mut Write<'_>| {
        door::update(w, id, &input, expected)?;
        reply::<E>(w, id, &policy, "updated", None)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

/// Refuses while other rows lead to it, unless `force=true`.
async fn retire<E: Noun>(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    query: Query,
    conditions: Preconditions,
) -> Result<Response> {
    let force = query.is_on("force")?;
    let policy = policy::<E>(&web, &caller, &query)?;
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        request.check(id, history::get::<E>(w, id)?.rev())?;
        door::retire::<E>(w, id, force)?;
        reply::<E>(w, id, &policy, "retired", None)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

async fn restore<E: Noun>(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    conditions: Preconditions,
) -> Result<Response> {
    let policy = policy::<E>(&web, &caller, conditions.query())?;
    let work = move |w: &mut Write<'_>| {
        door::restore::<E>(w, id, None)?;
        reply::<E>(w, id, &policy, "restored", None)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

/// The row as it is now, with what is odd about it.
fn reply<E: Noun>(w: &mut Write<'_>, id: i64, policy: &RedactionPolicy, done: &str, created_at: Option<String>) -> Result<Reply> {
    let seen = one::<E>(w, id, policy)?;
    let warnings = seen.row.warnings(w)?;
    let reply = match created_at {
        Some(path) => Reply::created(&seen, path)?,
        None => Reply::ok(&seen)?,
    };
    let reply = if warnings.is_empty() { reply } else { reply.with("warnings", warnings) };
    Ok(reply.tagged(id, seen.row.rev()).with("message", format!("{} {done}", E::WHAT)))
}
