//! The change feed, a row's history, and pins over HTTP.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::entities::{ENTITIES, exists, has_field};
use crate::compliance::trail::RedactedChange;
use crate::web::openapi::schema as json;
use crate::{
    auth::{Editor, Staff, api_key_store},
    compliance::{RedactionPolicy, trail},
    error::{Error, Result},
    history::{feed, pins, retention},
    web::{Path, Preconditions, Query, ReadRequest, Reply, Routes, Web, answers},
};

/// The most changes in one answer, and how many when nothing is asked.
const LIMIT: (i64, i64) = (1_000, 100);

/// The kinds of rows that the feed tells about and that are no nouns of the registry.
const ACCOUNTS: [&str; 3] = ["agent", "user", api_key_store::ENTITY];

/// The routes of the feed, of histories and of pins.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/changes", changes)
        .tells("Follow what has changed", |schemas| {
            json::object(&[
                ("changes", json::list::<RedactedChange>(schemas)),
                ("cursor", json::int()),
                ("since", json::int()),
                ("more", json::flag()),
            ])
        })
        .asks(&[
            ("since", "count", "After this cursor; without one, from the oldest change that is kept."),
            ("cursor", "count", "The same."),
            ("types", "string", "Only these kinds of rows, with commas between them."),
            ("entity", "string", "Only this kind, or this row: company:12."),
            ("limit", "count", "How many at most."),
        ])
        .get("/api/history/{entity}/{id}", history)
        .tells("Read the history of a record", |schemas| {
            json::object(&[
                ("changes", json::list::<RedactedChange>(schemas)),
                ("origins", json::map(json::one::<feed::Origin>(schemas))),
                ("pins", json::array(json::text())),
                ("kept_since", json::or_null(json::text())),
            ])
        })
        .asks(&[("limit", "count", "How many changes at most.")])
        .get("/api/pins/{entity}/{id}", index_pins)
        .tells("List the pinned fields of a record", |_| json::array(json::text()))
        .put("/api/pins/{entity}/{id}/{field}", pin)
        .tells("Pin a field, so that no sync overwrites it", |_| {
            json::object(&[("entity", json::text()), ("id", json::int()), ("field", json::text()), ("pinned", json::flag())])
        })
        .delete("/api/pins/{entity}/{id}/{field}", unpin)
        .tells("Unpin a field", |_| {
            json::object(&[("entity", json::text()), ("id", json::int()), ("field", json::text()), ("pinned", json::flag())])
        })
}

/// `GET /api/changes?since=&types=&entity=&limit=`: what happened after the cursor, oldest first.
/// `types` lists kinds of rows; `entity` names one kind or one row (`company:12`).
///
/// # Errors
/// `Invalid` for a wrong parameter; `Gone`, with where to start, for a cursor that is ahead of this database, of changes that
/// a restored database does not have, or before the history that is kept.
async fn changes(State(web): State<Web>, staff: Staff, query: Query, request: ReadRequest) -> Result<Response> {
    let since = match (query.count("since")?, query.count("cursor")?) {
        (Some(since), Some(cursor)) if since != cursor => return Err(Error::field("cursor", "must be the same as since")),
        (since, cursor) => since.or(cursor),
    };
    let limit = query.count("limit")?.unwrap_or(LIMIT.1).clamp(1, LIMIT.0);
    let types: Vec<String> = query
        .text("types")?
        .map(|text| text.split(',').map(|kind| kind.trim().to_owned()).filter(|kind| !kind.is_empty()).collect())
        .unwrap_or_default();
    types.iter().try_for_each(|kind| known("types", kind))?;
    let row = match query.text("entity")? {
        None => None,
        Some(text) => {
            let (kind, id) = text.split_once(':').map_or((text, None), |(kind, id)| (kind, Some(id)));
            known("entity", kind)?;
            let id = id
                .map(|id| id.parse::<i64>().map_err(|_| Error::field("entity", "must be a kind or kind:id, such as company:12")));
            Some((kind.to_owned(), id.transpose()?))
        }
    };
    let policy = RedactionPolicy::of(&staff, &web.config, &query)?;
    let page = web
        .db
        .read(&staff.scope(), move |c| {
            let page = feed::after(c, since, &types, row.as_ref().map(|(kind, id)| (kind.as_str(), *id)), limit)?;
            let changes = trail::changes(c, page.changes, &policy)?;
            Ok(json!({ "changes": changes, "cursor": page.cursor, "since": page.cursor, "more": page.more }))
        })
        .await?;
    // Who follows at several instances must hear of what is written at another one, however soon they ask.
    request.value(&page).map(answers::never_kept)
}

fn known(name: &str, kind: &str) -> Result<()> {
    let kinds: Vec<&str> = ENTITIES.iter().map(|known| known.name()).chain(ACCOUNTS).collect();
    if kinds.contains(&kind) { Ok(()) } else { Err(Error::field(name, format!("must name {}", kinds.join(", ")))) }
}

/// `GET /api/history/{entity}/{id}`: one row's changes, newest first, where each value came from, what is pinned, and since
/// when history is kept, where older changes were removed.
///
/// # Errors
/// `NotFound`.
async fn history(
    State(web): State<Web>,
    staff: Staff,
    Path((entity, id)): Path<(String, i64)>,
    request: ReadRequest,
) -> Result<Response> {
    let limit = request.query.count("limit")?.unwrap_or(LIMIT.1).clamp(1, LIMIT.0);
    let policy = RedactionPolicy::of(&staff, &web.config, &request.query)?;
    let answer = web
        .db
        .read(&staff.scope(), move |c| {
            let entity = exists(c, &entity, id)?;
            let changes = feed::of(c, entity, id, limit)?;
            Ok(json!({
                "changes": trail::changes(c, changes, &policy)?,
                "origins": feed::origins(c, entity, id)?,
                "pins": pins::fields(c, entity, id)?,
                "kept_since": retention::kept(c)?.since,
            }))
        })
        .await?;
    request.value(&answer)
}

/// `GET /api/pins/{entity}/{id}`: the names of the pinned fields.
///
/// # Errors
/// `NotFound`.
async fn index_pins(
    State(web): State<Web>,
    staff: Staff,
    Path((entity, id)): Path<(String, i64)>,
    request: ReadRequest,
) -> Result<Response> {
    let fields = web
        .db
        .read(&staff.scope(), move |c| {
            let entity = exists(c, &entity, id)?;
            pins::fields(c, entity, id)
        })
        .await?;
    request.value(&fields)
}

/// `PUT /api/pins/{entity}/{id}/{field}`: no sync overwrites it from now on.
///
/// # Errors
/// `NotFound` for a row or a field that does not exist.
async fn pin(
    State(web): State<Web>,
    editor: Editor,
    Path((entity, id, field)): Path<(String, i64, String)>,
    conditions: Preconditions,
) -> Result<Response> {
    conditions
        .run(&web, &editor.scope(), &editor.actor(), "", move |w| {
            let entity = exists(w, &entity, id)?;
            if !has_field(entity, &field) {
                return Err(Error::NotFound { what: "Field" });
            }
            pins::pin(w, entity, id, &field)?;
            Reply::ok(&json!({ "entity": entity, "id": id, "field": field, "pinned": true }))
        })
        .await
}

/// `DELETE /api/pins/{entity}/{id}/{field}`: the next sync may write it again.
///
/// # Errors
/// `NotFound` for a row that does not exist.
async fn unpin(
    State(web): State<Web>,
    editor: Editor,
    Path((entity, id, field)): Path<(String, i64, String)>,
    conditions: Preconditions,
) -> Result<Response> {
    conditions
        .run(&web, &editor.scope(), &editor.actor(), "", move |w| {
            let entity = exists(w, &entity, id)?;
            pins::unpin(w, entity, id, &field)?;
            Reply::ok(&json!({ "entity": entity, "id": id, "field": field, "pinned": false }))
        })
        .await
}
