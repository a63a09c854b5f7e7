//! `/agents`: everybody who uses Codex on the platform. Users are added, changed and deleted in Keycloak, by Helm's calls
//! from the browser; the mirror then brings here what was done.

use askama::Template;
use axum::{extract::State, response::Response};

use super::{AgentView, COLOR_THEMES, PageContext, THEMES, store, users_api::agents_seen};
use crate::{
    auth::{Admin, Level},
    error::Result,
    types::Scope,
    ui::{Crumb, Page, Section, Value, filters},
    web::{Web, encode_segment},
};

#[derive(Template)]
#[template(path = "agents/agents.html")]
struct AgentsPage {
    page: Page,
    crumbs: Vec<Crumb>,
    agents: Vec<Row>,
    /// Whether Keycloak is configured: then it can be asked.
    mirrored: bool,
    themes: [&'static str; 2],
    colors: [&'static str; 9],
}

/// An agent as the page shows them.
struct Row {
    agent: AgentView,
    id: String,
    mail: Value,
    role: &'static str,
    /// The group of Keycloak that gives the role; none for clients.
    group: &'static str,
    state: Value,
    synced: Value,
}

impl Row {
    fn new(agent: AgentView) -> Self {
        let level = Level::from_claim(Some(&agent.permission_level));
        let group = match level {
            Level::Admin => "admins",
            Level::Technician => "technicians",
            Level::Billing => "billing",
            Level::Client => "",
        };
        Self {
            id: encode_segment(&agent.keycloak_id),
            mail: Value::mail(agent.email.as_deref()),
            role: level.title(),
            group,
            state: if agent.enabled { Value::badge("success", "Active") } else { Value::badge("danger", "Disabled") },
            synced: Value::ago(agent.last_synced_at.as_deref()),
            agent,
        }
    }
}

/// `GET /agents`
pub async fn show(caller: Admin, context: PageContext, State(web): State<Web>) -> Result<Response> {
    let agents = web.db.read(&Scope::All, store::list).await?;
    let agents = agents_seen(&web, &caller, agents).await?;
    let page = context.titled(Section::Admin, "Agents");
    context.show(&AgentsPage {
        crumbs: vec![Crumb { href: page.url("/admin/"), text: "Sync".to_owned() }],
        agents: agents.into_iter().map(Row::new).collect(),
        mirrored: web.config.on_platform() && web.config.keycloak.account().is_ok(),
        themes: THEMES,
        colors: COLOR_THEMES,
        page,
    })
}
