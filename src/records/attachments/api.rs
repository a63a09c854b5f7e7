//! Attachments as JSON and as what the pages of records post.

use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Map, json};

use super::{allow, download, upload};
use crate::{
    agents::PageContext,
    attachments::{
        Attachment,
        files::{Folder, Placed},
        store,
    },
    auth::{Caller, Editor, Staff},
    compliance::RedactionPolicy,
    custom,
    db::{Conn, Write},
    entity::once::lasting,
    error::{Error, Result},
    history::{self, Record as _, protection},
    records::entities,
    tickets::Ticket,
    web::{Path, Preconditions, Query, ReadRequest, Reply, Routes, Web, encode_segment, openapi::schema as described},
};

/// How many a list without a record has, at most.
const MOST: i64 = 1_000;

/// The routes.
pub fn routes() -> Routes {
    let written = described::written::<Attachment>;
    Routes::new()
        .get("/api/attachments", index)
        .tells("List attachments, of a record or all of them", described::list::<Attachment>)
        .asks(&[
            ("entity", lasting(kinds()), "The kind of the record."),
            ("entity_id", "count", "The record's id."),
            ("after", "count", "Without a record: only those with a greater id."),
            ("retired", "hide|include", "Whether removed ones are shown too."),
        ])
        .post("/api/attachments", create)
        .makes("Put a file on a record: the body is the file, or a form with the part file", written)
        .asks(&[
            ("entity", lasting(kinds() + "!"), "The kind of the record."),
            ("entity_id", "count!", "The record's id."),
            ("name", "text", "What the file is called; that of the form's part without it."),
        ])
        .takes_file(&["application/octet-stream", "multipart/form-data"])
        .get("/api/attachments/{id}", show)
        .tells("Read what is known of an attachment", described::one::<Attachment>)
        .get("/api/attachments/{id}/content", content)
        .sends("Download the file of an attachment: it is sent as it is, of the type it has", "*/*")
        .delete("/api/attachments/{id}", retire)
        .tells("Remove an attachment; its file is kept", written)
        .post("/api/attachments/{id}/restore", restore)
        .tells("Bring a removed attachment back", written)
        .form("/records/{entity}/{id}/attachments", "/records/{entity}/{id}", add_on_page)
        .form("/attachments/{id}/remove", "/", remove_on_page)
        .form("/attachments/{id}/restore", "/", restore_on_page)
}

/// The kinds of records that files are put on, as a parameter says them.
fn kinds() -> String {
    let nouns = crate::records::custom::nouns();
    nouns.iter().map(|noun| noun.entity).chain([Ticket::ENTITY]).collect::<Vec<_>>().join("|")
}

/// A record that files are put on.
#[derive(Clone, Copy)]
struct Record {
    entity: &'static str,
    id: i64,
    company_id: Option<i64>,
}

/// Whether files can be put on records of this kind: those that the one door writes, and tickets.
pub fn takes_files(entity: &str) -> bool {
    custom::noun(entity).is_some() || entity == Ticket::ENTITY
}

fn record(c: &mut Conn, entity: &str, id: i64) -> Result<Record> {
    let known = entities::named(entity).ok().filter(|known| takes_files(known.name()));
    let known = known.ok_or_else(|| {
        let known: Vec<&str> =
            entities::ENTITIES.iter().filter(|known| takes_files(known.name())).map(|known| known.name()).collect();
        Error::field("entity", format!("must be one of {}", known.join(", ")))
    })?;
    match known.find(c, id) {
        Err(Error::NotFound { .. }) => Err(Error::field("entity_id", format!("there is no {entity} {id}"))),
        Err(other) => Err(other),
        Ok(()) => Ok(Record { entity: known.name(), id, company_id: known.company_of(c, id)? }),
    }
}

fn asked(query: &Query) -> Result<Option<(String, i64)>> {
    match (query.text("entity")?, query.count("entity_id")?) {
        (None, None) => Ok(None),
        (Some(entity), Some(id)) => Ok(Some((entity.to_owned(), id))),
        (None, Some(_)) => Err(Error::field("entity", "is required beside entity_id")),
        (Some(_), None) => Err(Error::field("entity_id", "is required beside entity")),
    }
}

/// Notes that files on protected records are read.
pub fn log_disclosure(c: &mut Conn, files: &[Attachment], policy: &RedactionPolicy) -> Result<()> {
    for file in files {
        let Ok(entity) = entities::named(&file.entity) else { continue };
        let protected = protection::among(c, entity.name(), vec![file.entity_id])?;
        policy.log_disclosure(entity.name(), protected);
    }
    Ok(())
}

async fn index(State(web): State<Web>, caller: Staff, request: ReadRequest) -> Result<Response> {
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    allow(&policy)?;
    let of = asked(&request.query)?;
    let after = request.query.count("after")?.unwrap_or(0);
    let with_retired = match request.query.text("retired")? {
        None | Some("hide") => false,
        Some("include") => true,
        Some(_) => return Err(Error::field("retired", "must be include or hide")),
    };
    let read = move |c: &mut Conn| {
        let mut files = match of {
            Some((entity, id)) => {
                let of = record(c, &entity, id)?;
                store::of_record(c, of.entity, of.id)?
            }
            None => store::page(c, after, MOST)?,
        };
        files.retain(|file| with_retired || file.retired_at.is_none());
        log_disclosure(c, &files, &policy)?;
        Ok(files)
    };
    let files = web.db.read(&caller.scope(), read).await?;
    request.value(&files)
}

/// An attachment, for whoever may see it.
async fn read(web: &Web, caller: &Caller, query: &Query, id: i64) -> Result<Attachment> {
    let policy = RedactionPolicy::of(caller, &web.config, query)?;
    allow(&policy)?;
    let read = move |c: &mut Conn| {
        let file: Attachment = history::get(c, id)?;
        log_disclosure(c, std::slice::from_ref(&file), &policy)?;
        Ok(file)
    };
    web.db.read(&caller.scope(), read).await
}

async fn show(State(web): State<Web>, caller: Staff, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let file = read(&web, &caller, &request.query, id).await?;
    request.row(id, file.rev, &file)
}

async fn content(State(web): State<Web>, caller: Staff, Path(id): Path<i64>, query: Query) -> Result<Response> {
    let file = read(&web, &caller, &query, id).await?;
    if file.retired_at.is_some() {
        return Err(Error::NotFound { what: "Attachment" });
    }
    download::send(&Folder::of(&web.config), &file).await
}

/// Takes a file in and stores its row.
async fn add(web: &Web, caller: &Caller, of: (String, i64), name: Option<String>, request: Request) -> Result<Attachment> {
    let policy = RedactionPolicy::of(caller, &web.config, &Query::default())?;
    allow(&policy)?;
    let (scope, actor) = (caller.scope(), caller.actor());
    let of = web.db.read(&scope, move |c| record(c, &of.0, of.1)).await?;
    let folder = Folder::of(&web.config);
    let name = name.as_deref().map(upload::named).transpose()?;
    let (placed, called) = upload::take(&folder, request, web.config.limits.attachment).await?;
    let name = name.or(called).ok_or_else(|| Error::field("name", "is required: what the file is called"))?;
    let stored = stored(web, caller, of, name, &placed, actor.name.clone()).await;
    drop(placed);
    if let Err(error) = folder.sweep_now_and_then(&web.db).await {
        tracing::warn!("attachments that nobody uses could not be looked for: {error}");
    }
    stored
}

async fn stored(web: &Web, caller: &Caller, of: Record, name: String, placed: &Placed, author: String) -> Result<Attachment> {
    let file = Attachment {
        entity: of.entity.to_owned(),
        entity_id: of.id,
        company_id: of.company_id,
        name,
        media_type: placed.media_type.clone(),
        bytes: placed.bytes,
        sha256: placed.sha256.clone(),
        author,
        ..Attachment::default()
    };
    let work = move |w: &mut Write<'_>| {
        // It may have gone since.
        record(w, of.entity, of.id)?;
        let file = history::create(w, &file, None)?;
        tell(w, &file, true)?;
        Ok(file)
    };
    web.db.write(&caller.scope(), &caller.actor(), work).await
}

/// Puts into the record's own history that a file was added or removed.
fn tell(w: &mut Write<'_>, file: &Attachment, added: bool) -> Result<()> {
    let entity = entities::named(&file.entity)?.name();
    let sides = if added { json!([null, file.name]) } else { json!([file.name, null]) };
    let fields = Map::from_iter([("file".to_owned(), sides)]);
    history::record_change(w, entity, file.entity_id, if added { "attach" } else { "detach" }, None, fields)
}

async fn create(State(web): State<Web>, caller: Editor, query: Query, request: Request) -> Result<Response> {
    let of = asked(&query)?.ok_or_else(|| Error::field("entity", "is required"))?;
    let name = query.text("name")?.map(str::to_owned);
    let file = add(&web, &caller, of, name, request).await?;
    let place = [(header::LOCATION, format!("/api/attachments/{}", file.id))];
    Ok((StatusCode::CREATED, place, Json(file)).into_response())
}

/// Removes an attachment or brings it back.
fn set(w: &mut Write<'_>, id: i64, retired: bool) -> Result<Attachment> {
    let before: Attachment = history::get(w, id)?;
    if before.retired_at.is_some() == retired {
        return Ok(before);
    }
    tell(w, &before, !retired)?;
    if retired { history::retire(w, id, None) } else { history::restore(w, id, None) }
}

async fn write(web: &Web, caller: &Caller, conditions: Preconditions, id: i64, retired: bool) -> Result<Response> {
    allow(&RedactionPolicy::of(caller, &web.config, conditions.query())?)?;
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        request.check(id, history::get::<Attachment>(w, id)?.rev)?;
        let file = set(w, id, retired)?;
        Ok(Reply::ok(&file)?.tagged(id, file.rev))
    };
    conditions.run(web, &caller.scope(), &caller.actor(), "", work).await
}

async fn retire(State(web): State<Web>, caller: Editor, Path(id): Path<i64>, conditions: Preconditions) -> Result<Response> {
    write(&web, &caller, conditions, id, true).await
}

async fn restore(State(web): State<Web>, caller: Editor, Path(id): Path<i64>, conditions: Preconditions) -> Result<Response> {
    write(&web, &caller, conditions, id, false).await
}

fn page_of(entity: &str, id: i64) -> String {
    format!("/records/{}/{id}", encode_segment(entity))
}

async fn add_on_page(
    State(web): State<Web>,
    caller: Editor,
    context: PageContext,
    Path((entity, id)): Path<(String, i64)>,
    request: Request,
) -> Result<Response> {
    let here = page_of(&entity, id);
    match add(&web, &caller, (entity, id), None, request).await {
        Ok(file) => context.go(&here, &format!("{} added.", file.name)),
        Err(Error::Invalid(wrong)) if wrong.iter().all(|wrong| wrong.field == "file" || wrong.field == "name") => {
            context.go_sorry(&here, "Choose a file that is not empty.")
        }
        Err(Error::TooLarge { limit }) => {
            context.go_sorry(&here, &format!("The file is larger than {} MB.", limit / 1024 / 1024))
        }
        Err(other) => Err(other),
    }
}

async fn set_on_page(web: &Web, caller: &Caller, context: &PageContext, id: i64, retired: bool) -> Result<Response> {
    allow(&RedactionPolicy::of(caller, &web.config, &context.query)?)?;
    let file = web.db.write(&caller.scope(), &caller.actor(), move |w| set(w, id, retired)).await?;
    let done = if retired { "removed" } else { "restored" };
    context.go(&page_of(&file.entity, file.entity_id), &format!("{} {done}.", file.name))
}

async fn remove_on_page(State(web): State<Web>, caller: Editor, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    set_on_page(&web, &caller, &context, id, true).await
}

async fn restore_on_page(State(web): State<Web>, caller: Editor, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    set_on_page(&web, &caller, &context, id, false).await
}
