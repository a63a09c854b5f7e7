//! What a ticket is: the row whose every change is kept.

use crate::{
    compliance::Personal,
    db::Value,
    types::{SearchText, fold},
};

crate::entity! {
    /// Something a client asked for, as the vendor and our own people tell it. Its texts and what was
    /// said on it are kept beside it, without history.
    pub struct Ticket: "ticket", "Ticket", "tickets" {
        /// The vendor (`freshservice`).
        external_source: String = told("Vendor"),
        /// The vendor's number: the id by which every neighbour knows the ticket.
        external_id: i64 = int("Number").told(),
        /// Whose it is; none when the vendor names no department, or none that we know.
        company_id: Option<i64> = int("Company").told(),
        /// The vendor's department.
        department_id: Option<i64> = int("Department at the vendor").told(),
        /// The vendor's number as text.
        ticket_number: String = told("Ticket number"),
        /// What it is about, in a line.
        subject: Option<String> = told("Subject").personal(Personal::Subject),
        /// The normalised word; never null.
        status: String = told("Status"),
        /// The vendor's code.
        status_id: Option<i64> = int("Status at the vendor").told(),
        /// `low`, `medium`, `high` or `urgent`.
        priority: Option<String> = told("Priority"),
        /// The vendor's code, 1 to 4.
        priority_id: Option<i64> = int("Priority at the vendor").told(),
        /// `Incident`, `Service Request`, or what the vendor calls it.
        ticket_type: Option<String> = told("Type"),
        /// How it came in, by the vendor's code (1 e-mail, 2 portal, 3 telephone, …).
        source_id: Option<i64> = int("Way in").told(),
        /// The vendor's id of whoever asked.
        requester_id: Option<i64> = int("Requester at the vendor").told(),
        /// Their address, when the vendor told it.
        requester_email: Option<String> = told("Requester e-mail").personal(Personal::Email),
        /// Their name, when the vendor told it.
        requester_name: Option<String> = told("Requester").personal(Personal::Name),
        /// The vendor's id of the agent.
        responder_id: Option<i64> = int("Agent").told(),
        /// The vendor's id of the agents' group.
        group_id: Option<i64> = int("Group").told(),
        /// The vendor's id of the workspace.
        workspace_id: Option<i64> = int("Workspace at the vendor").told(),
        /// The vendor's first category.
        category: Option<String> = told("Category"),
        /// The category below it.
        sub_category: Option<String> = told("Sub-category"),
        /// The one below that.
        item_category: Option<String> = told("Item category"),
        /// When it was opened.
        vendor_created_at: Option<String> = told("Opened"),
        /// When the vendor last changed it; nothing that happens here moves it.
        last_updated_at: String = told("Last changed"),
        /// When it was resolved.
        resolved_at: Option<String> = told("Resolved"),
        /// When it was closed.
        closed_at: Option<String> = told("Closed"),
        /// When the first response is due.
        fr_due_by: Option<String> = told("First response due"),
        /// When the solution is due.
        due_by: Option<String> = told("Due"),
        /// When it was first responded to.
        first_responded_at: Option<String> = told("First response"),
        /// When an agent last responded.
        agent_responded_at: Option<String> = told("Last response"),
        /// Minutes worked on it.
        minutes_spent: i64 = int("Minutes worked").told(),
        /// Whether the time sheet has been read; else the minutes are 0 because nobody has looked.
        time_known: bool = flag("Time sheet read").told(),
        /// Whether it is overdue as the vendor sees it.
        is_escalated: bool = flag("Overdue").told(),
        /// Whether it was marked as spam.
        spam: bool = flag("Spam").told(),
        /// The vendor's custom fields: a JSON object as text.
        custom_fields: Option<String> = json("Custom fields").personal(Personal::Text),
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

/// What is kept about a ticket beside its history: who looked when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// When a webhook last told of it, in the vendor's time.
    pub webhook_updated_at: Option<String>,
    /// When somebody last changed it here.
    pub local_updated_at: Option<String>,
    /// The vendor's time of the state whose conversations and time sheet have been read.
    pub detail_synced_at: Option<String>,
}
