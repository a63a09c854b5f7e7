//! One ticket: read from here, or from the vendor when it is not here yet; and what people do to it.

use axum::{extract::State, response::Response};
use serde_json::json;

use crate::auth::{Editor, Reader};
use crate::compliance::Lens;
use crate::db::Write;
use crate::error::{Error, Result};
use crate::history;
use crate::tickets::{
    Ticket, api,
    list_store::SOURCE,
    said_store, statuses_store,
    store::{self, Mark},
};
use crate::types::now;
use crate::web::{Ask, Conditions, Fields, Path, Reply, Routes, Web};

/// The longest note that a caller may write, in characters.
const LONGEST_NOTE: usize = 50_000;

/// The routes of single tickets.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().get("/api/ticket/{id}", show).get("/api/freshservice/ticket/{id}", show).post("/api/ticket/{id}/update", update)
}

/// `GET /api/ticket/{id}`, by the vendor's number.
///
/// # Errors
/// `NotFound`; `Upstream` when the vendor fails us.
async fn show(State(web): State<Web>, caller: Reader, Path(number): Path<i64>, ask: Ask) -> Result<Response> {
    let lens = Lens::of(&caller, &web.config, &ask.query)?;
    let (colleague, config) = (caller.is_staff(), web.config.clone());
    let stored = web.db.read(&caller.scope(), move |conn| api::detail(conn, number, &lens, colleague, &config)).await?;
    ask.row(stored.ticket.id, stored.ticket.rev, &stored)
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
}

/// Writes a status and a note to a ticket, here; the vendor's times stay what they are.
///
/// # Errors
/// `NotFound`, `PreconditionFailed`, or those of the engine.
pub fn write(
    w: &mut Write<'_>,
    row_id: i64,
    if_match: Option<i64>,
    update: &Update,
    user: &str,
    configured: &std::collections::BTreeMap<i64, String>,
) -> Result<Done> {
    let at = now();
    let before: Ticket = history::get(w, row_id)?;
    if if_match.is_some_and(|rev| rev != before.rev) {
        return Err(Error::PreconditionFailed);
    }
    let mut status = false;
    if let Some(text) = &update.status {
        let statuses = statuses_store::load(w, SOURCE, configured)?;
        status = store::set_status(w, row_id, None, statuses.written(text))?;
    }
    let note = update.note.as_ref().map(|text| said_store::add_note(w, row_id, text, user, &at)).transpose()?;
    if let Some(note) = note {
        let fields = serde_json::Map::from_iter([("note".to_owned(), json!([null, note]))]);
        history::record_link::<Ticket>(w, row_id, "note", fields)?;
    }
    if status || note.is_some() {
        store::mark(w, row_id, Mark::Local, Some(&at))?;
    }
    Ok(Done { ticket: history::get(w, row_id)?, status, note })
}

/// `POST /api/ticket/{id}/update`: `status`, `notes`.
///
/// # Errors
/// `Invalid`, `NotFound`.
async fn update(
    State(web): State<Web>,
    caller: Editor,
    Path(number): Path<i64>,
    conditions: Conditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let update = Update::read(fields)?;
    let configured = web.config.freshservice.statuses.clone();
    let user =
        caller.user().map(|user| user.username.clone()).filter(|name| !name.is_empty()).unwrap_or_else(|| "system".to_owned());
    let conditions_of_row = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        let row = store::get_row(w, number)?;
        let expected = conditions_of_row.rev(number)?;
        let done = write(w, row.ticket.id, expected, &update, &user, &configured)?;
        let body = json!({"success": true, "ticket_id": number, "message": "Ticket updated successfully"});
        Ok(Reply::ok(&body)?.tagged(number, done.ticket.rev))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}
