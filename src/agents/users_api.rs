//! The people of the platform as `/api/users`: those who have used Codex.

use axum::{Json, extract::State};

use super::{Agent, UserView, store};
use crate::{
    auth::Admin,
    error::{Error, Result},
    types::Scope,
    web::{Path, Web},
};

/// `GET /api/users`
pub async fn index(_: Admin, State(web): State<Web>) -> Result<Json<Vec<UserView>>> {
    let agents = web.db.read(&Scope::All, store::list).await?;
    Ok(Json(agents.into_iter().map(view).collect()))
}

/// `GET /api/users/{id}`, by Keycloak's id.
pub async fn show(_: Admin, State(web): State<Web>, Path(id): Path<String>) -> Result<Json<UserView>> {
    let found = web.db.read(&Scope::All, move |c| store::find(c, &id)).await?;
    found.map(|agent| Json(view(agent))).ok_or(Error::NotFound { what: "User" })
}

fn view(agent: Agent) -> UserView {
    UserView {
        id: agent.subject.into(),
        username: agent.username,
        email: agent.email,
        company_account_number: None,
        permission_level: agent.permission_level,
        name: agent.name,
        enabled: true,
    }
}
