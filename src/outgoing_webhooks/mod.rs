//! Webhooks that Codex sends: other programs are told what changes (those that it takes are `tickets/hooks/`).

mod api;
mod model;
mod pages;
mod run;
pub mod send;
mod signature;
mod store;

use self::model::{ACTIONS, Endpoint, Message, Wanted};
pub use self::run::{disabled, run};
use crate::{
    config::{Config, Secret},
    db::Db,
    encryption::Encryption,
    error::Result,
    records::entities::ENTITIES,
    types::{Actor, Scope, now_plus},
    web::{Routes, openapi::schema as json},
};

/// How long messages are signed with a former secret too, in seconds.
const OVERLAP: i64 = 86_400;

/// The routes of this room.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/outgoing-webhooks", api::index)
        .tells("List outgoing webhooks", json::list::<Endpoint>)
        .post("/api/outgoing-webhooks", api::create)
        .makes("Add an outgoing webhook; only this answer holds its secret", |schemas| {
            json::with(json::one::<Endpoint>(schemas), &[("secret", json::text())])
        })
        .takes(|_| json::with(json::object(&address()), &choices()))
        .get("/api/outgoing-webhooks/{id}", api::show)
        .tells("Read an outgoing webhook", json::one::<Endpoint>)
        .update("/api/outgoing-webhooks/{id}", api::update)
        .tells("Change an outgoing webhook", json::one::<Endpoint>)
        .takes(|_| json::with(json::optional(&address()), &choices()))
        .delete("/api/outgoing-webhooks/{id}", api::remove)
        .tells("Remove an outgoing webhook with its messages", json::one::<Endpoint>)
        .post("/api/outgoing-webhooks/{id}/secret", api::rotate)
        .tells("Replace the secret; only this answer holds the new one", |schemas| {
            json::with(json::one::<Endpoint>(schemas), &[("secret", json::text())])
        })
        .post("/api/outgoing-webhooks/{id}/test", api::test)
        .tells("Send a test message now", |_| {
            json::object(&[
                ("delivered", json::flag()),
                ("status", json::or_null(json::int())),
                ("error", json::or_null(json::text())),
            ])
        })
        .get("/api/outgoing-webhooks/{id}/messages", api::messages)
        .tells("List the newest messages of an outgoing webhook", json::list::<Message>)
        .asks(&[("state", "pending|delivered|failed", "Only these.")])
        .post("/api/outgoing-webhooks/{id}/replay", api::replay)
        .tells("Send messages again: one, a range of changes, or all that failed", |_| json::object(&[("queued", json::int())]))
        .may_take(|_| {
            let mut which =
                json::optional(&[("message", message_named()), ("from", json::id_of("change")), ("to", json::id_of("change"))]);
            which["dependentRequired"] = serde_json::json!({"to": ["from"]});
            which
        })
        .get("/admin/outgoing-webhooks", pages::index)
        .get("/admin/outgoing-webhooks/new", pages::new)
        .post("/admin/outgoing-webhooks/new", pages::create)
        .get("/admin/outgoing-webhooks/{id}", pages::show)
        .get("/admin/outgoing-webhooks/{id}/edit", pages::edit)
        .post("/admin/outgoing-webhooks/{id}/edit", pages::save)
        .form("/admin/outgoing-webhooks/{id}/test", "/admin/outgoing-webhooks/{id}", pages::test)
        .form("/admin/outgoing-webhooks/{id}/secret", "/admin/outgoing-webhooks/{id}", pages::rotate)
        .form("/admin/outgoing-webhooks/{id}/replay", "/admin/outgoing-webhooks/{id}", pages::replay)
        .form("/admin/outgoing-webhooks/{id}/remove", "/admin/outgoing-webhooks", pages::remove)
}

/// A message by its id, or by the `webhook-id` that it is sent with.
fn message_named() -> serde_json::Value {
    let mut message = json::id_of("webhook_message");
    message["type"] = serde_json::json!(["integer", "string"]);
    message["pattern"] = "^msg_[0-9]+_[0-9]+$".into();
    message["examples"] = serde_json::json!(["msg_3_1207"]);
    message
}

/// What a webhook is sent to.
fn address() -> [(&'static str, serde_json::Value); 2] {
    [("name", json::words(100)), ("url", json::hook())]
}

/// What it is sent.
fn choices() -> [(&'static str, serde_json::Value); 4] {
    let some = |words: Vec<&str>| serde_json::json!({"type": ["array", "null"], "minItems": 1, "items": json::choice(&words)});
    [
        ("entities", some(ENTITIES.iter().map(|entity| entity.name()).collect())),
        ("actions", some(ACTIONS.iter().map(|(action, _)| *action).collect())),
        ("cleared", json::flag()),
        ("enabled", json::flag()),
    ]
}

fn seal(config: &Config) -> Result<(Secret, String)> {
    let secret = signature::secret()?;
    let sealed = Encryption::create(config)?.seal(run::PURPOSE, secret.expose())?;
    Ok((secret, sealed))
}

/// Adds an endpoint; its secret leaves with this.
async fn create(db: &Db, config: &Config, actor: &Actor, wanted: Wanted) -> Result<(Endpoint, Secret)> {
    let (secret, sealed) = seal(config)?;
    let endpoint = db.write(&Scope::All, actor, move |w| store::create(w, &wanted, &sealed)).await?;
    Ok((endpoint, secret))
}

/// Gives an endpoint another secret, which leaves with this.
async fn rotate(db: &Db, config: &Config, actor: &Actor, id: i64) -> Result<(Endpoint, Secret)> {
    let (secret, sealed) = seal(config)?;
    let until = now_plus(OVERLAP);
    let endpoint = db.write(&Scope::All, actor, move |w| store::rotate(w, id, &sealed, &until)).await?;
    Ok((endpoint, secret))
}

/// Sends a message that tells nothing, now.
async fn test(db: &Db, config: &Config, id: i64) -> Result<Result<u16, send::Fault>> {
    let sealed = db.read(&Scope::All, move |c| store::get_sealed(c, id)).await?;
    let secrets = run::open(config, &sealed)?;
    let at = crate::types::now();
    let body = serde_json::json!({ "type": "codex.test", "timestamp": at, "data": { "endpoint": sealed.endpoint.name } });
    let id = format!("msg_test_{}", uuid::Uuid::new_v4().simple());
    Ok(run::signed(&sealed.endpoint.url, &id, body.to_string(), &secrets, config.private_webhooks).await)
}
