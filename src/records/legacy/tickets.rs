//! Tickets with what was said on them.

use serde_json::{Map, Value as Json};

use super::{
    bring::{Bringing, keep, refused},
    report::Outcome,
    row::Row,
    values,
};
use crate::{
    db::Write,
    error::Result,
    pulls::freshservice::tickets::text,
    tickets::{
        Message, Ticket, codes, messages_store,
        store::{Mark, by_external_ids, mark, set_text},
        utc,
    },
    types::clean,
};

/// When a ticket was last changed of which no time at all is known.
const LONG_AGO: &str = "1970-01-01T00:00:00Z";
/// The most hours that one ticket can have taken.
const HOURS: f64 = 1_000_000.0;

impl Bringing<'_> {
    pub fn ticket(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let column = if row.has("external_id") { "external_id" } else { "ticket_id" };
        let number = row.int(column, &mut self.losses).filter(|number| *number > 0);
        let number = number.ok_or_else(|| refused("has no number at the vendor"))?;
        let source = row.text("external_source").unwrap_or_else(|| codes::SOURCE.to_owned());
        let known = by_external_ids(w, &source, vec![number])?.remove(&number);
        let (known, seen) = known.map_or((None, None), |(ticket, seen)| (Some(ticket), Some(seen)));
        let mut ticket = known.clone().unwrap_or_default();
        row.fill(&mut ticket, &mut self.losses)?;
        (ticket.external_source, ticket.external_id) = (source, number);
        ticket.ticket_number = row.text("ticket_number").unwrap_or_else(|| number.to_string());
        ticket.company_id = self.company_if_any(row);
        self.words(row, &mut ticket);
        self.hours(row, &mut ticket);
        ticket.last_updated_at = self.last_updated(row, &ticket, known.as_ref());
        let (id, outcome) = keep(w, None, known.as_ref(), ticket)?;
        // What the vendor has been asked for since is newer than what the former service knew.
        if matches!(outcome, Outcome::Refused(_)) || seen.is_some_and(|seen| seen.detail_synced_at.is_some()) {
            return Ok(outcome);
        }
        let html = row.raw("description").map(|html| text::lean(html, None)).filter(|html| !html.is_empty());
        let plain = row.raw("description_text").map(text::clean).filter(|plain| !plain.is_empty());
        let plain = plain.or_else(|| html.as_deref().map(|html| text::plain(html, None)).filter(|plain| !plain.is_empty()));
        set_text(w, id, html.as_deref(), plain.as_deref())?;
        self.messages(w, row, id, outcome == Outcome::New)?;
        if let Some(at) = row.text("webhook_updated_at").and_then(|at| utc(&at)) {
            mark(w, id, Mark::Webhook, Some(&at))?;
        }
        Ok(outcome)
    }

    /// Status and priority, as words and as the vendor's codes.
    fn words(&mut self, row: &Row<'_>, ticket: &mut Ticket) {
        if let Some(said) = row.text("status") {
            let code = self.statuses.code(&said);
            ticket.status = code.map_or_else(|| codes::normalise(&said), |code| self.statuses.word(Some(code)));
            ticket.status_id = ticket.status_id.or(code);
        } else {
            ticket.status = self.statuses.word(ticket.status_id);
        }
        let said = row.text("priority");
        let code = ticket.priority_id.or_else(|| codes::priority_code(said.as_deref()?));
        ticket.priority = code.and_then(codes::priority_word).map(str::to_owned);
        ticket.priority_id = code.filter(|_| ticket.priority.is_some());
        if said.is_some() && ticket.priority.is_none() {
            self.losses.value(row, "priority", "is no priority");
        }
    }

    /// Hours worked. None may also mean that nobody could read the time sheet.
    fn hours(&mut self, row: &Row<'_>, ticket: &mut Ticket) {
        let said = row.text("total_hours_spent");
        let hours = said.as_deref().map_or(Ok(0.0), str::parse::<f64>).ok().filter(|hours| (0.0..HOURS).contains(hours));
        if hours.is_none() {
            self.losses.value(row, "total_hours_spent", "is no number of hours");
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        let minutes = (hours.unwrap_or(0.0) * 60.0).round() as i64;
        (ticket.minutes_spent, ticket.time_known) = (minutes, minutes > 0);
    }

    /// Never empty: neighbours fail for everybody when one ticket's is.
    fn last_updated(&mut self, row: &Row<'_>, ticket: &Ticket, known: Option<&Ticket>) -> String {
        let said = row.text("last_updated_at");
        if let Some(at) = said.as_deref().and_then(utc) {
            return at;
        }
        self.losses.value(row, "last_updated_at", "is no time; an earlier one of the ticket counts");
        let others = [&ticket.closed_at, &ticket.vendor_created_at];
        let other = others.into_iter().flatten().next().cloned();
        other.or_else(|| known.map(|known| known.last_updated_at.clone())).unwrap_or_else(|| LONG_AGO.to_owned())
    }

    /// What the vendor told, and the notes that were only written there.
    fn messages(&mut self, w: &mut Write<'_>, row: &Row<'_>, id: i64, is_new: bool) -> Result<()> {
        let mut told = Vec::new();
        let mut own = Vec::new();
        for (column, is_private) in [("conversations", false), ("notes", true)] {
            let Some(text) = row.text(column) else { continue };
            let Ok(Json::Array(entries)) = serde_json::from_str(row.raw(column).unwrap_or(&text)) else {
                self.losses.value(row, column, "is no JSON array");
                continue;
            };
            for entry in entries {
                let message = entry.as_object().and_then(|entry| message(entry, is_private));
                match message {
                    Some(message) if message.external_id.is_some() => told.push(message),
                    Some(message) if is_private => own.push(message),
                    _ => self.losses.value(row, column, "has an entry without a number or a text"),
                }
            }
        }
        messages_store::replace_conversations(w, id, &told)?;
        for note in own.iter().filter(|_| is_new) {
            messages_store::add_note(w, id, &note.body_text, note.author.as_deref().unwrap_or_default(), &note.created_at)?;
        }
        Ok(())
    }
}

/// An entry of a conversation; none without a text.
fn message(entry: &Map<String, Json>, is_private: bool) -> Option<Message> {
    let said = |name: &str| entry.get(name).and_then(Json::as_str).map(clean).filter(|text| !text.is_empty());
    let html = entry.get("body_html").and_then(Json::as_str).map(|html| text::lean(html, None)).filter(|html| !html.is_empty());
    let plain = ["body_text", "body", "text"].into_iter().find_map(said).map(|body| {
        // Some were stored as the vendor's markup.
        if body.starts_with('<') { text::plain(&body, None) } else { body }
    });
    let plain = plain.or_else(|| html.as_deref().map(|html| text::plain(html, None)))?;
    let number = |name: &str| match entry.get(name) {
        Some(Json::Number(number)) => number.as_i64(),
        Some(Json::String(text)) => values::whole(text),
        _ => None,
    };
    let flag = |name: &str| entry.get(name).and_then(Json::as_bool);
    let to: Vec<String> =
        entry.get("to_emails").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).map(clean).collect();
    let updated_at = said("updated_at").and_then(|at| utc(&at));
    Some(Message {
        external_id: number("id"),
        body_text: plain,
        body_html: html,
        private: flag("private").unwrap_or(is_private),
        incoming: flag("incoming").unwrap_or(false),
        user_id: number("user_id"),
        author: said("user"),
        from_email: said("from_email"),
        to_emails: to,
        support_email: said("support_email"),
        created_at: said("created_at")
            .and_then(|at| utc(&at))
            .or_else(|| updated_at.clone())
            .unwrap_or_else(|| LONG_AGO.to_owned()),
        updated_at,
        ..Message::default()
    })
}
