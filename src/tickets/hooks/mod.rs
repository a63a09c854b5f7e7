//! Calls from vendors when a ticket changes there (contract §1.12), so that nobody waits for the next sync.
//!
//! They are a hint, not a source: a call never moves the mark from which a sync reads on, and never puts
//! older data over newer.

mod described;
mod event;
pub mod hook_store;
mod proof;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use self::event::{Event, Outcome};
use self::proof::Proof;
use super::codes::SOURCE;
use crate::db::Write;
use crate::error::{Error, Result};
use crate::types::{Actor, ActorKind, Scope, now};
use crate::web::{Peer, Raw, Routes, Web, json, settings_store};

const TICKET: &str = "/webhooks/freshservice/ticket";

/// Where vendors call.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .post(TICKET, ticket)
        .tells("Take what Freshservice tells of a ticket", described::taken)
        .takes(described::event)
        .answers(201, "A ticket that was not here.", described::taken)
        .post("/webhooks/superops/ticket", superops)
        .tells("Take what SuperOps tells of a ticket, and leave it alone", described::left_alone)
        .post("/webhooks/test", test)
        .tells("Try whether a vendor's call gets through", described::tried)
        .get("/webhooks/health", health)
        .tells("Tell whether vendors' calls are taken", described::health)
}

/// Whether a call may be taken, and what it proved.
fn admit(web: &Web, peer: &Peer, headers: &HeaderMap, body: &[u8]) -> Result<Proof> {
    let hooks = &web.config.webhooks;
    if !hooks.enabled {
        return Err(Error::Unavailable("Webhooks are disabled".to_owned()));
    }
    if !hooks.allowed_ips.is_empty() && !hooks.allowed_ips.iter().any(|net| net.contains(&peer.ip)) {
        return Err(Error::Forbidden("IP not allowed".to_owned()));
    }
    proof::prove(hooks.secret.as_ref(), headers, body).ok_or_else(refused)
}

fn refused() -> Error {
    Error::Unauthorized("Unauthorized".to_owned())
}

/// The hand beside a webhook's changes: the vendor's, held by pins as a sync's is.
fn vendor() -> Actor {
    let name = format!("{SOURCE} webhook");
    Actor { kind: ActorKind::Sync, name, source: Some(SOURCE.to_owned()), run_id: None, pins: false, lowers_protection: false }
}

/// `POST /webhooks/freshservice/ticket`
async fn ticket(State(web): State<Web>, peer: Peer, headers: HeaderMap, Raw(body): Raw) -> Result<Response> {
    let proof = admit(&web, &peer, &headers, &body)?;
    let event = Event::read(&json::object(&body)?)?;
    if web.config.webhooks.log_payloads {
        event.log();
    }
    let configured = web.config.freshservice.statuses.clone();
    let id = event.ticket_id;
    let apply = move |w: &mut Write<'_>| {
        settings_store::refuse_demo(w)?;
        event.apply(w, &proof, &configured)
    };
    let outcome = web.db.write(&Scope::All, &vendor(), apply).await?;
    let (status, body) = match outcome {
        Outcome::Created => (StatusCode::CREATED, json!({"status": "created", "ticket_id": id, "provider": SOURCE})),
        Outcome::Updated(changes) => {
            (StatusCode::OK, json!({"status": "updated", "ticket_id": id, "provider": SOURCE, "changes": changes}))
        }
        Outcome::Deleted(word) => {
            (StatusCode::OK, json!({"status": "deleted", "ticket_id": id, "provider": SOURCE, "new_status": word}))
        }
        Outcome::Ignored(reason) => (StatusCode::OK, json!({"status": "ignored", "ticket_id": id, "reason": reason})),
        Outcome::Replayed => return Err(refused()),
    };
    Ok((status, Json(body)).into_response())
}

/// `POST /webhooks/superops/ticket`: taken and left alone; that vendor is not served yet.
async fn superops(State(web): State<Web>, peer: Peer, headers: HeaderMap, Raw(body): Raw) -> Result<Response> {
    admit(&web, &peer, &headers, &body)?;
    tracing::info!("a webhook of SuperOps came in; that vendor is not served yet");
    Ok(Json(json!({"status": "received", "message": "SuperOps tickets are not served yet"})).into_response())
}

/// `POST /webhooks/test`: whether a call gets through.
async fn test(State(web): State<Web>, peer: Peer, headers: HeaderMap, Raw(body): Raw) -> Result<Response> {
    admit(&web, &peer, &headers, &body)?;
    let message = "The call was taken";
    Ok(Json(json!({"status": "ok", "message": message, "source_ip": peer.ip, "timestamp": now()})).into_response())
}

/// `GET /webhooks/health`: for everybody; tells that there is a secret, not which.
async fn health(State(web): State<Web>) -> Response {
    let hooks = &web.config.webhooks;
    Json(json!({
        "status": "healthy",
        "webhooks_enabled": hooks.enabled,
        "secret_configured": hooks.secret.is_some(),
        "ip_allowlist_enabled": !hooks.allowed_ips.is_empty(),
        "supported_providers": [SOURCE],
        "endpoints": {SOURCE: TICKET, "superops": "/webhooks/superops/ticket", "test": "/webhooks/test"},
        "timestamp": now(),
    }))
    .into_response()
}
