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
    let work = move |w: &mut crate::db::Write<'_>| {
        let change = feed::get(w, seq)?;
        let change = change.inside();
        if let Some(whole) = undo::merged_in(change) {
            let page = address::of(w, &change.entity, change.entity_id)?;
            undo::batch(w, whole, false, &undo::Undoer { policy, is_admin })?;
            return Ok((page, Undone::Done));
        }
        undo::allowed(w, change, &policy, is_admin)?;
        let undone = undo::change(w, change)?;
        Ok((address::of(w, &change.entity, change.entity_id)?, undone))
    };
    match web.db.write(&editor.scope(), &editor.actor(), work).await? {
        (page, Undone::Done) => context.go(&page, "Taken back."),
        (page, Undone::Except(why)) => context.go(&page, &format!("Taken back, but {why}.")),
        (page, Undone::Already) => context.go(&page, "There was nothing left to take back."),
        (page, Undone::Refused(why)) => context.go_sorry(&page, &format!("It stands: {why}.")),
    }
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
        Err(Error::Conflict { message, details }) => {
            let told = details.get("conflicts").and_then(|told| told.as_array()).into_iter().flatten();
            let told: Vec<&str> = told.filter_map(|told| told.as_str()).take(3).collect();
            context.go_sorry(&page, &format!("It stands: {message} ({}).", told.join("; ")))
        }
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
