//! API keys as JSON, for people: no program makes or ends keys, whatever it may do otherwise.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::{Owner, Wanted, is_of, make, reauthenticate, store};
use crate::{
    auth::{ApiKey, Person, Verifier},
    error::{Error, Result},
    types::Scope,
    web::{Fields, Path, Peer, Prefix, ReadRequest, Web},
};

/// Whose keys somebody sees and ends: administrators everybody's, others their own.
fn whose(person: &Person) -> Option<String> {
    (!person.0.is_admin()).then(|| person.user().sub.clone())
}

/// `GET /api/keys?owner=`: the newest first, also those that have ended.
pub async fn index(State(web): State<Web>, person: Person, request: ReadRequest) -> Result<Response> {
    let (subject, owner) = (whose(&person), request.query.text("owner")?.map(str::to_lowercase));
    let mut keys = web.db.read(&Scope::All, move |c| store::all(c, subject.as_deref())).await?;
    keys.retain(|key| owner.as_ref().is_none_or(|owner| key.owner.to_lowercase() == *owner));
    request.value(&keys)
}

/// `GET /api/keys/{id}`
pub async fn show(State(web): State<Web>, person: Person, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let key = web.db.read(&Scope::All, move |c| store::get(c, id)).await?;
    is_of(&key, whose(&person).as_deref())?;
    request.value(&key)
}

/// `POST /api/keys`: the one answer that has the key itself, under `key`. Who signs in here sends `current_password` along.
pub async fn create(
    State(web): State<Web>,
    person: Person,
    Extension(verifier): Extension<Arc<Verifier>>,
    prefix: Prefix,
    peer: Peer,
    mut fields: Fields,
) -> Result<Response> {
    let reach = verifier.api_keys().reach();
    let watch = fields.watch();
    let wanted = Wanted::read(fields.clone(), reach)?;
    // A limit that is misspelt must not make a key without limits.
    watch.refuse_unknown(|name| name == "current_password")?;
    reauthenticate(&verifier, person.user(), &fields, &peer).await?;
    let owner = Owner { user: person.user().clone(), on_platform: web.config.on_platform() };
    let (text, key) = make(&web.db, &person.0.actor(), owner, reach, wanted).await?;
    let location = format!("{prefix}/api/keys/{}", key.id);
    let headers = [(header::CACHE_CONTROL, "no-store".to_owned()), (header::LOCATION, location)];
    Ok((StatusCode::CREATED, headers, Json(with_text(&key, &text)?)).into_response())
}

/// The key as it is kept, with the key itself in front.
pub fn with_text(key: &ApiKey, text: &str) -> Result<Value> {
    let mut body = json!({ "key": text });
    if let (Some(body), Value::Object(kept)) = (body.as_object_mut(), serde_json::to_value(key).map_err(Error::internal)?) {
        body.extend(kept);
    }
    Ok(body)
}

/// `DELETE /api/keys/{id}`: it ends with this answer.
pub async fn revoke(State(web): State<Web>, person: Person, Path(id): Path<i64>) -> Result<Json<ApiKey>> {
    super::revoke(&web.db, &person.0.actor(), id, whose(&person)).await.map(Json)
}
