//! Agents as JSON, for administrators (contract §1.9): everybody who has used Codex, and Keycloak's users.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{AgentView, Patch, store, users_api::agents_seen};
use crate::{
    auth::Admin,
    error::{Error, Result},
    types::Scope,
    web::{Fields, Path, Web},
};

/// `GET /api/agents`: by sign-in name.
pub async fn index(caller: Admin, State(web): State<Web>) -> Result<Json<Value>> {
    let agents = web.db.read(&Scope::All, store::list).await?;
    let agents = agents_seen(&web, &caller, agents).await?;
    Ok(Json(json!({ "total": agents.len(), "agents": agents })))
}

/// `GET /api/agents/{id}`, by Keycloak's id.
pub async fn show(caller: Admin, State(web): State<Web>, Path(id): Path<String>) -> Result<Json<AgentView>> {
    let found = web.db.read(&Scope::All, move |c| store::find(c, &id)).await?;
    let agent = found.ok_or(Error::NotFound { what: "Agent" })?;
    agents_seen(&web, &caller, vec![agent]).await?.pop().map(Json).ok_or(Error::NotFound { what: "Agent" })
}

/// `PUT /api/agents/{id}/settings`: what was sent.
pub async fn update(caller: Admin, State(web): State<Web>, Path(id): Path<String>, fields: Fields) -> Result<Json<Value>> {
    let (patch, actor) = (Patch::read(fields)?, caller.actor());
    let agent = web.db.write(&Scope::All, &actor, move |w| store::set_preferences(w, &id, patch)).await?;
    let agent = agents_seen(&web, &caller, vec![agent]).await?.pop();
    Ok(Json(json!({ "success": true, "message": "Settings updated", "agent": agent })))
}
