//! Answers a list: JSON or CSV, whole or in pages, with the headers that say so.

use super::{
    Ask, Web, ask,
    cache::Answer,
    csv, disclosure, etag,
    links::{self, Paging},
};
use crate::{
    db::{
        self, Conn,
        list::{ListQuery, ListSpec, Page},
    },
    error::{Error, Result},
    types::Scope,
};
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// How a list's answer looks.
#[derive(Clone, Debug)]
struct Shape {
    csv: bool,
    fields: Option<Vec<&'static str>>,
    envelope: bool,
}

impl Ask {
    /// What the query string asks of this list.
    ///
    /// # Errors
    /// When a new parameter is wrong, naming it.
    pub fn list(&self, spec: &'static ListSpec) -> Result<ListQuery> {
        ListQuery::parse(spec, self.query.iter())
    }

    fn shape(&self, spec: &ListSpec) -> Result<Shape> {
        let fields = self.query.text("fields")?.map(|names| chosen(spec, names)).transpose()?;
        Ok(Shape { csv: self.wants_csv()?, fields, envelope: self.query.is_on("envelope")? })
    }
}

fn chosen(spec: &ListSpec, names: &str) -> Result<Vec<&'static str>> {
    let mut fields = Vec::new();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let Some(field) = spec.fields.iter().find(|field| **field == name) else {
            let short: String = name.chars().filter(|letter| !letter.is_control()).take(40).collect();
            return Err(Error::field("fields", format!("there is no {short}; possible are {}", spec.fields.join(", "))));
        };
        if !fields.contains(field) {
            fields.push(*field);
        }
    }
    Ok(fields)
}

/// Answers with a list that this caller may see; `variant` tells apart callers of one scope to whom
/// the same rows look different.
///
/// # Errors
/// When the question is wrong, or those of the database.
pub async fn respond<T, F>(web: &Web, scope: &Scope, variant: &str, ask: &Ask, query: ListQuery, load: F) -> Result<Response>
where
    T: Serialize,
    F: FnOnce(&mut Conn, &ListQuery) -> Result<Page<T>> + Send + 'static,
{
    let spec = query.spec();
    let shape = ask.shape(spec)?;
    let slice = query.slice();
    let question = format!("{}|{variant}|{scope:?}|{}|{shape:?}", ask.path, query.normalised());
    let writing = shape.clone();
    let answer = answer(web, scope, &question, spec.entities, move |conn| {
        let page = load(conn, &query)?;
        Ok((write(&writing, spec, &page, slice.map(|slice| (slice.limit, slice.offset)))?, Some(page.total)))
    })
    .await?;
    let total = answer.total.unwrap_or_default();
    ask.tagged(&etag::of_question(&question, &answer.versions), || {
        disclosure::log(&ask.caller, &ask.path, answer.protected);
        let mut response = if shape.csv { as_csv(&ask.path, answer.body) } else { ask::json(answer.body) };
        response.headers_mut().insert("x-total-count", total.into());
        if let Some(links) = slice.and_then(|slice| links::header(ask, &Paging { slice, total })) {
            response.headers_mut().insert(header::LINK, links);
        }
        response
    })
}

/// Answers with anything that depends on these entities alone, through the cache.
///
/// # Errors
/// Those of `make` and of the database.
pub async fn value<T, F>(
    web: &Web,
    scope: &Scope,
    variant: &str,
    ask: &Ask,
    entities: &'static [&'static str],
    make: F,
) -> Result<Response>
where
    T: Serialize,
    F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
{
    let parameters: Vec<(&str, Option<&str>)> = ask.query.iter().map(|(name, value)| (name, value.ok())).collect();
    let variant = format!("{variant}|{parameters:?}");
    json(web, scope, &variant, ask, entities, move |conn| serde_json::to_vec(&make(conn)?).map_err(Error::internal)).await
}

/// Answers with JSON that depends on these entities and on this variant of the question alone (not on
/// any other parameter), through the cache.
///
/// # Errors
/// Those of `make` and of the database.
pub async fn json<F>(
    web: &Web,
    scope: &Scope,
    variant: &str,
    ask: &Ask,
    entities: &'static [&'static str],
    make: F,
) -> Result<Response>
where
    F: FnOnce(&mut Conn) -> Result<Vec<u8>> + Send + 'static,
{
    let question = format!("{}|{variant}|{scope:?}", ask.path);
    let answer = answer(web, scope, &question, entities, move |conn| Ok((make(conn)?, None))).await?;
    ask.tagged(&etag::of_question(&question, &answer.versions), || {
        disclosure::log(&ask.caller, &ask.path, answer.protected);
        ask::json(answer.body)
    })
}

/// The answer from the cache when its data is unchanged; otherwise made anew, once for all who wait.
async fn answer<F>(web: &Web, scope: &Scope, question: &str, entities: &'static [&'static str], make: F) -> Result<Answer>
where
    F: FnOnce(&mut Conn) -> Result<(Vec<u8>, Option<i64>)> + Send + 'static,
{
    let pulse = web.db.pulse();
    let current = async || web.db.read(scope, move |conn| db::versions(conn, entities)).await;
    if let Some(kept) = web.cache.kept(question).await {
        if pulse.is_some() && kept.pulse == pulse {
            return Ok(kept);
        }
        if kept.versions == current().await? {
            web.cache.confirm(question, &kept.versions, pulse).await;
            return Ok(kept);
        }
    }
    let mut slot = web.cache.slot(question).await;
    if let Some(kept) = &*slot
        && kept.versions == current().await?
    {
        return Ok(kept.clone());
    }
    let pulse = web.db.pulse();
    let answer = web
        .db
        .read(scope, move |conn| {
            let versions = db::versions(conn, entities)?;
            let (made, protected) = disclosure::counted(|| make(conn));
            let (body, total) = made?;
            Ok(Answer { versions, pulse, body: body.into(), total, protected })
        })
        .await?;
    if !web.config.server.dev {
        web.cache.keep(question, &mut slot, &answer);
    }
    Ok(answer)
}

fn write<T: Serialize>(shape: &Shape, spec: &ListSpec, page: &Page<T>, slice: Option<(i64, i64)>) -> Result<Vec<u8>> {
    if shape.csv {
        let columns = shape.fields.as_deref().unwrap_or(spec.fields);
        return csv::table(columns, &objects(page)?);
    }
    let items = match &shape.fields {
        Some(fields) => json!(objects(page)?.into_iter().map(|row| only(fields, row)).collect::<Vec<_>>()),
        None if !shape.envelope => return serde_json::to_vec(&page.items).map_err(Error::internal),
        None => serde_json::to_value(&page.items).map_err(Error::internal)?,
    };
    let body = if shape.envelope {
        let (limit, offset) = slice.map_or((None, 0), |(limit, offset)| (Some(limit), offset));
        json!({"items": items, "total": page.total, "limit": limit, "offset": offset})
    } else {
        items
    };
    serde_json::to_vec(&body).map_err(Error::internal)
}

fn objects<T: Serialize>(page: &Page<T>) -> Result<Vec<Map<String, Value>>> {
    let object = |item: &T| match serde_json::to_value(item) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Error::internal("a list's element is no object")),
        Err(error) => Err(Error::internal(error)),
    };
    page.items.iter().map(object).collect()
}

fn only(fields: &[&str], mut row: Map<String, Value>) -> Map<String, Value> {
    fields.iter().map(|field| ((*field).to_owned(), row.remove(*field).unwrap_or(Value::Null))).collect()
}

fn as_csv(path: &str, body: bytes::Bytes) -> Response {
    let name: String =
        path.rsplit('/').find(|part| !part.is_empty()).unwrap_or("list").chars().filter(char::is_ascii_alphanumeric).collect();
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\""));
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    if let Ok(disposition) = disposition {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}
