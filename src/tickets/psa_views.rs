//! The shapes of `/api/psa/…` and `/api/freshservice/…` (contract §1.6.5, §1.6.6).

use serde::Serialize;
use serde_json::{Value, json};

use super::{TicketRow, list_store::SOURCE, views::TicketView};
use crate::config::Config;

/// An element of `/api/freshservice/tickets`.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct VendorTicket {
    /// The element of `/api/tickets`.
    #[serde(flatten)]
    pub ticket: TicketView,
    /// The company's name.
    pub company: Option<String>,
    /// The requester's name, else their address.
    pub requester: Option<String>,
}

impl VendorTicket {
    /// The members beside those of a ticket.
    pub const MORE: [&'static str; 2] = ["company", "requester"];
}

impl From<TicketView> for VendorTicket {
    fn from(ticket: TicketView) -> Self {
        let requester = ticket.requester_name.clone().or_else(|| ticket.requester_email.clone());
        Self { company: ticket.company_name.clone(), requester, ticket }
    }
}

impl PsaTicket {
    /// Its members, in their order.
    pub const FIELDS: &'static [&'static str] = &[
        "id",
        "external_id",
        "source",
        "ticket_number",
        "subject",
        "status",
        "priority",
        "company_id",
        "company_name",
        "requester_name",
        "requester_email",
        "responder_id",
        "group_id",
        "created_at",
        "updated_at",
        "total_hours",
    ];
}

/// An element of `/api/psa/tickets`.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PsaTicket {
    /// Our own id.
    pub id: i64,
    /// The vendor's number.
    pub external_id: i64,
    /// The vendor.
    pub source: String,
    /// The vendor's number as text.
    pub ticket_number: String,
    /// What it is about.
    pub subject: Option<String>,
    /// The normalised word.
    pub status: String,
    /// The word.
    pub priority: Option<String>,
    /// The company's key.
    pub company_id: Option<String>,
    /// `Unknown` when there is none.
    pub company_name: String,
    /// Who asked.
    pub requester_name: Option<String>,
    /// Who asked.
    pub requester_email: Option<String>,
    /// The vendor's id of the agent.
    pub responder_id: Option<i64>,
    /// The vendor's id of the group.
    pub group_id: Option<i64>,
    /// When it was opened.
    pub created_at: Option<String>,
    /// When it last changed.
    pub updated_at: String,
    /// Hours worked on it.
    pub total_hours: f64,
}

impl From<TicketView> for PsaTicket {
    fn from(ticket: TicketView) -> Self {
        Self {
            id: ticket.row_id,
            external_id: ticket.id,
            source: ticket.source,
            ticket_number: ticket.ticket_number,
            subject: ticket.subject,
            status: ticket.status,
            priority: ticket.priority,
            company_id: ticket.company_id,
            company_name: ticket.company_name.unwrap_or_else(|| "Unknown".to_owned()),
            requester_name: ticket.requester_name,
            requester_email: ticket.requester_email,
            responder_id: ticket.responder_id,
            group_id: ticket.group_id,
            created_at: ticket.created_at,
            updated_at: ticket.last_updated_at,
            total_hours: ticket.total_hours_spent,
        }
    }
}

/// An element of `/api/psa/tickets/active`.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ActivePsaTicket {
    /// Our own id.
    pub id: i64,
    /// The vendor's number.
    pub external_id: i64,
    /// The vendor.
    pub source: String,
    /// The vendor's number as text.
    pub ticket_number: String,
    /// What it is about.
    pub subject: Option<String>,
    /// The normalised word.
    pub status: String,
    /// The word.
    pub priority: Option<String>,
    /// The company's key.
    pub company_id: Option<String>,
    /// `Unknown` when there is none.
    pub company_name: String,
    /// Who asked.
    pub requester_name: Option<String>,
    /// The vendor's id of the agent.
    pub responder_id: Option<i64>,
    /// Their name; `Unassigned` when there is nobody.
    pub responder_name: String,
    /// The vendor's id of the group.
    pub group_id: Option<i64>,
    /// When it was opened.
    pub created_at: Option<String>,
    /// When it last changed.
    pub updated_at: String,
    /// When the first response is due.
    pub fr_due_by: Option<String>,
    /// When the solution is due.
    pub due_by: Option<String>,
}

impl ActivePsaTicket {
    /// The words of the statuses that count as active here.
    pub const STATUSES: [&'static str; 4] = ["open", "pending", "waiting_customer", "on_hold"];

    /// From a row that has been through the caller's policy.
    #[must_use]
    pub fn new(row: TicketRow, statuses: &super::Statuses) -> Self {
        let ticket = TicketView::new(row, statuses);
        let agent = ticket.responder_id.map_or_else(|| "Unassigned".to_owned(), |id| format!("Agent {id}"));
        Self {
            id: ticket.row_id,
            external_id: ticket.id,
            source: ticket.source,
            ticket_number: ticket.ticket_number,
            subject: ticket.subject,
            status: ticket.status,
            priority: ticket.priority,
            company_id: ticket.company_id,
            company_name: ticket.company_name.unwrap_or_else(|| "Unknown".to_owned()),
            requester_name: ticket.requester_name,
            responder_id: ticket.responder_id,
            responder_name: ticket.agent_name.unwrap_or(agent),
            group_id: ticket.group_id,
            created_at: ticket.created_at,
            updated_at: ticket.last_updated_at,
            fr_due_by: ticket.fr_due_by,
            due_by: ticket.due_by,
        }
    }
}

/// Where tickets, companies and people are at the vendors that are set up.
#[must_use]
pub fn providers(config: &Config) -> Value {
    let Some(web) = config.freshservice.web_url.as_deref() else {
        return json!({"providers": {}, "default_provider": null});
    };
    json!({
        "providers": {SOURCE: {
            "name": "Freshservice",
            "ticket_url_template": format!("{web}/a/tickets/{{ticket_id}}"),
            "company_url_template": format!("{web}/a/admin/departments/{{company_id}}"),
            "contact_url_template": format!("{web}/a/requesters/{{contact_id}}"),
            "group_ids": {
                "professional_services": config.freshservice.professional_services_group_id,
                "helpdesk": config.freshservice.helpdesk_group_id,
            },
        }},
        "default_provider": SOURCE,
    })
}
