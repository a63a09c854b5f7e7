//! What the address of a record answers that went on as another one.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use serde_json::{Value as Json, json};

use std::fmt::Display;

use super::{Resource, forms::Form};
use crate::{
    agents::PageContext,
    auth::Caller,
    db::Conn,
    error::{Error, Result},
    history::{self, Record as _, merges},
    web::{
        ReadRequest, Web, encode_segment,
        openapi::{Schemas, schema},
    },
};

/// When the address of a record leads to another one, for the API description.
pub const WHEN: &str = "It goes on as another record, by a merge.";

/// What is answered then: where that one is.
#[must_use]
pub fn described(_: &mut Schemas) -> Json {
    schema::object(&[("merged_into", schema::int()), ("location", schema::text())])
}

/// The record that this one went on as.
///
/// # Errors
/// `NotFound` when one of the two is beyond the reader's scope.
pub fn winner<R: Resource>(c: &mut Conn, id: i64) -> Result<Option<(i64, R::Key)>> {
    if !R::IS_MERGED {
        return Ok(None);
    }
    match merges::winner(c, R::Row::ENTITY, id)? {
        Some(winner) => {
            // Merges are kept for everybody: whose the two are is said by their rows alone.
            for row in [id, winner] {
                history::get::<R::Row>(c, row)?;
            }
            Ok(Some((winner, R::key_of(c, winner)?)))
        }
        None => Ok(None),
    }
}

/// Refuses to change what went on as another record.
///
/// # Errors
/// `Conflict`, naming that one.
pub fn refuse<R: Resource>(c: &mut Conn, id: i64) -> Result<()> {
    let Some((winner, _)) = winner::<R>(c, id)? else { return Ok(()) };
    let mut details = serde_json::Map::new();
    details.insert("merged_into".to_owned(), winner.into());
    let message = format!("{} {id} was merged into {winner}; change that one, or undo the merge", R::Row::WHAT);
    Err(Error::Conflict { message, details })
}

/// Leads a program to the record that this one went on as. Not for good: a merge can be undone.
pub fn lead<R: Resource>(request: &ReadRequest, winner: i64, key: &R::Key) -> Result<Response> {
    redirect(winner, format!("{}{}", request.prefix, R::path(key)))
}

fn redirect(winner: i64, location: String) -> Result<Response> {
    let body = axum::Json(json!({ "merged_into": winner, "location": location }));
    let mut response = (StatusCode::TEMPORARY_REDIRECT, body).into_response();
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&location).map_err(Error::internal)?);
    Ok(response)
}

/// Leads a program to the same part of the record that this one went on as, such as a company's assets.
///
/// # Errors
/// Those of the database.
pub async fn part<R: Resource>(web: &Web, caller: &Caller, key: &R::Key, request: &ReadRequest) -> Result<Option<Response>>
where
    R::Key: Display,
{
    let wanted = key.clone();
    let read = move |c: &mut Conn| match R::id(c, &wanted) {
        Ok(id) => winner::<R>(c, id),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    };
    let Some((winner, now)) = web.db.read(&caller.scope(), read).await? else { return Ok(None) };
    let [was, is] = [key, &now].map(|key| format!("/{}/", encode_segment(&key.to_string())));
    let query = request.query.encoded();
    let location = format!("{}{}{query}", request.prefix, request.path.replacen(&was, &is, 1));
    redirect(winner, location).map(Some)
}

/// Leads a person to the page of the record that this one went on as.
pub async fn page<R: Form>(web: &Web, context: &PageContext, key: R::Key) -> Result<Option<Response>> {
    let read = move |c: &mut Conn| match R::id(c, &key) {
        Ok(id) => winner::<R>(c, id),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    };
    let winner = web.db.read(&context.scope(), read).await?;
    Ok(winner.map(|(_, key)| Redirect::temporary(&context.page.url(&R::page(&key))).into_response()))
}
