//! One ticket: read from here, or from the vendor when it is not here yet; and what people do to it.

use axum::{extract::State, response::Response};
use serde_json::json;

use super::{
    Ticket, api,
    codes::{self, SOURCE},
    messages_store,
    service_desk::service_desk,
    statuses_store,
    store::{self, Mark},
    views::{ListedTicket, Thread, TicketDetail, detail_answer},
};
use crate::web::openapi::schema as json;
use crate::{
    auth::{Editor, Reader},
    compliance::RedactionPolicy,
    config::Config,
    db::{Conn, Write},
    error::{Error, Result},
    history::{self, Record as _},
    resource::as_of,
    types::{Scope, now},
    web::{Fields, Path, Preconditions, ReadRequest, Reply, Routes, Web},
};

/// The longest note that a caller may write, in characters.
const LONGEST_NOTE: usize = 50_000;

/// The routes of single tickets.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/ticket/{id}", show)
        .tells("Read a ticket by the number of the vendor", detail_answer)
        .asks(&[as_of::PARAMETER])
        .get("/api/freshservice/ticket/{id}", show)
        .tells("Read a ticket by the number of the vendor", detail_answer)
        .asks(&[as_of::PARAMETER])
        .post("/api/ticket/{id}/update", update)
        .tells("Set the status of a ticket, or add a note", |_| {
            json::done(&[("ticket_id", json::int()), ("message", json::text())])
        })
        .takes(|_| {
            let assigned_to = serde_json::json!({"type": ["integer", "string", "null"], "description": "Is not kept."});
            json::optional(&[
                ("status", serde_json::json!({"type": ["integer", "string", "null"], "maxLength": 100})),
                ("notes", json::or_null(serde_json::json!({"type": "string", "maxLength": LONGEST_NOTE}))),
                ("assigned_to", assigned_to),
            ])
        })
}

/// `GET /api/ticket/{id}`, by the vendor's number.
///
/// # Errors
/// `NotFound`; `Upstream` when the vendor fails us.
async fn show(State(web): State<Web>, caller: Reader, Path(number): Path<i64>, request: ReadRequest) -> Result<Response> {
    let find = move |c: &mut Conn| store::get_view(c, number).map(|view| view.inside().row.id);
    if let Some(was) = as_of::record::<Ticket>(&web, &caller, &request, find, as_of::unlinked).await? {
        return Ok(was);
    }
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let (colleague, config, theirs) = (caller.is_staff(), web.config.clone(), policy.clone());
    let stored = web.db.read(&caller.scope(), move |conn| api::detail(conn, number, &theirs, colleague, &config)).await;
    match stored {
        Ok(stored) => request.row(number, stored.ticket.view.row.rev, &stored),
        // Whose it is can be said of a stored ticket only: a client is told of no others.
        Err(Error::NotFound { .. }) if caller.scope() == Scope::All => {
            request.value(&fetched(&web, &policy, colleague, number).await?)
        }
        Err(error) => Err(error),
    }
}

/// A ticket that is not stored, as the vendor tells it, in the shape of those that are.
async fn fetched(web: &Web, policy: &RedactionPolicy, colleague: bool, number: i64) -> Result<TicketDetail> {
    let found = service_desk()?.fetch(web, number).await?;
    let (view, messages) = found.ok_or(Error::NotFound { what: Ticket::WHAT })?;
    let configured = web.config.freshservice.statuses.clone();
    let statuses = web.db.read(&Scope::All, move |conn| statuses_store::load(conn, SOURCE, &configured)).await?;
    let view = view.redact(policy);
    let thread = if view.is_hidden { Thread::default() } else { Thread::new(messages, policy, colleague) };
    Ok(TicketDetail { ticket: ListedTicket::new(view, &statuses), thread })
}

/// What is written to a ticket here.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// A status, in any spelling.
    pub status: Option<String>,
    /// A note to add.
    pub note: Option<String>,
}

impl Update {
    /// Reads it; `assigned_to` is accepted and ignored, as it always was.
    ///
    /// # Errors
    /// `Invalid`, with every wrong field.
    pub fn read(mut fields: Fields) -> Result<Self> {
        fields.set_creating(false);
        let status = fields.key("status").max(100).value();
        let note = fields.text("notes").max(LONGEST_NOTE).value();
        fields.finish()?;
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        Ok(Self { status: filled(status), note: filled(note) })
    }
}

/// What an update did.
#[derive(Clone, Debug)]
pub struct Done {
    /// The ticket as it is now.
    pub ticket: Ticket,
    /// Whether the status is another one now.
    pub status: bool,
    /// The row of the note that was added.
    pub note: Option<i64>,
    /// Whether something waits to be written to the vendor.
    pub queued: bool,
}

/// Writes a status and a note to a ticket, here; the vendor's times stay what they are.
///
/// # Errors
/// `NotFound`, `PreconditionFailed`.
pub fn write(
    w: &mut Write<'_>,
    row_id: i64,
    if_match: Option<i64>,
    update: &Update,
    user: &str,
    config: &Config,
) -> Result<Done> {
    let at = now();
    let before: Ticket = history::get(w, row_id)?;
    if if_match.is_some_and(|rev| rev != before.rev) {
        return Err(Error::PreconditionFailed);
    }
    let mut status = false;
    // A form repeats the status that the ticket has, whatever that is.
    if let Some(text) = update.status.as_ref().filter(|text| codes::normalise(text) != before.status) {
        let statuses = statuses_store::load(w, SOURCE, &config.freshservice.statuses)?;
        let wanted = statuses.settable(text).map_err(|why| Error::field("status", why))?;
        status = store::set_status(w, row_id, None, wanted)?;
    }
    let note = update.note.as_ref().map(|text| messages_store::add_note(w, row_id, text, user, &at)).transpose()?;
    if note.is_some() {
        history::record_link::<Ticket>(w, row_id, "note", serde_json::Map::new())?;
    }
    let ticket: Ticket = history::get(w, row_id)?;
    let mut queued = false;
    if status || note.is_some() {
        store::mark(w, row_id, Mark::Local, Some(&at))?;
        if config.freshservice.push_ticket_updates {
            let note = note.zip(update.note.as_deref());
            queued = service_desk()?.enqueue(w, &ticket, status, note)?;
        }
    }
    Ok(Done { ticket, status, note, queued })
}

/// `POST /api/ticket/{id}/update`: `status`, `notes`.
///
/// # Errors
/// `Invalid`, `NotFound`.
async fn update(
    State(web): State<Web>,
    caller: Editor,
    Path(number): Path<i64>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let update = Update::read(fields)?;
    let config = web.config.clone();
    let user = caller.name().to_owned();
    let conditions_of_row = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        let view = store::get_view(w, number)?;
        let expected = conditions_of_row.rev(number)?;
        let done = write(w, view.inside().row.id, expected, &update, &user, &config)?;
        let body = json!({"success": true, "ticket_id": number, "message": "Ticket updated successfully"});
        Ok(Reply::ok(&body)?.tagged(number, done.ticket.rev))
    };
    let response = conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await?;
    send(&web, caller.name()).await?;
    Ok(response)
}

/// Starts to write to the vendor what waits for it, where that is wanted. What cannot be sent now is sent
/// later: what was decided is stored.
///
/// # Errors
/// `Internal` when nobody said where tickets come from.
pub async fn send(web: &Web, by: &str) -> Result<()> {
    if web.config.freshservice.push_ticket_updates {
        service_desk()?.deliver(web, by).await;
    }
    Ok(())
}
