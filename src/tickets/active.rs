//! The board of open work: which of four sections a ticket stands in, and what its clock says
//! (contract §1.6.2, Beacon's only source of tickets).

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Statuses, TicketRow,
    relative_time::{days_old, friendly, length, moment, seconds},
    utc,
};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// A ticket on the board; every member is always there.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ActiveTicket {
    /// The vendor's number.
    pub id: i64,
    /// The same as text.
    pub ticket_number: String,
    /// Never null.
    pub subject: String,
    /// Never null.
    pub description_text: String,
    /// The normalised word.
    pub status: String,
    /// The vendor's code.
    pub status_id: Option<i64>,
    /// The name for people.
    pub status_text: String,
    /// The word.
    pub priority: Option<String>,
    /// The vendor's code.
    pub priority_id: Option<i64>,
    /// The same.
    pub priority_raw: Option<i64>,
    /// The name for people, never null.
    pub priority_text: String,
    /// `Incident`, `Service Request`, …
    pub r#type: String,
    /// The same.
    pub ticket_type: String,
    /// Its company's key.
    pub company_id: Option<String>,
    /// The vendor's id of whoever asked.
    pub requester_id: Option<i64>,
    /// Their address.
    pub requester_email: Option<String>,
    /// Their name, or what stands for it.
    pub requester_name: String,
    /// The vendor's id of the agent.
    pub responder_id: Option<i64>,
    /// Their name, or what stands for it.
    pub agent_name: String,
    /// The vendor's id of the group.
    pub group_id: Option<i64>,
    /// The vendor.
    pub source: String,
    /// When it was opened.
    pub created_at_str: Option<String>,
    /// When it last changed.
    pub updated_at_str: String,
    /// When the first response is due.
    pub fr_due_by_str: Option<String>,
    /// When the solution is due.
    pub due_by_str: Option<String>,
    /// When it was first responded to.
    pub first_responded_at_iso: Option<String>,
    /// When an agent last responded.
    pub agent_responded_at: Option<String>,
    /// How long ago it last changed.
    pub updated_friendly: String,
    /// How long ago an agent last responded.
    pub agent_responded_friendly: String,
    /// How old it is.
    pub created_days_old: String,
    /// What its clock says.
    pub sla_text: String,
    /// How urgent that is.
    pub sla_class: &'static str,
    /// Hours worked on it.
    pub total_hours_spent: f64,
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
    pub fn add(&mut self, ticket: TicketRow, statuses: &Statuses, now: Timestamp) {
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
                let urgency = |ticket: &ActiveTicket| ticket.priority_raw.unwrap_or(1);
                urgency(b).cmp(&urgency(a)).then_with(|| a.updated_at_str.cmp(&b.updated_at_str)).then(a.id.cmp(&b.id))
            });
        }
        self
    }
}

/// The section of a ticket, and the ticket as the board shows it.
fn place(row: TicketRow, statuses: &Statuses, now: Timestamp) -> (u8, ActiveTicket) {
    let updated_at = row.updated_at();
    let agent_responded = moment(row.ticket.agent_responded_at.as_deref());
    let friendly_words = (friendly(moment(Some(&updated_at)), now), friendly(agent_responded, now));
    let status_text = row.status_text(statuses);
    let (section, sla_text, sla_class) = clock(&row, &status_text, &friendly_words, now);
    let time = |at: &Option<String>| at.as_deref().and_then(utc);
    let (name, email) = (row.requester_name(), row.requester_email());
    let (opened, priority_text, kind, hours) = (row.opened_at(), row.priority_text(), row.kind(), row.ticket.hours());
    let ticket = row.ticket;
    let known_as = |what: &str, id: Option<i64>, none: &str| id.map_or_else(|| none.to_owned(), |id| format!("{what} {id}"));
    let shown = ActiveTicket {
        id: ticket.external_id,
        created_days_old: days_old(moment(opened.as_deref()), now),
        created_at_str: opened,
        fr_due_by_str: time(&ticket.fr_due_by),
        due_by_str: time(&ticket.due_by),
        first_responded_at_iso: time(&ticket.first_responded_at),
        agent_responded_at: time(&ticket.agent_responded_at),
        ticket_number: ticket.ticket_number,
        subject: ticket.subject.unwrap_or_default(),
        description_text: row.description_text.unwrap_or_default(),
        status: ticket.status,
        status_id: ticket.status_id,
        status_text,
        priority: ticket.priority,
        priority_id: ticket.priority_id,
        priority_raw: ticket.priority_id,
        priority_text,
        r#type: kind.clone(),
        ticket_type: kind,
        company_id: row.company_id,
        requester_name: name.unwrap_or_else(|| known_as("Requester", ticket.requester_id, super::relative_time::NOTHING)),
        requester_id: ticket.requester_id,
        requester_email: email,
        agent_name: row.agent_name.unwrap_or_else(|| known_as("Agent", ticket.responder_id, "Unassigned")),
        responder_id: ticket.responder_id,
        group_id: ticket.group_id,
        source: ticket.external_source,
        updated_at_str: updated_at,
        updated_friendly: friendly_words.0,
        agent_responded_friendly: friendly_words.1,
        sla_text,
        sla_class,
        total_hours_spent: hours,
    };
    (section, shown)
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
fn clock(row: &TicketRow, status: &str, (updated, responded): &(String, String), now: Timestamp) -> (u8, String, &'static str) {
    let ticket = &row.ticket;
    match ticket.status.as_str() {
        "customer_replied" => return (2, format!("Customer Replied ({updated})"), "sla-warning"),
        "pending_hubspot" => return (4, format!("Pending Hubspot ({updated})"), "sla-none"),
        _ => {}
    }
    let silence = moment(Some(&row.updated_at())).map(|at| seconds(at, now));
    if let (Some(priority), Some(silence)) = (&ticket.priority, silence)
        && silence > patience(priority)
    {
        return (3, format!("Update Overdue ({status}, {updated})"), "sla-critical");
    }
    match ticket.status.as_str() {
        "open" | "update_needed" | "pending" => {
            let (text, class) = due(row, status, now);
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
fn due(row: &TicketRow, status: &str, now: Timestamp) -> (String, &'static str) {
    let ticket = &row.ticket;
    if moment(ticket.first_responded_at.as_deref()).is_some() {
        return (format!("{status} (FR Met)"), "sla-responded");
    }
    let (prefix, target) = if row.kind() == "Service Request" { ("Due", &ticket.due_by) } else { ("FR", &ticket.fr_due_by) };
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
