//! The messages on a ticket, and how long somebody worked on it.

use super::codes::moments_in_utc;
use crate::{
    compliance::{Level, Personal, Protected, RedactionPolicy},
    entity::{Holds, Members},
    error::Result,
};

crate::facet! {
    /// A reply or a note, ours or the vendor's.
    pub struct Message: "message", "ticket_conversations", "id" {
        /// The ticket's row.
        ticket_id: i64 = int("Ticket").told().internal(),
        /// Whether the vendor told it or it was written here.
        source: String = told("Source").internal(),
        /// The vendor's id; none for a note of ours that the vendor does not have.
        external_id: Option<i64> = int("Number").told().internal(),
        /// Plain text, maybe empty.
        body_text: String = told("Text").named("body"),
        /// The same as markup.
        body_html: Option<String> = told("Markup"),
        /// Whether only colleagues may read it.
        private: bool = flag("Note").told(),
        /// Whether the client wrote it.
        incoming: bool = flag("From the client").told(),
        /// How it came in, by the vendor's code.
        kind: Option<i64> = int("Way in").told().internal(),
        /// The vendor's id of who wrote it.
        user_id: Option<i64> = int("Writer at the vendor").told(),
        /// Who wrote it, by name, when we know.
        author: Option<String> = told("Writer").internal(),
        /// The address it came from.
        from_email: Option<String> = told("From"),
        /// The addresses it went to.
        to_emails: Vec<String> = json("To", Layout::Texts).told(),
        /// The help desk's own address.
        support_email: Option<String> = told("Help desk"),
        created_at: String = moment("Written", 50).told(),
        /// When it was last changed.
        updated_at: Option<String> = moment("Last changed", 50).told(),
    }
}

crate::facet! {
    /// One line of a ticket's time sheet.
    pub struct TimeEntry: "entry", "ticket_time_entries", "ticket_id" {
        /// The vendor's id.
        external_id: Option<i64> = int("Number").told(),
        /// The vendor's id of who worked.
        agent_id: Option<i64> = int("Agent").told(),
        /// For how long.
        minutes: i64 = int("Minutes").told(),
        /// Whether the client pays for it.
        billable: Option<bool> = flag("Billable").told(),
        /// Whether a timer is still running.
        running: bool = flag("Running").told(),
        /// What was done.
        note: Option<String> = told("Work"),
        executed_at: Option<String> = moment("Worked at", 50).told(),
        /// When it was written down.
        created_at: Option<String> = moment("Written", 50).told(),
        /// When it was last changed.
        updated_at: Option<String> = moment("Last changed", 50).told(),
    }
}

/// A message as it is told.
#[derive(Clone, Debug)]
pub struct MessageView {
    /// The vendor's id, or ours for a note that the vendor does not have.
    pub id: i64,
    /// The message; a note that was written here has its writer where others have an address, as neighbours read it.
    pub message: Message,
    /// Who wrote it, maybe empty.
    pub user: String,
    /// How strictly whoever wrote it is protected.
    pub protection: Level,
}

// An element of `conversations` and `notes` (contract §1.1.9): neighbours read either `body` or `text`.
crate::shaped! { MessageView: Members::only(&[
    "id", "body", "text", "body_html", "from_email", "to_emails", "created_at", "updated_at", "incoming", "private", "user_id",
    "support_email", "user",
])
    .part(|view: &MessageView| &view.message)
    .member("id", Holds::INT, |view| view.id.into())
    .also("text", "body")
    .member("user", Holds::TEXT, |view| (&view.user).into())
}

/// Whose words these are may be somebody else than whom the ticket is about.
impl Protected for MessageView {
    const ENTITY: &'static str = "ticket";
    const TELLS: &'static [(&'static str, Personal)] = &[("body", Personal::Text)];
    type Viewer = RedactionPolicy;

    fn record(&self) -> i64 {
        self.message.ticket_id
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        let level = self.protection;
        let message = &mut self.message;
        if policy.shows(level, Personal::Text) {
            message.body_text = policy.screen(&message.body_text);
            message.body_html = message.body_html.take().map(|html| policy.screen(&html));
        } else {
            policy.strictness(level).hidden().clone_into(&mut message.body_text);
            (message.body_html, message.from_email, message.author) = (None, None, None);
            message.to_emails.clear();
            self.user = policy.reveal(level, Personal::Name, &self.user).unwrap_or_default();
        }
        self
    }
}

impl MessageView {
    /// A message and its row's number, with how strictly whoever wrote it is protected.
    ///
    /// # Errors
    /// `Internal` when a time is no text.
    pub fn new(mut message: Message, row_id: i64, protection: Level) -> Result<Self> {
        moments_in_utc(&mut message)?;
        let writer = message.author.clone().filter(|_| message.external_id.is_none() && !message.incoming);
        let user = [&message.author, &message.from_email].into_iter().flatten().find(|name| !name.is_empty()).cloned();
        message.from_email = message.from_email.or(writer);
        Ok(Self { id: message.external_id.unwrap_or(row_id), user: user.unwrap_or_default(), message, protection })
    }
}
