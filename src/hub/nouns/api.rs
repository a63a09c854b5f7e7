//! A noun as JSON.

use axum::{extract::State, response::Response};

use super::door;
use crate::{
    auth::{Editor, Reader},
    companies::store as companies,
    db::{Conn, Write, list::ListQuery},
    entity::{
        Noun,
        noun::{self, Paths},
    },
    error::{Error, Result},
    history,
    web::{Ask, Conditions, Fields, Path, Query, Reply, Routes, Web, list},
};

/// What can be asked about a noun and done to its rows.
pub fn routes<E: Noun>() -> Routes {
    let paths = Paths::of::<E>();
    Routes::new()
        .get(paths.list, index::<E>)
        .post(paths.list, create::<E>)
        .get(paths.one, show::<E>)
        .update(paths.one, update::<E>)
        .delete(paths.one, retire::<E>)
        .post(paths.restore, restore::<E>)
        .get(paths.of_company, of_company::<E>)
}

/// The question with its company, as a number or an id; rows of a company that there is not are none.
///
/// # Errors
/// Those of the engine.
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

async fn index<E: Noun>(State(web): State<Web>, caller: Reader, ask: Ask) -> Result<Response> {
    let query = ask.list(noun::list::<E>())?;
    let company = company_asked(&ask.query)?;
    let variant = format!("{company:?}");
    list::respond(&web, &caller.scope(), &variant, &ask, query, move |c, query, rows| {
        narrowed::<E>(c, query, company.as_deref())?.each(c, |row| rows.push(&noun::view::<E>(row)?))
    })
    .await
}

async fn of_company<E: Noun>(State(web): State<Web>, caller: Reader, Path(acct): Path<String>, ask: Ask) -> Result<Response> {
    let query = ask.list(noun::list::<E>())?;
    list::respond(&web, &caller.scope(), "", &ask, query, move |c, query, rows| {
        companies::id_of(c, &acct)?;
        narrowed::<E>(c, query, Some(&acct))?.each(c, |row| rows.push(&noun::view::<E>(row)?))
    })
    .await
}

async fn show<E: Noun>(State(web): State<Web>, caller: Reader, Path(id): Path<i64>, ask: Ask) -> Result<Response> {
    let seen = web.db.read(&caller.scope(), move |c| noun::get::<E>(c, id)).await?;
    ask.row(id, seen.row.rev(), &seen)
}

async fn create<E: Noun>(State(web): State<Web>, caller: Editor, conditions: Conditions, fields: Fields) -> Result<Response> {
    let body = fields.digest();
    let input = door::read::<E>(fields, true)?;
    let work = move |w: &mut Write<'_>| {
        let id = door::create(w, &input)?.id();
        reply::<E>(w, id, "created", Some(format!("/api/{}/{id}", E::DOOR.api)))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

async fn update<E: Noun>(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    conditions: Conditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let stands = async {
        let seen = web.db.read(&caller.scope(), move |c| noun::get::<E>(c, id)).await?;
        serde_json::to_value(seen).map_err(Error::internal)
    };
    let input = fields.of_record(door::read::<E>, stands).await?;
    let expected = conditions.rev(id)?;
    let work = move |w: &mut Write<'_>| {
        door::update(w, id, &input, expected)?;
        reply::<E>(w, id, "updated", None)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

/// Refuses while other rows lead to it, unless `force=true`.
async fn retire<E: Noun>(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    query: Query,
    conditions: Conditions,
) -> Result<Response> {
    let force = query.is_on("force")?;
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        request.check(id, history::get::<E>(w, id)?.rev())?;
        door::retire::<E>(w, id, force)?;
        reply::<E>(w, id, "retired", None)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

async fn restore<E: Noun>(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    conditions: Conditions,
) -> Result<Response> {
    let work = move |w: &mut Write<'_>| {
        history::restore::<E>(w, id, None)?;
        reply::<E>(w, id, "restored", None)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

/// The row as it is now, with what is odd about it.
fn reply<E: Noun>(w: &mut Write<'_>, id: i64, done: &str, created_at: Option<String>) -> Result<Reply> {
    let seen = noun::get::<E>(w, id)?;
    let warnings = seen.row.warnings(w)?;
    let reply = match created_at {
        Some(path) => Reply::created(&seen, path)?,
        None => Reply::ok(&seen)?,
    };
    let reply = if warnings.is_empty() { reply } else { reply.with("warnings", warnings) };
    Ok(reply.tagged(id, seen.row.rev()).with("message", format!("{} {done}", E::WHAT)))
}
