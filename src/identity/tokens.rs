//! Tokens over HTTP, as Core answers them, so that programs written for Core work here too.

use std::sync::Arc;

use axum::{
    Extension, Json,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{Identity, issue::API_SECONDS, origin::Origin, session_store, session_store::Kind, sign_in::SignedIn};
use crate::{
    auth::{Caller, Claims, Verifier, local},
    error::{Error, Result},
    types::{Actor, Scope},
    web::{
        Fields, Peer,
        openapi::{Schemas, schema},
    },
};

/// `GET /.well-known/jwks.json`
pub async fn jwks(Extension(identity): Extension<Identity>) -> Result<impl IntoResponse> {
    identity.publish_key().await?;
    let keys = local::public_keys(&identity.db).await?;
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], Json(json!({ "keys": keys }))))
}

/// `POST /api/token`: name and password for a token.
pub async fn create(Extension(identity): Extension<Identity>, origin: Origin, fields: Fields) -> Result<Response> {
    let (username, password) = (given(&fields, "username")?, given(&fields, "password")?);
    let secrets = (password, given(&fields, "code").ok());
    let SignedIn::Token(token) = identity.sign_in(&username, secrets, &origin, (Kind::Api, API_SECONDS)).await? else {
        return Err(Error::Unauthorized("The code of your second factor is needed besides: send it as code".to_owned()));
    };
    Ok(secret_json(&json!({ "token": token.text, "token_type": "Bearer", "expires_in": token.seconds })))
}

/// `POST /api/token` on the platform, where Core issues the tokens.
pub async fn gone() -> Error {
    Error::Gone {
        message: "Codex issues no tokens on this platform; ask Core: POST /api/token/exchange".to_owned(),
        details: Map::new(),
    }
}

/// `POST /service-token`: a service and its secret for a token.
pub async fn service(Extension(identity): Extension<Identity>, peer: Peer, fields: Fields) -> Result<Response> {
    let (name, secret) = (given(&fields, "calling_service")?, given(&fields, "client_secret")?);
    let target = given(&fields, "target_service").unwrap_or_else(|_| identity.service.to_string());
    let token = identity.sign_in_service(&name, &secret, &target, peer.ip).await?;
    Ok(secret_json(&json!({ "token": token.text, "token_type": "Bearer", "expires_in": token.seconds })))
}

/// `POST /api/token/validate`: whose token it is, if it still stands.
pub async fn validate(Extension(verifier): Extension<Arc<Verifier>>, headers: HeaderMap, fields: Fields) -> Response {
    let token = match presented(&headers, &fields) {
        Ok(token) => token,
        Err(wrong) => {
            return (wrong.status(), Json(json!({ "error": wrong.to_string(), "valid": false }))).into_response();
        }
    };
    match verifier.caller(&token).await {
        Ok(caller) => secret_json(&json!({ "valid": true, "user": described(&caller) })),
        Err(rejected) => match Error::from(rejected) {
            Error::Unauthorized(error) => {
                (StatusCode::UNAUTHORIZED, Json(json!({ "error": error, "valid": false }))).into_response()
            }
            other => other.into_response(),
        },
    }
}

/// `POST /api/token/revoke`: ends the token's session.
pub async fn revoke(
    Extension(identity): Extension<Identity>,
    Extension(verifier): Extension<Arc<Verifier>>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response> {
    let token = presented(&headers, &fields)?;
    let claims = verifier.claims(&token).await?;
    if identity.revoke(&claims).await? {
        return Ok(Json(json!({ "message": "Session revoked successfully" })).into_response());
    }
    let body = Json(json!({ "message": "Session not found or already revoked" }));
    Ok((StatusCode::NOT_FOUND, body).into_response())
}

impl Identity {
    /// Ends the session behind proved claims; tells whether it still stood.
    pub(super) async fn revoke(&self, claims: &Claims) -> Result<bool> {
        let Some(jti) = claims.jti.clone() else { return Ok(false) };
        let actor = Actor::system(claims.caller().name());
        self.db.write(&Scope::All, &actor, move |w| session_store::revoke(w, &jti)).await
    }
}

/// The token in the body, else in the header.
fn presented(headers: &HeaderMap, fields: &Fields) -> Result<String> {
    let sent = match fields.map().get("token") {
        None | Some(Value::Null) => None,
        Some(Value::String(token)) => Some(token.as_str()).filter(|token| !token.is_empty()),
        Some(_) => return Err(Error::field("token", "must be text")),
    };
    let header = || headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ");
    let token = sent.or_else(header).ok_or_else(|| Error::BadRequest("No token provided".to_owned()))?;
    Ok(token.trim().to_owned())
}

/// What [`described`] tells.
pub(super) fn described_answer() -> Value {
    let names = ["type", "name", "email", "preferred_username", "permission_level", "calling_service"];
    let names = names.map(|name| (name, schema::or_null(schema::text())));
    let subject = schema::with(schema::object(&[("sub", schema::text())]), &names);
    schema::with(subject, &[("groups", schema::array(schema::text()))])
}

/// What is told of a token that is not valid.
pub(super) fn invalid_answer(_: &mut Schemas) -> Value {
    schema::object(&[("error", schema::text()), ("valid", schema::flag())])
}

fn described(caller: &Caller) -> Value {
    match caller {
        Caller::User(user) => json!({
            "sub": user.sub, "name": user.name, "email": user.email, "preferred_username": user.username,
            "permission_level": user.level, "groups": [],
        }),
        Caller::Key(key) => json!({ "sub": key.owner.sub, "type": "key", "name": key.name, "permission_level": key.owner.level }),
        Caller::Service { name } => json!({ "sub": format!("service:{name}"), "type": "service", "calling_service": name }),
    }
}

/// A text that must be there, exactly as sent: passwords are not trimmed.
pub(super) fn given(fields: &Fields, name: &str) -> Result<String> {
    match fields.map().get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Value::String(_) | Value::Null) | None => Err(Error::field(name, "is required")),
        Some(_) => Err(Error::field(name, "must be text")),
    }
}

/// An answer that no cache may keep.
fn secret_json(body: &Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
