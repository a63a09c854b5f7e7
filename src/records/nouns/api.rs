//! A noun as JSON.

use axum::{extract::State, response::Response};

use super::{about, any::OfNoun};
use crate::web::openapi::{Schemas, schema as json};
use crate::{
    auth::Reader,
    companies::store as companies,
    compliance::RedactionPolicy,
    db::{
        Conn,
        list::{ListQuery, Slice},
    },
    entity::{
        Noun, Seen,
        noun::{self, Paths},
        once::lasting,
        schema,
    },
    error::Result,
    resource::{Resource, api as resource, as_of},
    web::{Path, Query, ReadRequest, Routes, Web, list},
};

/// What can be asked about a noun and done to its rows.
pub fn routes<E: Noun>() -> Routes {
    let paths = Paths::of::<E>();
    let many = E::DOOR.many;
    Routes::new()
        .get(paths.list, index::<E>)
        .tells(lasting(format!("List {many}")), json::list::<Seen<E>>)
        .asks(&[as_of::PARAMETER])
        .merge(resource::routes::<OfNoun<E>>(paths.list, paths.one, paths.restore))
        .get(paths.of_company, of_company::<E>)
        .tells(lasting(format!("List the {many} of a company")), json::list::<Seen<E>>)
}

/// A noun's company is sent by its number or its id; what a noun is about, by its kind and id.
const COMPANY: [&str; 2] = ["company_id", "company_account_number"];

/// What may be sent of a noun.
pub fn body<E: Noun>(schemas: &mut Schemas, creating: bool) -> serde_json::Value {
    let fields = if creating { schema::new::<E>(schemas) } else { schema::changed::<E>(schemas) };
    json::with(fields, &COMPANY.map(|name| (name, json::any())))
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

async fn index<E: Noun>(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let query = request.list(noun::list::<E>())?;
    let company = company_asked(&request.query)?;
    let policy = OfNoun::<E>::view(&caller, &web.config, &request.query)?;
    if let Some(was) = as_of::list::<E>(&web, &caller, &request, noun::list::<E>(), None).await? {
        return Ok(was);
    }
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
    let policy = OfNoun::<E>::view(&caller, &web.config, &request.query)?;
    if let Some(was) = as_of::list::<E>(&web, &caller, &request, noun::list::<E>(), Some(acct.clone())).await? {
        return Ok(was);
    }
    list::respond(&web, &caller.scope(), "", &request, query, move |c, query, rows| {
        companies::id_of(c, &acct)?;
        let query = narrowed::<E>(c, query, Some(&acct))?;
        each::<E>(c, &query, &policy, rows)
    })
    .await
}
