//! The board of open work: which of four sections a ticket stands in, and what its clock says
//! (contract §1.6.2, Beacon's only source of tickets).

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Statuses, Ticket, TicketView,
    relative_time::{NOTHING, days_old, friendly, length, moment, seconds},
    views::ListedTicket,
};
use crate::entity::{Holds, Members};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// A ticket on the board; every member is always there.
#[derive(Clone, Debug)]
pub struct ActiveTicket {
    ticket: ListedTicket,
    /// How long ago it last changed.
    updated_friendly: String,
    /// How long ago an agent last responded.
    agent_responded_friendly: String,
    /// How old it is.
    created_days_old: String,
    /// What its clock says.
    sla_text: String,
    /// How urgent that is.
    sla_class: &'static str,
}

crate::shaped! { ActiveTicket: Members::only(&[
    "id", "ticket_number", "subject", "description_text", "status", "status_id", "status_text", "priority", "priority_id",
    "priority_raw", "priority_text", "type", "ticket_type", "company_id", "requester_id", "requester_email", "requester_name",
    "responder_id", "agent_name", "group_id", "source", "created_at_str", "updated_at_str", "fr_due_by_str", "due_by_str",
    "first_responded_at_iso", "agent_responded_at", "updated_friendly", "agent_responded_friendly", "created_days_old",
    "sla_text", "sla_class", "total_hours_spent",
])
    .within(|active: &ActiveTicket| &active.ticket.view)
    .within(|active: &ActiveTicket| &active.ticket)
    .also("priority_raw", "priority_id")
    .also("created_at_str", "created_at")
    .also("updated_at_str", "last_updated_at")
    .also("fr_due_by_str", "fr_due_by")
    .also("due_by_str", "due_by")
    .also("first_responded_at_iso", "first_responded_at")
    .member("subject", Holds::TEXT, |active| active.ticket.view.row.subject.as_deref().unwrap_or_default().into())
    .member("description_text", Holds::TEXT, |active| active.ticket.view.description_text.as_deref().unwrap_or_default().into())
    .member("requester_name", Holds::TEXT, |active| active.requester_name().into())
    .member("agent_name", Holds::TEXT, |active| active.ticket.view.agent_or("Unassigned").into())
    .member("updated_friendly", Holds::TEXT, |active| (&active.updated_friendly).into())
    .member("agent_responded_friendly", Holds::TEXT.or_null(), |active| (&active.agent_responded_friendly).into())
    .member("created_days_old", Holds::TEXT, |active| (&active.created_days_old).into())
    .member("sla_text", Holds::TEXT, |active| (&active.sla_text).into())
    .member("sla_class", Holds::TEXT, |active| active.sla_class.into())
}

impl ActiveTicket {
    /// Who asked: by name, else by the vendor's id.
    fn requester_name(&self) -> String {
        let view = &self.ticket.view;
        let number = || view.row.requester_id.map_or_else(|| NOTHING.to_owned(), |id| format!("Requester {id}"));
        view.requester_name().map_or_else(number, str::to_owned)
    }
}

/// The board.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Board {
    section1: Vec<ActiveTicket>,
    section2: Vec<ActiveTicket>,
    section3: Vec<ActiveTicket>,
    section4: Vec<ActiveTicket>,
    total_active: usize,
    last_updated: String,
    last_sync_time: Option<String>,
}

impl Board {
    /// A board without tickets, at a moment.
    #[must_use]
    pub fn new(last_sync_time: Option<String>, now: Timestamp) -> Self {
        let stamp = crate::types::format_time(now).replace('Z', "+00:00");
        Self { last_updated: stamp, last_sync_time, ..Self::default() }
    }

    /// With one ticket more; [`Self::sorted`] comes last.
    pub fn add(&mut self, ticket: TicketView, statuses: &Statuses, now: Timestamp) {
        self.total_active += 1;
        let (section, ticket) = place(ticket, statuses, now);
        match section {
            1 => self.section1.push(ticket),
            2 => self.section2.push(ticket),
            3 => self.section3.push(ticket),
            _ => self.section4.push(ticket),
        }
    }

    /// With the urgent first.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let board = &mut self;
        for section in [&mut board.section1, &mut board.section2, &mut board.section3, &mut board.section4] {
            section.sort_by(|a, b| {
                let (a, b) = (&a.ticket.view.row, &b.ticket.view.row);
                let urgency = |ticket: &Ticket| ticket.priority_id.unwrap_or(1);
                let oldest = || a.last_updated_at.cmp(&b.last_updated_at).then(a.external_id.cmp(&b.external_id));
                urgency(b).cmp(&urgency(a)).then_with(oldest)
            });
        }
        self
    }
}

/// The section of a ticket, and the ticket as the board shows it.
fn place(view: TicketView, statuses: &Statuses, now: Timestamp) -> (u8, ActiveTicket) {
    let ticket = ListedTicket::new(view, statuses);
    let row = &ticket.view.row;
    let updated_friendly = friendly(moment(Some(&row.last_updated_at)), now);
    let agent_responded_friendly = friendly(moment(row.agent_responded_at.as_deref()), now);
    let created_days_old = days_old(moment(row.vendor_created_at.as_deref()), now);
    let (section, sla_text, sla_class) = clock(&ticket, (&updated_friendly, &agent_responded_friendly), now);
    (section, ActiveTicket { ticket, updated_friendly, agent_responded_friendly, created_days_old, sla_text, sla_class })
}

/// How long a ticket of a priority may go without a word.
fn patience(priority: &str) -> i64 {
    match priority {
        "urgent" => 30 * 60,
        "high" => 2 * DAY,
        "low" => 4 * DAY,
        _ => 3 * DAY,
    }
}

/// Section, words and class; the first rule that fits decides.
fn clock(listed: &ListedTicket, (updated, responded): (&str, &str), now: Timestamp) -> (u8, String, &'static str) {
    let (ticket, status) = (&listed.view.row, &listed.status_text);
    match ticket.status.as_str() {
        "customer_replied" => return (2, format!("Customer Replied ({updated})"), "sla-warning"),
        "pending_hubspot" => return (4, format!("Pending Hubspot ({updated})"), "sla-none"),
        _ => {}
    }
    let silence = moment(Some(&ticket.last_updated_at)).map(|at| seconds(at, now));
    if let (Some(priority), Some(silence)) = (&ticket.priority, silence)
        && silence > patience(priority)
    {
        return (3, format!("Update Overdue ({status}, {updated})"), "sla-critical");
    }
    match ticket.status.as_str() {
        "open" | "update_needed" | "pending" => {
            let (text, class) = due(&listed.view, status, now);
            (1, text, class)
        }
        "waiting_customer" => {
            let known = moment(ticket.agent_responded_at.as_deref()).is_some();
            let agent = if known { format!(" (Agent: {responded})") } else { String::new() };
            (4, format!("Waiting on Customer{agent}"), "sla-responded")
        }
        "on_hold" => (4, format!("On Hold ({updated})"), "sla-none"),
        _ => (4, format!("{status} ({updated})"), "sla-in-progress"),
    }
}

/// What the clock of open work says.
fn due(view: &TicketView, status: &str, now: Timestamp) -> (String, &'static str) {
    let ticket = &view.row;
    if moment(ticket.first_responded_at.as_deref()).is_some() {
        return (format!("{status} (FR Met)"), "sla-responded");
    }
    let (prefix, target) = if view.kind() == "Service Request" { ("Due", &ticket.due_by) } else { ("FR", &ticket.fr_due_by) };
    let Some(left) = moment(target.as_deref()).map(|target| seconds(now, target)) else {
        return (format!("No {prefix} Due Date"), "sla-none");
    };
    if left < 0 {
        return (format!("{prefix} Overdue by {}", length(left)), "sla-overdue");
    }
    let class = match left {
        soon if soon < 4 * HOUR => "sla-critical",
        today if today < 12 * HOUR => "sla-warning",
        _ => "sla-normal",
    };
    (format!("{} for {prefix}", length(left)), class)
}

#[cfg(test)]
#[path = "active_tests.rs"]
mod tests;
