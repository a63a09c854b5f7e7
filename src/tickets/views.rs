//! The shapes in which neighbours read tickets: each names its members, in their order, and what is its own.

use crate::{
    entity::schema,
    web::openapi::{Schemas, schema as json},
};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{Statuses, TicketView, messages::MessageView};
use crate::{
    compliance::{RedactionPolicy, Veiled},
    entity::{Holds, Members, shape::Only},
};

/// An element of `/api/tickets` (contract §1.6.1) with what our own list shows beside it.
#[derive(Clone, Debug)]
pub struct ListedTicket {
    /// The ticket, after the caller's policy.
    pub view: TicketView,
    /// The name of its status.
    pub status_text: String,
}

crate::shaped! { ListedTicket: Members::only(&[
    "id", "ticket_number", "subject", "description_text", "status", "priority", "company_id", "requester_email", "requester_name",
    "created_at", "last_updated_at", "closed_at", "total_hours_spent", "company_compliance_level", "company_name", "status_text",
    "priority_text", "status_id", "priority_id", "type", "responder_id", "agent_name", "group_id", "fr_due_by", "due_by",
    "resolved_at", "source", "retired_at", "rev", "row_id",
])
    .within(|listed: &ListedTicket| &listed.view)
    .member("status_text", Holds::TEXT, |listed| (&listed.status_text).into())
}

impl ListedTicket {
    /// A ticket that has been through the caller's policy.
    #[must_use]
    pub fn new(view: TicketView, statuses: &Statuses) -> Self {
        Self { status_text: view.status_text(statuses), view }
    }

    /// What it is about, else its number.
    #[must_use]
    pub fn title(&self) -> String {
        let row = &self.view.row;
        row.subject.clone().filter(|line| !line.is_empty()).unwrap_or_else(|| format!("Ticket {}", row.external_id))
    }
}

/// What was written on a ticket, apart for clients and for colleagues.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Thread {
    /// What the client may read, oldest first.
    pub conversations: Vec<MessageView>,
    /// What only colleagues may, with what was noted here.
    pub notes: Vec<MessageView>,
}

impl Thread {
    /// Sorts out messages, as this caller may see them; without `colleague`, notes are left out.
    #[must_use]
    pub fn new(messages: Vec<Veiled<MessageView>>, policy: &RedactionPolicy, colleague: bool) -> Self {
        let (notes, conversations): (Vec<_>, Vec<_>) = messages.into_iter().partition(|one| one.inside().message.private);
        let seen = |messages: Vec<Veiled<MessageView>>| messages.into_iter().map(|one| one.redact(policy)).collect();
        Self { conversations: seen(conversations), notes: if colleague { seen(notes) } else { Vec::new() } }
    }
}

/// One ticket in full (contract §1.6.3).
#[derive(Clone, Debug)]
pub struct TicketDetail {
    /// The list's element.
    pub ticket: ListedTicket,
    /// What was written on it.
    pub thread: Thread,
}

/// What one ticket tells beyond the list's element.
const MORE: &[&str] = &[
    "ticket_type",
    "source_id",
    "requester_id",
    "category",
    "sub_category",
    "item_category",
    "first_responded_at",
    "agent_responded_at",
    "hours_known",
    "is_escalated",
    "spam",
    "local_updated_at",
];

impl Serialize for TicketDetail {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            ticket: &'a ListedTicket,
            description: &'a Option<String>,
            #[serde(flatten)]
            thread: &'a Thread,
            #[serde(flatten)]
            more: Only<'a, TicketView>,
        }
        let Self { ticket, thread } = self;
        Whole { ticket, description: &ticket.view.description, thread, more: Only(&ticket.view, MORE) }.serialize(serializer)
    }
}

/// What one ticket in full looks like, for the API description.
pub fn detail_answer(schemas: &mut Schemas) -> serde_json::Value {
    let more = schema::only::<TicketView>(&[&["description"], MORE].concat());
    serde_json::json!({"allOf": [json::one::<ListedTicket>(schemas), json::one::<Thread>(schemas), more]})
}

/// A ticket of a company, as KnowledgeTree and Ledger read it (contract §1.1.9).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct CompanyTicket {
    #[serde(flatten)]
    ticket: OfCompany,
    #[serde(flatten)]
    thread: Thread,
}

#[derive(Clone, Debug)]
struct OfCompany(TicketView);

crate::shaped! { OfCompany: Members::only(&[
    "ticket_id", "ticket_number", "subject", "description", "description_text", "status", "priority", "requester_email",
    "requester_name", "created_at", "last_updated_at", "closed_at", "total_hours_spent",
])
    .within(|ticket: &OfCompany| &ticket.0)
    .also("ticket_id", "id")
}

impl CompanyTicket {
    /// A ticket that has been through the caller's policy, and what was written on it.
    #[must_use]
    pub fn new(view: TicketView, thread: Thread) -> Self {
        Self { ticket: OfCompany(view), thread }
    }
}

/// An element of `/api/freshservice/tickets` (contract §1.6.6): that of `/api/tickets` with names under older words.
#[derive(Clone, Debug)]
pub struct VendorTicket(pub ListedTicket);

crate::shaped! { VendorTicket: Members::first(&[])
    .within(|ticket: &VendorTicket| &ticket.0)
    .also("company", "company_name")
    .member("requester", Holds::TEXT.or_null(), |ticket| ticket.0.view.requester_name().or(ticket.0.view.requester_email()).into())
}

/// An element of `/api/psa/tickets` (contract §1.6.5).
#[derive(Clone, Debug)]
pub struct PsaTicket(pub ListedTicket);

crate::shaped! { PsaTicket: psa(&[
    "id", "external_id", "source", "ticket_number", "subject", "status", "priority", "company_id", "company_name",
    "requester_name", "requester_email", "responder_id", "group_id", "created_at", "updated_at", "total_hours",
], |ticket: &PsaTicket| &ticket.0) }

/// An element of `/api/psa/tickets/active` (contract §1.6.5).
#[derive(Clone, Debug)]
pub struct ActivePsaTicket(pub ListedTicket);

crate::shaped! { ActivePsaTicket: psa(&[
    "id", "external_id", "source", "ticket_number", "subject", "status", "priority", "company_id", "company_name",
    "requester_name", "responder_id", "responder_name", "group_id", "created_at", "updated_at", "fr_due_by", "due_by",
], |ticket: &ActivePsaTicket| &ticket.0) }

impl ActivePsaTicket {
    /// The words of the statuses that count as active here.
    pub const STATUSES: [&'static str; 4] = ["open", "pending", "waiting_customer", "on_hold"];
}

/// These of what the routes below `/api/psa` tell: our id is theirs, and there is a name for whatever is unknown.
fn psa<V: 'static>(names: &'static [&'static str], of: fn(&V) -> &ListedTicket) -> Members<V> {
    Members::only(names)
        .within(of)
        .also("external_id", "id")
        .also("id", "row_id")
        .also("updated_at", "last_updated_at")
        .also("total_hours", "total_hours_spent")
        .computed(
            "company_name",
            Holds::TEXT,
            Arc::new(move |ticket| of(ticket).view.company_name.as_deref().unwrap_or("Unknown").into()),
        )
        .computed("responder_name", Holds::TEXT, Arc::new(move |ticket| of(ticket).view.agent_or("Unassigned").into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entity::Shaped as _, tickets::active::ActiveTicket};

    /// A name that no member has would be left out without a word.
    #[test]
    fn every_shape_has_all_its_members() {
        let counts = [
            ListedTicket::names().len(),
            OfCompany::names().len(),
            VendorTicket::names().len(),
            PsaTicket::names().len(),
            ActivePsaTicket::names().len(),
            ActiveTicket::names().len(),
        ];
        assert_eq!(counts, [30, 13, 32, 16, 17, 33]);
        assert!(MORE.iter().all(|name| TicketView::names().contains(name)), "{:?}", TicketView::names());
    }
}
