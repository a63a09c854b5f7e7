//! What is done to a single value or change from its record's page.

use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};

use super::address;
use crate::{
    agents::PageContext,
    auth::{Editor, Staff},
    compliance::RedactionPolicy,
    db::Conn,
    error::{Error, Result},
    history::{self, feed, pins, undo::Undone},
    outbox::{self, push::What},
    records::{
        entities::{exists, has_field},
        undo,
    },
    web::{Fields, Path, Web},
};

/// `GET /records/{entity}/{id}`: leads to the record's page.
pub async fn show(
    State(web): State<Web>,
    _: Staff,
    context: PageContext,
    Path((entity, id)): Path<(String, i64)>,
) -> Result<Response> {
    let page = web
        .db
        .read(&context.scope(), move |c| {
            let entity = exists(c, &entity, id)?;
            address::of(c, entity, id)
        })
        .await?;
    Ok(Redirect::to(&context.page.url(&page)).into_response())
}

/// `POST /records/{entity}/{id}/pin`: `field`, and `pinned` true or false.
pub async fn save(
    State(web): State<Web>,
    editor: Editor,
    context: PageContext,
    Path((entity, id)): Path<(String, i64)>,
    mut fields: Fields,
) -> Result<Response> {
    fields.set_creating(true);
    let field = fields.text("field").required().max(100).value().unwrap_or_default();
    let pinned = fields.bool("pinned").required().value().unwrap_or_default();
    fields.finish()?;
    let page = web
        .db
        .write(&editor.scope(), &editor.actor(), move |w| {
            let entity = exists(w, &entity, id)?;
            if !has_field(entity, &field) {
                return Err(Error::NotFound { what: "Field" });
            }
            if pinned {
                pins::pin(w, entity, id, &field)?;
            } else {
                pins::unpin(w, entity, id, &field)?;
            }
            address::of(w, entity, id)
        })
        .await?;
    context.go(
        &page,
        if pinned { "Pinned: syncs leave this value alone." } else { "Unpinned: the next sync may change this value." },
    )
}

/// `POST /records/changes/{seq}/undo`: takes one change back, if nothing has changed since.
pub async fn take_back(State(web): State<Web>, editor: Editor, context: PageContext, Path(seq): Path<i64>) -> Result<Response> {
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let is_admin = editor.is_admin();
    let known = move |c: &mut Conn| {
        let change = undo::found(c, seq)?;
        let change = change.inside();
        Ok((address::of(c, &change.entity, change.entity_id)?, change.batch_id.is_some()))
    };
    let (page, has_more) = web.db.read(&editor.scope(), known).await?;
    let work = move |w: &mut crate::db::Write<'_>| {
        let change = undo::found(w, seq)?;
        let change = change.inside();
        if let Some(whole) = undo::merged_in(change) {
            undo::batch(w, whole, false, &undo::Undoer { policy, is_admin })?;
            return Ok(Undone::Done);
        }
        undo::allowed(w, change, &policy, is_admin)?;
        undo::change(w, change)
    };
    let together = if has_more { " It was done together with others: “Undo all” takes back all of it." } else { "" };
    match web.db.write(&editor.scope(), &editor.actor(), work).await {
        Ok(Undone::Done) => context.go(&page, "Undone."),
        Ok(Undone::Except(why)) => context.go(&page, &format!("Undone, but {why}.")),
        Ok(Undone::Already) => context.go(&page, "There was nothing left to take back."),
        Ok(Undone::Refused(why)) => context.go_sorry(&page, &format!("It stands: {why}.{together}")),
        Err(Error::Conflict { message, details }) => context.go_sorry(&page, &stands(&message, &details)),
        Err(other) => Err(other),
    }
}

/// Why nothing was taken back, with the first of what stands in the way.
fn stands(message: &str, details: &serde_json::Map<String, serde_json::Value>) -> String {
    let told = details.get("conflicts").and_then(|told| told.as_array()).into_iter().flatten();
    let told: Vec<&str> = told.filter_map(|told| told.as_str()).take(3).collect();
    if told.is_empty() { format!("It stands: {message}.") } else { format!("It stands: {message} ({}).", told.join("; ")) }
}

/// `POST /records/batches/{id}/undo`: takes back what was done as one, if nothing of it has changed since.
pub async fn take_all_back(
    State(web): State<Web>,
    editor: Editor,
    context: PageContext,
    Path(id): Path<i64>,
) -> Result<Response> {
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let by = undo::Undoer { policy, is_admin: editor.is_admin() };
    let first = move |c: &mut Conn| match feed::first_of_batch(c, id, 1)?.first().map(history::Unredacted::inside) {
        Some(change) => address::of(c, &change.entity, change.entity_id),
        None => Err(Error::NotFound { what: "Batch" }),
    };
    let page = web.db.read(&editor.scope(), first).await?;
    match web.db.write(&editor.scope(), &editor.actor(), move |w| undo::batch(w, id, false, &by)).await {
        Ok((summary, _)) => context.go(&page, &format!("{}.", summary.words())),
        Err(Error::Conflict { message, details }) => context.go_sorry(&page, &stands(&message, &details)),
        Err(other) => Err(other),
    }
}

/// `POST /records/{entity}/{id}/push`: writes `field` to Freshservice; once it is there, it is no more pinned.
pub async fn push(
    State(web): State<Web>,
    editor: Editor,
    context: PageContext,
    Path((entity, id)): Path<(String, i64)>,
    mut fields: Fields,
) -> Result<Response> {
    fields.set_creating(true);
    let field = fields.text("field").required().max(100).value().unwrap_or_default();
    fields.finish()?;
    let page = web
        .db
        .write(&editor.scope(), &editor.actor(), move |w| {
            let entity = exists(w, &entity, id)?;
            let what = What::parse(entity).ok_or(Error::NotFound { what: "Record" })?;
            outbox::push::enqueue(w, what, id, &[field])?;
            address::of(w, entity, id)
        })
        .await?;
    outbox::api::deliver(&web, editor.name()).await;
    context.go(&page, "On its way to Freshservice. Once it is there, the value is no more pinned.")
}
