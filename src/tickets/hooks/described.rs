//! What vendors send here and are answered, as the API description says it.

use serde_json::{Value, json};

use super::event::KINDS;
use crate::web::openapi::schema::{Schemas, array, choice, flag, map, object, text, with};

/// A number, or the text of one: workflows send both.
fn number() -> Value {
    json!({"type": ["integer", "string", "null"]})
}

/// What a call tells.
pub fn event(_: &mut Schemas) -> Value {
    let needed = [
        ("event", json!({"type": "string", "pattern": "^ticket\\.[a-z]+$", "examples": KINDS})),
        ("ticket_id", json!({"type": ["integer", "string"], "minimum": 1, "pattern": "^[1-9][0-9]{0,17}$", "examples": [4101]})),
    ];
    let texts = ["subject", "requester_email", "requester_name"].map(|name| (name, json!({"type": ["string", "null"]})));
    let words = ["status", "status_id", "priority", "priority_id"].map(|name| (name, number()));
    let ids = ["requester_id", "responder_id", "group_id", "department_id"].map(|name| (name, number()));
    let moments = ["created_at", "updated_at"].map(|name| (name, json!({"type": ["string", "null"]})));
    with(object(&needed), &[&texts[..], &words[..], &ids[..], &moments[..]].concat())
}

/// What became of it.
pub fn taken(_: &mut Schemas) -> Value {
    let ticket_id = json!({"type": "integer"});
    let answer = object(&[("status", choice(&["created", "updated", "deleted", "ignored"])), ("ticket_id", ticket_id)]);
    let others = [("provider", text()), ("changes", array(text())), ("new_status", text()), ("reason", text())];
    with(answer, &others)
}

/// That it came in.
pub fn left_alone(_: &mut Schemas) -> Value {
    object(&[("status", text()), ("message", text())])
}

/// That it came through, and from where.
pub fn tried(_: &mut Schemas) -> Value {
    object(&["status", "message", "source_ip", "timestamp"].map(|name| (name, text())))
}

/// How calls are taken.
pub fn health(_: &mut Schemas) -> Value {
    let flags = ["webhooks_enabled", "secret_configured", "ip_allowlist_enabled"].map(|name| (name, flag()));
    let told =
        object(&[("status", text()), ("supported_providers", array(text())), ("endpoints", map(text())), ("timestamp", text())]);
    with(told, &flags)
}
