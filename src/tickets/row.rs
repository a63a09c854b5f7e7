//! A ticket as it is read for whoever asks: the row with what stands around it, and what of that a
//! caller may see.

use super::{
    Statuses,
    model::{Seen, Ticket},
    utc,
};
use crate::{
    compliance::{Level, Personal, Protected, RedactionPolicy},
    entity::redact,
};

/// A ticket with its company, its people and its text.
#[derive(Clone, Debug, Default)]
pub struct TicketRow {
    /// The row.
    pub ticket: Ticket,
    /// What is kept beside its history.
    pub seen: Seen,
    /// Its company's key.
    pub company_id: Option<String>,
    /// Its company's name.
    pub company_name: Option<String>,
    /// How strictly its people are protected: by its company, or by the requester's.
    pub protection: Level,
    /// Who asked, when the vendor's id is one of our contacts.
    pub contact: Option<Person>,
    /// Who answers, when the vendor's id is an agent we know.
    pub agent_name: Option<String>,
    /// Plain text.
    pub description_text: Option<String>,
    /// Markup; read only where it is told.
    pub description: Option<String>,
    /// Whether what is written on it was left out.
    pub is_hidden: bool,
}

/// A contact, as a ticket mentions it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Our id.
    pub id: i64,
    /// What they are called.
    pub name: String,
    /// Where to write to.
    pub email: String,
}

impl TicketRow {
    /// Whether this caller may read what is written on it.
    #[must_use]
    pub fn may_read(&self, policy: &RedactionPolicy) -> bool {
        policy.shows(self.protection, Personal::Text)
    }

    /// The requester's name: as the vendor told it, else our contact's.
    #[must_use]
    pub fn requester_name(&self) -> Option<String> {
        filled(self.ticket.requester_name.clone()).or_else(|| filled(self.contact.as_ref().map(|contact| contact.name.clone())))
    }

    /// The requester's address: as the vendor told it, else our contact's.
    #[must_use]
    pub fn requester_email(&self) -> Option<String> {
        filled(self.ticket.requester_email.clone()).or_else(|| filled(self.contact.as_ref().map(|contact| contact.email.clone())))
    }

    /// When it was opened, in our one form.
    #[must_use]
    pub fn opened_at(&self) -> Option<String> {
        self.ticket.vendor_created_at.as_deref().and_then(utc)
    }

    /// When it last changed at the vendor; never missing, never without a zone: Ledger and Beacon fail
    /// for everybody when one ticket's is.
    #[must_use]
    pub fn updated_at(&self) -> String {
        let ours = || utc(&self.ticket.created_at).unwrap_or_else(crate::types::now);
        utc(&self.ticket.last_updated_at).or_else(|| self.opened_at()).unwrap_or_else(ours)
    }

    /// The status for people.
    #[must_use]
    pub fn status_text(&self, statuses: &Statuses) -> String {
        statuses.label(self.ticket.status_id, &self.ticket.status)
    }

    /// The priority for people; always a text, because Beacon lower-cases it.
    #[must_use]
    pub fn priority_text(&self) -> String {
        self.ticket.priority.as_deref().map_or_else(|| "Unknown".to_owned(), super::codes::title)
    }

    /// The kind; what the vendor leaves out is an incident.
    #[must_use]
    pub fn kind(&self) -> String {
        filled(self.ticket.ticket_type.clone()).unwrap_or_else(|| "Incident".to_owned())
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

impl Protected for TicketRow {
    const ENTITY: &'static str = "ticket";
    const TELLS: &'static [(&'static str, Personal)] = crate::personal_fields![Ticket];
    type Viewer = RedactionPolicy;

    /// Our own id; a ticket that is not stored here has the vendor's number.
    fn record(&self) -> i64 {
        if self.ticket.id == 0 { self.ticket.external_id } else { self.ticket.id }
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        let level = self.protection;
        redact(&mut self.ticket, |field, text| policy.reveal_or_word(level, field, text));
        self.description_text = policy.reveal_option(level, Personal::Text, self.description_text);
        self.description = policy.reveal_option(level, Personal::Text, self.description);
        self.is_hidden = !self.may_read(policy);
        self.contact = self.contact.map(|contact| Person {
            id: contact.id,
            name: policy.reveal(level, Personal::Name, &contact.name).unwrap_or_default(),
            email: policy.reveal(level, Personal::Email, &contact.email).unwrap_or_default(),
        });
        self
    }
}
