//! The outbox over HTTP: what waits, a person's decisions about it, and writing a row's values to the vendor.

use axum::{extract::State, response::Response};
use serde_json::json;

use super::{
    model::{Entry, State as EntryState},
    push::{self, What},
    store,
};
use crate::web::openapi::schema as json;
use crate::{
    auth::{Admin, Editor},
    companies,
    compliance::{RedactionPolicy, tell},
    db::Conn,
    error::{Error, Result},
    history::Unredacted,
    jobs::{self, Options},
    types::Scope,
    vendors::{self, credentials},
    web::{Fields, Path, Preconditions, ReadRequest, Reply, Routes, Web},
};

/// The most entries in one answer, and how many when nothing is asked.
const LIMIT: (i64, i64) = (1_000, 100);

/// The routes of the outbox.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/outbox", index)
        .tells("List what is to be written to vendors", json::list::<Entry>)
        .get("/api/outbox/{id}", show)
        .tells("Read an entry of the outbox", json::one::<Entry>)
        .post("/api/outbox/{id}/approve", approve)
        .tells("Approve an entry of the outbox", |schemas| json::done(&[("entry", json::one::<Entry>(schemas))]))
        .post("/api/outbox/{id}/retry", retry)
        .tells("Try an entry of the outbox again", |schemas| json::done(&[("entry", json::one::<Entry>(schemas))]))
        .post("/api/outbox/{id}/discard", discard)
        .tells("Discard an entry of the outbox", |schemas| json::done(&[("entry", json::one::<Entry>(schemas))]))
        .post("/api/companies/{acct}/push", push_company)
        .tells("Write a company to the service desk", |schemas| {
            json::done(&[
                ("message", json::text()),
                ("entries", json::list::<Entry>(schemas)),
                ("entry", json::one::<Entry>(schemas)),
            ])
        })
        .may_take(|_| pushed(What::Company))
        .post("/api/contacts/{id}/push", push_contact)
        .tells("Write a contact to the service desk", |schemas| {
            json::done(&[
                ("message", json::text()),
                ("entries", json::list::<Entry>(schemas)),
                ("entry", json::one::<Entry>(schemas)),
            ])
        })
        .may_take(|_| pushed(What::Contact))
}

/// Which of a row's fields are to be written: those that are pinned when nobody says it.
fn pushed(what: What) -> serde_json::Value {
    json::optional(&[("fields", json::or_null(json::array(json::choice(&what.columns()))))])
}

/// `GET /api/outbox?state=&limit=`: the newest entries, those first that are not over.
async fn index(State(web): State<Web>, caller: Admin, request: ReadRequest) -> Result<Response> {
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let state = match request.query.text("state")? {
        None => None,
        Some(word) => Some(EntryState::parse(word).ok_or_else(|| {
            let words = EntryState::ALL.map(EntryState::as_str).join(", ");
            Error::field("state", format!("must be one of {words}"))
        })?),
    };
    let limit = request.query.count("limit")?.unwrap_or(LIMIT.1).clamp(1, LIMIT.0);
    let read = move |c: &mut Conn| {
        let entries = store::list(c, state, limit)?;
        tell(c, entries, &policy)
    };
    let entries = web.db.read(&Scope::All, read).await?;
    request.value(&entries)
}

/// `GET /api/outbox/{id}`
async fn show(State(web): State<Web>, caller: Admin, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let read = move |c: &mut Conn| {
        let entry = store::get(c, id)?;
        one(c, entry, &policy)
    };
    request.value(&web.db.read(&Scope::All, read).await?)
}

/// `POST /api/outbox/{id}/approve`: what the vendor has instead is to be overwritten.
async fn approve(State(web): State<Web>, caller: Admin, Path(id): Path<i64>, conditions: Preconditions) -> Result<Response> {
    again(&web, &caller, id, &conditions, true).await
}

/// `POST /api/outbox/{id}/retry`: to be sent again.
async fn retry(State(web): State<Web>, caller: Admin, Path(id): Path<i64>, conditions: Preconditions) -> Result<Response> {
    again(&web, &caller, id, &conditions, false).await
}

/// An entry as this caller may be told.
fn one(c: &mut Conn, entry: Unredacted<Entry>, policy: &RedactionPolicy) -> Result<Entry> {
    tell(c, vec![entry], policy)?.pop().ok_or(Error::NotFound { what: "Outbox entry" })
}

async fn again(web: &Web, caller: &Admin, id: i64, conditions: &Preconditions, overwrite: bool) -> Result<Response> {
    let policy = RedactionPolicy::of(caller, &web.config, conditions.query())?;
    let response = conditions
        .run(web, &caller.scope(), &caller.actor(), "", move |w| {
            let entry = store::retry(w, id, overwrite)?;
            let entry = one(w, entry, &policy)?;
            Reply::ok(&json!({ "success": true, "entry": entry }))
        })
        .await?;
    deliver(web, caller.name()).await;
    Ok(response)
}

/// `POST /api/outbox/{id}/discard`: it is not sent.
async fn discard(State(web): State<Web>, caller: Admin, Path(id): Path<i64>, conditions: Preconditions) -> Result<Response> {
    let policy = RedactionPolicy::of(&caller, &web.config, conditions.query())?;
    conditions
        .run(&web, &caller.scope(), &caller.actor(), "", move |w| {
            let entry = store::discard(w, id)?;
            let entry = one(w, entry, &policy)?;
            Reply::ok(&json!({ "success": true, "entry": entry }))
        })
        .await
}

/// `POST /api/companies/{acct}/push`: `{"fields": ["plan"]}`, or everything that is pinned, to Freshservice.
async fn push_company(
    State(web): State<Web>,
    editor: Editor,
    Path(key): Path<String>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let find = move |c: &mut crate::db::Write<'_>| companies::store::id_of(c, &key);
    queue(&web, &editor, What::Company, find, &conditions, fields).await
}

/// `POST /api/contacts/{id}/push`: the same for a contact.
async fn push_contact(
    State(web): State<Web>,
    editor: Editor,
    Path(id): Path<i64>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    queue(&web, &editor, What::Contact, move |_| Ok(id), &conditions, fields).await
}

async fn queue(
    web: &Web,
    editor: &Editor,
    what: What,
    find: impl FnOnce(&mut crate::db::Write<'_>) -> Result<i64> + Send + 'static,
    conditions: &Preconditions,
    mut fields: Fields,
) -> Result<Response> {
    vendors::freshservice::VENDOR.configured(&*credentials::effective(&web.db, &web.config).await?)?;
    let digest = fields.digest();
    let columns = fields.text_list("fields").max_items(100).max_each(100).value().unwrap_or_default();
    fields.finish()?;
    let policy = RedactionPolicy::of(editor, &web.config, conditions.query())?;
    let response = conditions
        .run(web, &editor.scope(), &editor.actor(), &digest, move |w| {
            let id = find(w)?;
            let ids = push::enqueue(w, what, id, &columns)?;
            let entries = store::these(w, ids)?;
            let entries = tell(w, entries, &policy)?;
            Reply::ok(&json!({ "success": true, "message": "Queued for Freshservice", "entries": entries }))
        })
        .await?;
    deliver(web, editor.name()).await;
    Ok(response)
}

/// Starts a delivery, unless one is under way, which will find the new entries or leave them to the next.
pub async fn deliver(web: &Web, by: &str) {
    if let Err(error) = jobs::start(&web.db, &web.config, super::JOB, Options::default(), by).await {
        tracing::warn!(%error, "a delivery could not be started; the next one will find what is queued");
    }
}
