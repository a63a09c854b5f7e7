//! What a ticket is: the row whose every change is kept, and the row as it is read for whoever asks.

use super::{
    Statuses, codes,
    codes::{moments_in_utc, utc},
};
use crate::{
    compliance::{Level, Personal, Protected, RedactionPolicy},
    db::Value,
    entity::{Holds, Members, redact},
    error::Result,
    types::{SearchText, fold, now},
};

crate::entity! {
    /// Something a client asked for, as the vendor and our own people tell it. Its texts and
    /// messages are kept beside it, without history.
    pub struct Ticket: "ticket", "Ticket", "tickets" {
        /// The vendor's name.
        external_source: String = told("Vendor").named("source").listed(),
        /// The vendor's number: the id by which every neighbour knows the ticket.
        external_id: i64 = int("Number").named("id").told().listed(),
        /// Whose it is; none when the vendor names no department, or none that we know.
        company_id: Option<i64> = int("Company").id_of("company").on_page("People").told().internal(),
        /// The vendor's department.
        department_id: Option<i64> = int("Department at the vendor").told().internal(),
        /// The vendor's number as text.
        ticket_number: String = told("Ticket number").listed(),
        /// What it is about, in a line.
        subject: Option<String> = told("Subject").personal(Personal::Subject).folded("ticket.subject_folded"),
        /// The normalised word; never null.
        status: String = told("Status").format(Format::Word).on_page("Ticket").listed(),
        /// The vendor's code.
        status_id: Option<i64> = int("Status at the vendor").told().listed(),
        /// `low`, `medium`, `high` or `urgent`.
        priority: Option<String> = told("Priority").on_page("Ticket"),
        /// The vendor's code, 1 to 4.
        priority_id: Option<i64> = int("Priority at the vendor").told().listed(),
        /// `Incident`, `Service Request`, or what the vendor calls it.
        ticket_type: Option<String> = told("Type").on_page("Ticket").named("type").listed(),
        /// How it came in, by the vendor's code (1 e-mail, 2 portal, 3 telephone, …).
        source_id: Option<i64> = int("Way in").told(),
        /// The vendor's id of whoever asked.
        requester_id: Option<i64> = int("Requester at the vendor").told().listed(),
        /// Their address, when the vendor told it.
        requester_email: Option<String> = email("Requester e-mail", 254).on_page("People").told().personal(Personal::Email).folded("ticket.requester_folded"),
        /// Their name, when the vendor told it.
        requester_name: Option<String> = told("Requester").on_page("People").personal(Personal::Name).folded("ticket.requester_folded"),
        /// The vendor's id of the agent.
        responder_id: Option<i64> = int("Agent").on_page("People").told().listed(),
        /// The vendor's id of the agents' group.
        group_id: Option<i64> = int("Group").told().listed(),
        /// The vendor's id of the workspace.
        workspace_id: Option<i64> = int("Workspace at the vendor").told().internal(),
        /// The vendor's first category.
        category: Option<String> = told("Category").on_page("Ticket").listed(),
        /// The category below it.
        sub_category: Option<String> = told("Sub-category").on_page("Ticket"),
        /// The one below that.
        item_category: Option<String> = told("Item category").on_page("Ticket"),
        /// When it was opened.
        vendor_created_at: Option<String> = moment("Opened", 50).on_page("Times").named("created_at").told().listed(),
        /// When the vendor last changed it; nothing that happens here moves it.
        last_updated_at: String = moment("Last changed", 50).on_page("Times").told().listed(),
        /// When it was resolved.
        resolved_at: Option<String> = moment("Resolved", 50).on_page("Times").told().listed(),
        /// When it was closed.
        closed_at: Option<String> = moment("Closed", 50).on_page("Times").told().listed(),
        /// When the first response is due.
        fr_due_by: Option<String> = moment("First response due", 50).on_page("Times").told().listed(),
        /// When the solution is due.
        due_by: Option<String> = moment("Due", 50).on_page("Times").told().listed(),
        /// When it was first responded to.
        first_responded_at: Option<String> = moment("First response", 50).on_page("Times").told(),
        /// When an agent last responded.
        agent_responded_at: Option<String> = moment("Last response", 50).told(),
        /// Minutes worked on it.
        minutes_spent: i64 = int("Time worked").format(Format::Minutes).on_page("Ticket").told().internal(),
        /// Whether the time sheet has been read; else the minutes are 0 because nobody has looked.
        time_known: bool = flag("Time sheet read").named("hours_known").told(),
        /// Whether it is overdue as the vendor sees it.
        is_escalated: bool = flag("Overdue").told(),
        /// Whether it was marked as spam.
        spam: bool = flag("Spam").told(),
        /// The vendor's custom fields: a JSON object as text.
        custom_fields: Option<String> = json("Custom fields", Layout::AsSent).personal(Personal::Text).internal(),
    }
}

impl Ticket {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        let subject = self.subject.as_deref().unwrap_or_default();
        let requester = [&self.requester_name, &self.requester_email];
        let requester: Vec<&str> = requester.into_iter().flatten().map(String::as_str).collect();
        let requester = requester.join(" ");
        vec![
            ("subject_folded", fold(subject).into()),
            ("requester_folded", fold(&requester).into()),
            ("requester_key", self.requester_key().into()),
            ("search_text", SearchText::new().number(&self.ticket_number).words([subject, &requester]).finish().into()),
        ]
    }

    /// The requester's address as contacts are found by theirs.
    #[must_use]
    pub fn requester_key(&self) -> Option<String> {
        self.requester_email.as_deref().map(fold).filter(|key| !key.is_empty())
    }

    /// Hours worked on it.
    #[must_use]
    pub fn hours(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "minutes of one ticket are far below 2^53")]
        let minutes = self.minutes_spent as f64;
        minutes / 60.0
    }
}

crate::facet! {
    /// What is kept about a ticket beside its history: who looked when.
    pub struct Seen: "ticket", "tickets", "id" {
        /// When a webhook last told of it, in the vendor's time.
        webhook_updated_at: Option<String> = moment("Webhook", 50).told(),
        /// When somebody last changed it here.
        local_updated_at: Option<String> = moment("Changed here", 50).told(),
        /// The vendor's time of the state whose conversations and time sheet have been read.
        detail_synced_at: Option<String> = moment("Details read", 50).told(),
    }
}

/// A ticket with its company, its people and its text.
#[derive(Clone, Debug, Default)]
pub struct TicketView {
    /// The row.
    pub row: Ticket,
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

// Whatever is told of a ticket; each answer in `views` picks from it.
crate::shaped! { TicketView: Members::first(&["ticket_type"])
    .part(|view: &TicketView| &view.row)
    .member("type", Holds::TEXT, |view| view.kind().into())
    .also("ticket_type", "type")
    .member("description_text", Holds::TEXT.or_null(), |view| (&view.description_text).into())
    .member("description", Holds::TEXT.or_null(), |view| (&view.description).into())
    .member("company_id", Holds::TEXT.or_null(), |view| (&view.company_id).into())
    .member("requester_email", Holds::TEXT.or_null(), |view| view.requester_email().into())
    .member("requester_name", Holds::TEXT.or_null(), |view| view.requester_name().into())
    .member("total_hours_spent", Holds::REAL, |view| view.row.hours().into())
    .member("company_compliance_level", Holds::TEXT, |view| view.protection.as_str().into())
    .member("company_name", Holds::TEXT.or_null(), |view| (&view.company_name).into())
    .member("priority_text", Holds::TEXT, |view| view.priority_text().into())
    .member("agent_name", Holds::TEXT.or_null(), |view| (&view.agent_name).into())
    .member("local_updated_at", Holds::TEXT.or_null(), |view| (&view.seen.local_updated_at).into())
    .member("retired_at", Holds::TEXT.or_null(), |view| (&view.row.retired_at).into())
    .member("rev", Holds::INT, |view| view.row.rev.into())
    // Our own id, by which history and pins are asked for.
    .member("row_id", Holds::INT, |view| view.row.id.into())
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

impl TicketView {
    /// A row with its times in our one form. The time of its last change is never missing and never without a zone: Ledger
    /// and Beacon fail for everybody when one ticket's is.
    ///
    /// # Errors
    /// `Internal` when a time is no text.
    pub fn new(mut row: Ticket) -> Result<Self> {
        moments_in_utc(&mut row)?;
        if utc(&row.last_updated_at).is_none() {
            row.last_updated_at = row.vendor_created_at.clone().or_else(|| utc(&row.created_at)).unwrap_or_else(now);
        }
        Ok(Self { row, ..Self::default() })
    }

    /// Whether this caller may read what is written on it.
    #[must_use]
    pub fn may_read(&self, policy: &RedactionPolicy) -> bool {
        policy.shows(self.protection, Personal::Text)
    }

    /// What a page says in the place of what was left out.
    #[must_use]
    pub fn hidden(&self) -> Option<&'static str> {
        self.is_hidden.then(|| self.protection.hidden())
    }

    /// The requester's name: as the vendor told it, else our contact's.
    #[must_use]
    pub fn requester_name(&self) -> Option<&str> {
        filled(self.row.requester_name.as_ref()).or_else(|| filled(self.contact.as_ref().map(|contact| &contact.name)))
    }

    /// The requester's address: as the vendor told it, else our contact's.
    #[must_use]
    pub fn requester_email(&self) -> Option<&str> {
        filled(self.row.requester_email.as_ref()).or_else(|| filled(self.contact.as_ref().map(|contact| &contact.email)))
    }

    /// Who answers: by name, else by the vendor's id, else this.
    #[must_use]
    pub fn agent_or(&self, nobody: &str) -> String {
        let number = || self.row.responder_id.map_or_else(|| nobody.to_owned(), |id| format!("Agent {id}"));
        self.agent_name.clone().unwrap_or_else(number)
    }

    /// The status for people.
    #[must_use]
    pub fn status_text(&self, statuses: &Statuses) -> String {
        statuses.label(self.row.status_id, &self.row.status)
    }

    /// The priority for people; always a text, because Beacon lower-cases it.
    #[must_use]
    pub fn priority_text(&self) -> String {
        self.row.priority.as_deref().map_or_else(|| "Unknown".to_owned(), codes::title)
    }

    /// The kind; what the vendor leaves out is an incident.
    #[must_use]
    pub fn kind(&self) -> &str {
        filled(self.row.ticket_type.as_ref()).unwrap_or("Incident")
    }
}

fn filled(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.trim().is_empty())
}

impl Protected for TicketView {
    const ENTITY: &'static str = "ticket";
    const TELLS: &'static [(&'static str, Personal)] = crate::personal_fields![Ticket];
    type Viewer = RedactionPolicy;

    /// Our own id; a ticket that is not stored here has the vendor's number.
    fn record(&self) -> i64 {
        if self.row.id == 0 { self.row.external_id } else { self.row.id }
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        let level = self.protection;
        redact(&mut self.row, |field, text| policy.reveal_or_word(level, field, text));
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
