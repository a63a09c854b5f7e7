//! Outgoing webhooks as JSON, for administrators who are people: a program does not have Codex tell it more.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::{
    model::{DELIVERED, Endpoint, FAILED, Message, PENDING, Wanted},
    run, store,
};
use crate::{
    auth::AdminPerson,
    config::Secret,
    error::{Error, Result},
    types::Scope,
    web::{Fields, Path, Prefix, Query, ReadRequest, Web},
};

/// How many messages one answer has.
const SHOWN: i64 = 200;

/// `GET /api/outgoing-webhooks`
pub async fn index(_: AdminPerson, State(web): State<Web>, request: ReadRequest) -> Result<Response> {
    request.value(&web.db.read(&Scope::All, store::all).await?)
}

/// `GET /api/outgoing-webhooks/{id}`
pub async fn show(_: AdminPerson, State(web): State<Web>, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    request.value(&web.db.read(&Scope::All, move |c| store::get(c, id)).await?)
}

/// The endpoint with its secret, which no other answer holds.
fn with_secret(endpoint: &Endpoint, secret: &Secret) -> Result<Value> {
    let mut body = serde_json::to_value(endpoint).map_err(Error::internal)?;
    body["secret"] = secret.expose().into();
    Ok(body)
}

/// `POST /api/outgoing-webhooks`
pub async fn create(caller: AdminPerson, State(web): State<Web>, prefix: Prefix, fields: Fields) -> Result<Response> {
    let wanted = Wanted::read(fields, true, web.config.private_webhooks)?;
    let (endpoint, secret) = super::create(&web.db, &web.config, &caller.actor(), wanted).await?;
    let location = format!("{prefix}/api/outgoing-webhooks/{}", endpoint.id);
    let headers = [(header::CACHE_CONTROL, "no-store".to_owned()), (header::LOCATION, location)];
    Ok((StatusCode::CREATED, headers, Json(with_secret(&endpoint, &secret)?)).into_response())
}

/// `PUT` and `PATCH /api/outgoing-webhooks/{id}`: what was sent.
pub async fn update(caller: AdminPerson, State(web): State<Web>, Path(id): Path<i64>, fields: Fields) -> Result<Json<Endpoint>> {
    let wanted = Wanted::read(fields, false, web.config.private_webhooks)?;
    web.db.write(&Scope::All, &caller.actor(), move |w| store::update(w, id, &wanted)).await.map(Json)
}

/// `DELETE /api/outgoing-webhooks/{id}`
pub async fn remove(caller: AdminPerson, State(web): State<Web>, Path(id): Path<i64>) -> Result<Json<Endpoint>> {
    web.db.write(&Scope::All, &caller.actor(), move |w| store::remove(w, id)).await.map(Json)
}

/// `POST /api/outgoing-webhooks/{id}/secret`
pub async fn rotate(caller: AdminPerson, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let (endpoint, secret) = super::rotate(&web.db, &web.config, &caller.actor(), id).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(with_secret(&endpoint, &secret)?)).into_response())
}

/// `POST /api/outgoing-webhooks/{id}/test`
pub async fn test(_: AdminPerson, State(web): State<Web>, Path(id): Path<i64>) -> Result<Json<Value>> {
    let (status, error) = match super::test(&web.db, &web.config, id).await? {
        Ok(status) => (Some(status), None),
        Err(fault) => (fault.status, Some(fault.message)),
    };
    Ok(Json(json!({ "delivered": error.is_none(), "status": status, "error": error })))
}

/// `GET /api/outgoing-webhooks/{id}/messages?state=`: the newest first.
pub async fn messages(_: AdminPerson, State(web): State<Web>, Path(id): Path<i64>, query: Query) -> Result<Json<Vec<Message>>> {
    let state = query.text("state")?.map(str::to_owned);
    if state.as_deref().is_some_and(|state| ![PENDING, DELIVERED, FAILED].contains(&state)) {
        return Err(Error::field("state", "must be pending, delivered or failed"));
    }
    let read = web.db.read(&Scope::All, move |c| {
        store::get(c, id)?;
        store::messages(c, id, state.as_deref(), SHOWN)
    });
    read.await.map(Json)
}

/// `POST /api/outgoing-webhooks/{id}/replay`: one `message` by its id here or by its `webhook-id`, the changes `from` one `to`
/// another, or all that failed.
pub async fn replay(caller: AdminPerson, State(web): State<Web>, Path(id): Path<i64>, mut fields: Fields) -> Result<Json<Value>> {
    if let Some(seq) = fields.raw_text("message").and_then(|sent| run::change_of(id, sent)) {
        let queued = run::replay_range(&web.db, &caller.actor(), id, seq, Some(seq)).await?;
        return Ok(Json(json!({ "queued": queued })));
    }
    let message = fields.int("message").value();
    let from = fields.int("from").between(1, i64::MAX).value();
    let to = fields.int("to").between(1, i64::MAX).value();
    if message.is_some() && from.is_some() {
        fields.refuse("message", "and from exclude each other");
    }
    if to.is_some() && from.is_none() {
        fields.refuse("from", "is required with to");
    }
    fields.finish()?;
    let queued = match from {
        Some(from) => run::replay_range(&web.db, &caller.actor(), id, from, to).await?,
        None => web.db.write(&Scope::All, &caller.actor(), move |w| store::replay(w, id, message)).await?,
    };
    Ok(Json(json!({ "queued": queued })))
}
