//! Notices as JSON: what is wrong, what somebody wants to be told, channels, and what could not be delivered.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::{
    channels,
    settings::{self, Settings},
    store::{self, Channel},
};
use crate::{
    auth::{AdminPerson, Person, Staff},
    error::{Error, Result},
    mail::{self, Letter},
    types::Scope,
    web::{Fields, Path, Prefix, ReadRequest, Web},
};

/// `GET /api/notices`: what is wrong now, the newest first; services and administrators see all of it.
pub async fn index(caller: Staff, State(web): State<Web>, request: ReadRequest) -> Result<Response> {
    let mut open = web.db.read(&Scope::All, store::open).await?;
    if let Some(level) = caller.level().filter(|_| !caller.is_admin()) {
        let may = |name: &str| crate::status::notice::find(name).is_some_and(|kind| kind.roles.contains(&level));
        open.retain(|notice| may(&notice.kind));
    }
    request.value(&open)
}

/// `GET /api/my/notices`
pub async fn mine(person: Person, State(web): State<Web>) -> Result<Json<Settings>> {
    let (config, user) = (web.config.clone(), person.user().clone());
    web.db.read(&Scope::All, move |c| settings::of(c, &config, &user)).await.map(Json)
}

/// `PUT /api/my/notices`: what was sent.
pub async fn choose(person: Person, State(web): State<Web>, fields: Fields) -> Result<Json<Settings>> {
    let wanted = settings::Wanted::read(fields, person.user())?;
    let (config, user) = (web.config.clone(), person.user().clone());
    let work = move |w: &mut crate::db::Write<'_>| settings::save(w, &config, &user, wanted);
    web.db.write(&Scope::All, &person.0.actor(), work).await.map(Json)
}

/// `GET /api/notice-channels`
pub async fn channels(_: AdminPerson, State(web): State<Web>, request: ReadRequest) -> Result<Response> {
    request.value(&web.db.read(&Scope::All, store::channels).await?)
}

/// `POST /api/notice-channels`
pub async fn add_channel(caller: AdminPerson, State(web): State<Web>, prefix: Prefix, fields: Fields) -> Result<Response> {
    let wanted = channels::Wanted::read(fields, web.config.private_webhooks)?;
    let channel = channels::add(&web.db, &web.config, &caller.actor(), wanted).await?;
    let location = [(header::LOCATION, format!("{prefix}/api/notice-channels/{}", channel.id))];
    Ok((StatusCode::CREATED, location, Json(channel)).into_response())
}

/// `DELETE /api/notice-channels/{id}`
pub async fn remove_channel(caller: AdminPerson, State(web): State<Web>, Path(id): Path<i64>) -> Result<Json<Channel>> {
    web.db.write(&Scope::All, &caller.actor(), move |w| store::remove_channel(w, id)).await.map(Json)
}

/// `POST /api/notice-channels/{id}/test`
pub async fn test_channel(_: AdminPerson, State(web): State<Web>, Path(id): Path<i64>) -> Result<Json<Value>> {
    let error = channels::test(&web.db, &web.config, id).await?.err().map(|fault| fault.message);
    Ok(Json(json!({ "delivered": error.is_none(), "error": error })))
}

/// `GET /api/notices/undelivered`
pub async fn undelivered(_: AdminPerson, State(web): State<Web>, request: ReadRequest) -> Result<Response> {
    request.value(&web.db.read(&Scope::All, store::undelivered).await?)
}

/// `POST /api/notices/undelivered/{id}/retry`
pub async fn retry(caller: AdminPerson, State(web): State<Web>, Path(id): Path<i64>) -> Result<Json<Value>> {
    web.db.write(&Scope::All, &caller.actor(), move |w| store::retry(w, id)).await?;
    Ok(Json(json!({ "success": true })))
}

/// `POST /api/mail/test`: to this `address`, else to whoever asks.
pub async fn test_mail(caller: AdminPerson, State(web): State<Web>, mut fields: Fields) -> Result<Json<Value>> {
    let address = fields.text("address").max(254).value();
    fields.finish()?;
    let own = caller.user().map(|user| user.email.clone()).unwrap_or_default();
    let error = send_test(&web, &address.unwrap_or(own)).await?.err();
    Ok(Json(json!({ "delivered": error.is_none(), "error": error })))
}

/// Sends a test mail; what the server said when it did not take it.
pub async fn send_test(web: &Web, address: &str) -> Result<Result<(), String>> {
    let Some(mail) = &web.config.mail else {
        return Err(Error::conflict("no mail is sent: set host and from in section [mail] of codex.conf"));
    };
    Ok(mail::send(mail, &Letter::test(address)).await.map_err(|fault| fault.message))
}
