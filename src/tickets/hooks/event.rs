//! What a call tells of a ticket, and what becomes of it here.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::hook_store;
use super::proof::Proof;
use crate::db::Write;
use crate::error::{Error, Result};
use crate::history;
use crate::tickets::codes::SOURCE;
use crate::tickets::codes::{UNKNOWN, normalise, priority_code, priority_word};
use crate::tickets::store::{self, Mark};
use crate::tickets::{Statuses, Ticket, statuses_store, utc};
use crate::types::{now, now_plus};

/// How far ahead of our clock the vendor's may be, in seconds.
const AHEAD: i64 = 86_400;
/// The longest subject, name and address that are taken over.
const LONGEST: usize = 1_000;

/// What is understood.
pub(super) const KINDS: [&str; 3] = ["ticket.created", "ticket.updated", "ticket.deleted"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Created,
    Updated,
    Deleted,
    Other,
}

/// What a call tells; what it leaves out stays as it is.
#[derive(Clone, Debug)]
pub struct Event {
    kind: Kind,
    pub(super) ticket_id: i64,
    subject: Option<String>,
    status: Option<String>,
    priority: Option<String>,
    requester_email: Option<String>,
    requester_name: Option<String>,
    requester_id: Option<i64>,
    responder_id: Option<i64>,
    group_id: Option<i64>,
    department_id: Option<i64>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A ticket that was not here.
    Created,
    /// These fields changed.
    Updated(Vec<&'static str>),
    /// The ticket is gone at the vendor, for this reason.
    Deleted(String),
    /// Nothing was done, for this reason.
    Ignored(&'static str),
    /// A signature that had been used before.
    Replayed,
}

impl Event {
    /// Reads a call. Workflows send numbers as text; both are understood.
    pub fn read(body: &Map<String, Value>) -> Result<Self> {
        let number = |name: &str| match body.get(name) {
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
        let text = |name: &str| match body.get(name) {
            Some(Value::String(text)) => Some(plain(text)).filter(|text| !text.is_empty()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let kind = match text("event").as_deref() {
            Some("ticket.created") => Kind::Created,
            Some("ticket.updated") => Kind::Updated,
            Some("ticket.deleted") => Kind::Deleted,
            Some(_) => Kind::Other,
            None => return Err(Error::field("event", "must be ticket.created, ticket.updated or ticket.deleted")),
        };
        let ticket_id = number("ticket_id").filter(|id| *id > 0);
        let updated_at = text("updated_at").and_then(|at| utc(&at));
        if updated_at.as_ref().is_some_and(|at| *at > now_plus(AHEAD)) {
            return Err(Error::field("updated_at", "must not be in the future"));
        }
        Ok(Self {
            kind,
            ticket_id: ticket_id.ok_or_else(|| Error::field("ticket_id", "must be the ticket's number"))?,
            subject: text("subject"),
            status: text("status_id").or_else(|| text("status")),
            priority: text("priority_id").or_else(|| text("priority")),
            requester_email: text("requester_email"),
            requester_name: text("requester_name"),
            requester_id: number("requester_id"),
            responder_id: number("responder_id"),
            group_id: number("group_id"),
            department_id: number("department_id"),
            created_at: text("created_at").and_then(|at| utc(&at)),
            updated_at,
        })
    }

    /// Writes the call to the log, without what people wrote or are called.
    pub fn log(&self) {
        tracing::info!(
            event = ?self.kind, ticket_id = self.ticket_id, status = ?self.status, priority = ?self.priority,
            responder_id = ?self.responder_id, group_id = ?self.group_id, department_id = ?self.department_id,
            updated_at = ?self.updated_at, "webhook"
        );
    }

    /// Applies the call, once: a signature counts once, and what is older than what we have changes nothing.
    pub fn apply(&self, w: &mut Write<'_>, proof: &Proof, configured: &BTreeMap<i64, String>) -> Result<Outcome> {
        let new = match proof {
            Proof::Signed(signature) if !hook_store::is_new(w, signature)? => return Ok(Outcome::Replayed),
            Proof::Signed(_) => true,
            Proof::Shared(digest) => hook_store::is_new(w, digest)?,
        };
        if !new {
            return Ok(Outcome::Ignored("this call was taken before"));
        }
        if self.kind == Kind::Other {
            return Ok(Outcome::Ignored("this event is not about a change of a ticket"));
        }
        let statuses = statuses_store::load(w, SOURCE, configured)?;
        let known = store::by_external_ids(w, SOURCE, vec![self.ticket_id])?.remove(&self.ticket_id);
        if let (Some((ticket, seen)), Some(at)) = (&known, &self.updated_at) {
            let newest = seen.webhook_updated_at.as_deref().max(Some(ticket.last_updated_at.as_str()));
            if newest.is_some_and(|newest| newest > at.as_str()) {
                return Ok(Outcome::Ignored("what is stored is newer"));
            }
        }
        let known = known.map(|(ticket, _)| ticket);
        if let Some(word) = self.ending(&statuses) {
            return self.retire(w, known, word);
        }
        self.store(w, known, &statuses)
    }

    /// The word under which the ticket is gone, if it is.
    fn ending(&self, statuses: &Statuses) -> Option<String> {
        if self.kind == Kind::Deleted {
            return Some("deleted".to_owned());
        }
        let (word, _) = statuses.written(self.status.as_deref()?);
        matches!(word.as_str(), "spam" | "deleted" | "trash").then_some(word)
    }

    fn retire(&self, w: &mut Write<'_>, known: Option<Ticket>, word: String) -> Result<Outcome> {
        let Some(ticket) = known else { return Ok(Outcome::Ignored("this ticket is not known here")) };
        if ticket.retired_at.is_none() {
            history::retire::<Ticket>(w, ticket.id, Some("the vendor's webhook says that it is gone"))?;
        }
        store::mark(w, ticket.id, Mark::Webhook, self.updated_at.as_deref().or(Some(&now())))?;
        Ok(Outcome::Deleted(word))
    }

    fn store(&self, w: &mut Write<'_>, known: Option<Ticket>, statuses: &Statuses) -> Result<Outcome> {
        let at = now();
        let mut ticket = known.unwrap_or_else(|| Ticket {
            external_source: SOURCE.to_owned(),
            external_id: self.ticket_id,
            ticket_number: self.ticket_id.to_string(),
            status: UNKNOWN.to_owned(),
            last_updated_at: self.updated_at.clone().or_else(|| self.created_at.clone()).unwrap_or_else(|| at.clone()),
            ..Ticket::default()
        });
        self.fill(&mut ticket, statuses);
        if let Some(department) = self.department_id {
            ticket.company_id = store::company_of_department(w, SOURCE, department)?;
        }
        let stored = store::upsert(w, &ticket, Some("told by the vendor's webhook"))?;
        store::mark(w, stored.ticket.id, Mark::Webhook, self.updated_at.as_deref().or(Some(&at)))?;
        if stored.created { Ok(Outcome::Created) } else { Ok(Outcome::Updated(stored.changed)) }
    }

    fn fill(&self, ticket: &mut Ticket, statuses: &Statuses) {
        if let Some(status) = &self.status {
            let (word, code) = statuses.written(status);
            // A code that nobody has explained is still the vendor's code.
            let told = normalise(status).parse().ok();
            ticket.status = if code.is_none() && told.is_some() { UNKNOWN.to_owned() } else { word };
            ticket.status_id = code.or(told);
        }
        if let Some(priority) = &self.priority {
            ticket.priority_id = priority_code(priority);
            ticket.priority = ticket.priority_id.and_then(priority_word).map(str::to_owned);
        }
        let tell = |place: &mut Option<String>, told: &Option<String>| {
            if told.is_some() {
                place.clone_from(told);
            }
        };
        tell(&mut ticket.subject, &self.subject);
        tell(&mut ticket.requester_email, &self.requester_email);
        tell(&mut ticket.requester_name, &self.requester_name);
        tell(&mut ticket.vendor_created_at, &self.created_at);
        let number = |place: &mut Option<i64>, told: Option<i64>| *place = told.or(*place);
        number(&mut ticket.requester_id, self.requester_id);
        number(&mut ticket.responder_id, self.responder_id);
        number(&mut ticket.group_id, self.group_id);
        number(&mut ticket.department_id, self.department_id);
        if let Some(at) = &self.updated_at {
            ticket.last_updated_at.clone_from(at);
        }
    }
}

fn plain(text: &str) -> String {
    let text: String =
        crate::types::clean(text).chars().filter(|letter| !letter.is_control() || *letter == '\n').take(LONGEST).collect();
    text.trim().to_owned()
}
