//! The people of the platform as `/api/users`: those who have used Codex.

use axum::{Json, extract::State};

use super::{Agent, AgentView, UserView, store};
use crate::{
    auth::{Admin, Caller},
    compliance::{Level, Personal, RedactionPolicy},
    db::Conn,
    error::{Error, Result},
    history::protection,
    types::Scope,
    web::{Path, Query, Web},
};

/// `GET /api/users`
pub async fn index(caller: Admin, State(web): State<Web>) -> Result<Json<Vec<UserView>>> {
    let agents = web.db.read(&Scope::All, store::list).await?;
    seen(&web, &caller, agents.into_iter().map(view).collect()).await.map(Json)
}

/// `GET /api/users/{id}`, by Keycloak's id.
pub async fn show(caller: Admin, State(web): State<Web>, Path(id): Path<String>) -> Result<Json<UserView>> {
    let found = web.db.read(&Scope::All, move |c| store::find(c, &id)).await?;
    let user = found.map(view).ok_or(Error::NotFound { what: "User" })?;
    seen(&web, &caller, vec![user]).await?.pop().map(Json).ok_or(Error::NotFound { what: "User" })
}

/// Users as this caller may see them: where anybody is protected, a client's users may be among them. Who is cleared reads
/// them all, and it is noted whose contacts those are.
pub async fn seen(web: &Web, caller: &Caller, mut users: Vec<UserView>) -> Result<Vec<UserView>> {
    let policy = RedactionPolicy::of(caller, &web.config, &Query::default())?;
    if !web.db.read(&Scope::All, protection::anybody).await? {
        return Ok(users);
    }
    if policy.is_cleared() {
        return web
            .db
            .read(&Scope::All, move |c| {
                log_clients(c, &users, &policy)?;
                Ok(users)
            })
            .await;
    }
    for user in users.iter_mut().filter(|user| is_client(user)) {
        user.is_hidden = true;
        user.name = policy.reveal(Level::Hipaa, Personal::Name, &user.name).unwrap_or_default();
        user.email = policy.reveal_option(Level::Hipaa, Personal::Email, user.email.take());
        if user.username.contains('@') {
            user.username = policy.reveal(Level::Hipaa, Personal::Email, &user.username).unwrap_or_default();
        }
    }
    Ok(users)
}

fn is_client(user: &UserView) -> bool {
    user.permission_level == "client"
}

/// Notes whose contacts those are whom somebody who is cleared reads among these users.
pub fn log_clients(c: &mut Conn, users: &[UserView], policy: &RedactionPolicy) -> Result<()> {
    let clients = users.iter().filter(|user| is_client(user));
    let addresses: Vec<String> =
        clients.flat_map(|user| user.email.iter().chain([&user.username])).filter(|text| text.contains('@')).cloned().collect();
    let people = protection::with_addresses(c, &addresses)?;
    policy.log_disclosure("contact", people);
    Ok(())
}

/// Agents as this caller may see them.
pub async fn agents_seen(web: &Web, caller: &Caller, agents: Vec<Agent>) -> Result<Vec<AgentView>> {
    let users = seen(web, caller, agents.iter().cloned().map(view).collect()).await?;
    Ok(agents.into_iter().zip(users).map(|(agent, user)| AgentView::new(agent, user)).collect())
}

fn view(agent: Agent) -> UserView {
    UserView {
        id: agent.subject.into(),
        username: agent.username,
        email: agent.email,
        company_account_number: None,
        permission_level: agent.permission_level,
        name: agent.name,
        enabled: agent.enabled,
        is_hidden: false,
    }
}
