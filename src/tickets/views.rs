//! The shapes in which neighbours read tickets, one for each of them.

use serde::Serialize;

use super::{Statuses, TicketRow, messages::SaidView, utc};
use crate::compliance::{RedactionPolicy, Veiled};

/// An element of `/api/tickets` (contract §1.6.1) with what our own list shows beside it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Ticket)]
pub struct TicketView {
    /// The vendor's number.
    pub id: i64,
    /// The same as text.
    pub ticket_number: String,
    /// What it is about.
    pub subject: Option<String>,
    /// The same at length.
    pub description_text: Option<String>,
    /// The normalised word.
    pub status: String,
    /// The word.
    pub priority: Option<String>,
    /// Its company's key.
    pub company_id: Option<String>,
    /// Who asked.
    pub requester_email: Option<String>,
    /// Who asked.
    pub requester_name: Option<String>,
    /// When it was opened.
    pub created_at: Option<String>,
    /// When it last changed, never null.
    pub last_updated_at: String,
    /// When it was closed.
    pub closed_at: Option<String>,
    /// Never null.
    pub total_hours_spent: f64,
    /// How strictly the company's people are protected.
    pub company_compliance_level: String,
    /// Its company's name.
    pub company_name: Option<String>,
    /// The name of the status.
    pub status_text: String,
    /// The name of the priority.
    pub priority_text: String,
    /// The vendor's code.
    pub status_id: Option<i64>,
    /// The vendor's code.
    pub priority_id: Option<i64>,
    /// `Incident`, `Service Request`, …
    pub r#type: String,
    /// The vendor's id of the agent.
    pub responder_id: Option<i64>,
    /// Their name.
    pub agent_name: Option<String>,
    /// The vendor's id of the group.
    pub group_id: Option<i64>,
    /// When the first response is due.
    pub fr_due_by: Option<String>,
    /// When the solution is due.
    pub due_by: Option<String>,
    /// When it was resolved.
    pub resolved_at: Option<String>,
    /// The vendor.
    pub source: String,
    /// When it was retired.
    pub retired_at: Option<String>,
    /// What `If-Match` compares.
    pub rev: i64,
    /// Our own id, by which history and pins are asked for.
    pub row_id: i64,
    /// What a page says in the place of what was left out.
    #[serde(skip)]
    pub hidden: Option<&'static str>,
}

impl TicketView {
    /// From a row that has been through the caller's policy.
    #[must_use]
    pub fn new(row: TicketRow, statuses: &Statuses) -> Self {
        let time = |at: Option<String>| at.as_deref().and_then(utc);
        Self {
            created_at: row.opened_at(),
            last_updated_at: row.updated_at(),
            requester_email: row.requester_email(),
            requester_name: row.requester_name(),
            status_text: row.status_text(statuses),
            priority_text: row.priority_text(),
            r#type: row.kind(),
            total_hours_spent: row.ticket.hours(),
            id: row.ticket.external_id,
            ticket_number: row.ticket.ticket_number,
            subject: row.ticket.subject,
            description_text: row.description_text,
            status: row.ticket.status,
            priority: row.ticket.priority,
            company_id: row.company_id,
            closed_at: time(row.ticket.closed_at),
            hidden: row.is_hidden.then(|| row.protection.hidden()),
            company_compliance_level: row.protection.as_str().to_owned(),
            company_name: row.company_name,
            status_id: row.ticket.status_id,
            priority_id: row.ticket.priority_id,
            responder_id: row.ticket.responder_id,
            agent_name: row.agent_name,
            group_id: row.ticket.group_id,
            fr_due_by: time(row.ticket.fr_due_by),
            due_by: time(row.ticket.due_by),
            resolved_at: time(row.ticket.resolved_at),
            source: row.ticket.external_source,
            retired_at: row.ticket.retired_at,
            rev: row.ticket.rev,
            row_id: row.ticket.id,
        }
    }
}

/// What was said on a ticket, apart for clients and for colleagues.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    /// What the client may read.
    pub conversations: Vec<SaidView>,
    /// What only colleagues may.
    pub notes: Vec<SaidView>,
}

impl Talk {
    /// Sorts out what was said, as this caller may see it; without `colleague`, notes are left out.
    #[must_use]
    pub fn new(said: Vec<Veiled<SaidView>>, policy: &RedactionPolicy, colleague: bool) -> Self {
        let (notes, conversations): (Vec<_>, Vec<_>) = said.into_iter().partition(|one| one.inside().private);
        let seen = |said: Vec<Veiled<SaidView>>| said.into_iter().map(|one| one.redact(policy)).collect();
        Self { conversations: seen(conversations), notes: if colleague { seen(notes) } else { Vec::new() } }
    }
}

/// One ticket in full (contract §1.6.3).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct TicketDetail {
    /// The list's element.
    #[serde(flatten)]
    pub ticket: TicketView,
    /// Markup.
    pub description: Option<String>,
    /// What was said, oldest first.
    pub conversations: Vec<SaidView>,
    /// What colleagues said to each other, with what was noted here.
    pub notes: Vec<SaidView>,
    /// The same as `type`.
    pub ticket_type: String,
    /// The vendor's code of how it came in.
    pub source_id: Option<i64>,
    /// The vendor's id of whoever asked.
    pub requester_id: Option<i64>,
    /// The vendor's first category.
    pub category: Option<String>,
    /// The category below it.
    pub sub_category: Option<String>,
    /// The one below that.
    pub item_category: Option<String>,
    /// When it was first responded to.
    pub first_responded_at: Option<String>,
    /// When an agent last responded.
    pub agent_responded_at: Option<String>,
    /// Whether the time sheet has been read; else the hours are 0 because nobody has looked.
    pub hours_known: bool,
    /// Whether it is overdue as the vendor sees it.
    pub is_escalated: bool,
    /// Whether it was marked as spam.
    pub spam: bool,
    /// When somebody last changed it here.
    pub local_updated_at: Option<String>,
}

impl TicketDetail {
    /// From a row that has been through the caller's policy, and what was said.
    #[must_use]
    pub fn new(row: TicketRow, talk: Talk, statuses: &Statuses) -> Self {
        let time = |at: &Option<String>| at.as_deref().and_then(utc);
        let ticket = row.ticket.clone();
        Self {
            description: row.description.clone(),
            conversations: talk.conversations,
            notes: talk.notes,
            ticket_type: row.kind(),
            source_id: ticket.source_id,
            requester_id: ticket.requester_id,
            category: ticket.category,
            sub_category: ticket.sub_category,
            item_category: ticket.item_category,
            first_responded_at: time(&ticket.first_responded_at),
            agent_responded_at: time(&ticket.agent_responded_at),
            hours_known: ticket.time_known,
            is_escalated: ticket.is_escalated,
            spam: ticket.spam,
            local_updated_at: row.seen.local_updated_at.clone(),
            ticket: TicketView::new(row, statuses),
        }
    }
}

/// A ticket of a company, as KnowledgeTree and Ledger read it (contract §1.1.9).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct CompanyTicket {
    /// The vendor's number.
    pub ticket_id: i64,
    /// The same as text.
    pub ticket_number: String,
    /// What it is about.
    pub subject: Option<String>,
    /// Markup.
    pub description: Option<String>,
    /// Plain.
    pub description_text: Option<String>,
    /// The normalised word.
    pub status: String,
    /// The word.
    pub priority: Option<String>,
    /// Who asked.
    pub requester_email: Option<String>,
    /// Who asked.
    pub requester_name: Option<String>,
    /// When it was opened.
    pub created_at: Option<String>,
    /// When it last changed, never null.
    pub last_updated_at: String,
    /// When it was closed.
    pub closed_at: Option<String>,
    /// Never null.
    pub total_hours_spent: f64,
    /// What was said, a real array.
    pub conversations: Vec<SaidView>,
    /// What colleagues said, a real array.
    pub notes: Vec<SaidView>,
}

impl CompanyTicket {
    /// From a row that has been through the caller's policy, and what was said.
    #[must_use]
    pub fn new(row: TicketRow, talk: Talk) -> Self {
        Self {
            created_at: row.opened_at(),
            last_updated_at: row.updated_at(),
            requester_email: row.requester_email(),
            requester_name: row.requester_name(),
            total_hours_spent: row.ticket.hours(),
            closed_at: row.ticket.closed_at.as_deref().and_then(utc),
            ticket_id: row.ticket.external_id,
            ticket_number: row.ticket.ticket_number,
            subject: row.ticket.subject,
            description: row.description,
            description_text: row.description_text,
            status: row.ticket.status,
            priority: row.ticket.priority,
            conversations: talk.conversations,
            notes: talk.notes,
        }
    }
}
