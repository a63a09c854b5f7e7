//! Tickets and agents as Beacon and Brainhair ask for them (contract §1.6.5, §1.6.6).

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::api::{part, variant};
use super::list_store::{self, ENTITIES, Filters, LIST, SOURCE};
use super::psa_views::{ActivePsaTicket, PsaTicket};
use super::{statuses_store, store};
use crate::agents::{AgentView, psa_agents};
use crate::auth::Reader;
use crate::compliance::Lens;
use crate::db::list::Page;
use crate::error::Result;
use crate::web::{Ask, Routes, Web, list};

/// How many tickets the list has when nothing is asked.
const LIMIT: i64 = 100;

pub(super) fn routes() -> Routes {
    Routes::new().get("/api/psa/tickets", tickets).get("/api/psa/tickets/active", active).get("/api/freshservice/agents", agents)
}

/// `GET /api/psa/tickets?provider=&status=&company=&limit=`: a plain array, the newest first.
async fn tickets(State(web): State<Web>, caller: Reader, ask: Ask) -> Result<Response> {
    let query = ask.list(&LIST)?.with_slice(Some(part(&ask, LIMIT)?));
    let asked = Filters::read(&ask.query)?;
    let text = |name: &str| ask.query.text(name).map(|value| value.map(str::to_owned));
    let filters = Filters { provider: text("provider")?, company: text("company")?.or(asked.company.clone()), ..asked };
    let lens = Lens::of(&caller, &web.config, &ask.query)?;
    let (variant, configured) = (variant(&caller, &lens, &filters), web.config.freshservice.statuses.clone());
    list::respond(&web, &caller.scope(), &variant, &ask, query, move |conn, query| {
        let Page { items, total } = list_store::list(conn, query, &filters, &lens, &configured)?;
        Ok(Page { items: items.into_iter().map(PsaTicket::from).collect(), total })
    })
    .await
}

/// `GET /api/psa/tickets/active?provider=`: what is worked on, the urgent first.
async fn active(State(web): State<Web>, caller: Reader, ask: Ask) -> Result<Response> {
    let lens = Lens::of(&caller, &web.config, &ask.query)?;
    let provider = ask.query.text("provider")?.map(str::to_lowercase);
    let (variant, configured) = (variant(&caller, &lens, &Filters::default()), web.config.freshservice.statuses.clone());
    list::value(&web, &caller.scope(), &variant, &ask, ENTITIES, move |conn| {
        let statuses = statuses_store::load(conn, SOURCE, &configured)?;
        let mut rows = store::active(conn, None, None)?;
        rows.retain(|row| {
            ActivePsaTicket::STATUSES.contains(&row.ticket.status.as_str())
                && provider.as_ref().is_none_or(|provider| *provider == row.ticket.external_source)
        });
        rows.sort_by_cached_key(|row| {
            let urgency = row.ticket.priority_id.unwrap_or(0);
            (std::cmp::Reverse(urgency), std::cmp::Reverse(row.updated_at()), row.ticket.id)
        });
        lens.disclose("tickets", rows.iter().filter(|row| row.is_protected()).count());
        Ok(rows.into_iter().map(|row| ActivePsaTicket::new(row.through(&lens), &statuses)).collect::<Vec<_>>())
    })
    .await
}

/// `GET /api/freshservice/agents`: the active ones, by name.
async fn agents(State(web): State<Web>, caller: Reader, ask: Ask) -> Result<Response> {
    let agents = web.db.read(&caller.scope(), |conn| psa_agents(conn, Some(SOURCE))).await?;
    let active: Vec<Value> = agents
        .into_iter()
        .map(AgentView::from)
        .filter(|agent| agent.active)
        .map(|agent| json!({"id": agent.external_id, "name": agent.name}))
        .collect();
    ask.value(&active)
}
