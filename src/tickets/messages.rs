//! What was said on a ticket, and how long somebody worked on it.

use serde::Serialize;

use crate::compliance::{Level, Personal, Protected, RedactionPolicy};

/// One thing that was said: a reply, a note, ours or the vendor's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The vendor's id; none for a note of ours that the vendor does not have.
    pub external_id: Option<i64>,
    /// Plain text, maybe empty.
    pub body_text: String,
    /// The same as markup.
    pub body_html: Option<String>,
    /// Whether only colleagues may read it.
    pub private: bool,
    /// Whether the client said it.
    pub incoming: bool,
    /// How it came in, by the vendor's code.
    pub kind: Option<i64>,
    /// The vendor's id of who said it.
    pub user_id: Option<i64>,
    /// Who said it, by name, when we know.
    pub author: Option<String>,
    /// The address it came from.
    pub from_email: Option<String>,
    /// The addresses it went to.
    pub to_emails: Vec<String>,
    /// The help desk's own address.
    pub support_email: Option<String>,
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: Option<String>,
}

/// One line of a ticket's time sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeEntry {
    /// The vendor's id.
    pub external_id: Option<i64>,
    /// The vendor's id of who worked.
    pub agent_id: Option<i64>,
    /// For how long.
    pub minutes: i64,
    /// Whether the client pays for it.
    pub billable: Option<bool>,
    /// Whether a timer is still running.
    pub running: bool,
    /// What was done.
    pub note: Option<String>,
    pub executed_at: Option<String>,
    /// When it was written down.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
}

/// An element of `conversations` and `notes` (contract §1.1.9): neighbours read either `body` or `text`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = TicketMessage)]
pub struct SaidView {
    /// The vendor's id, or ours for a note that the vendor does not have.
    pub id: i64,
    /// Plain text, never null.
    pub body: String,
    /// The same.
    pub text: String,
    /// Markup.
    pub body_html: Option<String>,
    /// Where it came from.
    pub from_email: Option<String>,
    /// Where it went.
    pub to_emails: Vec<String>,
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// Whether the client said it.
    pub incoming: bool,
    /// Whether only colleagues may read it.
    pub private: bool,
    /// The vendor's id of who said it.
    pub user_id: Option<i64>,
    /// The help desk's own address.
    pub support_email: Option<String>,
    /// Who said it, never null.
    pub user: String,
    /// The ticket.
    #[serde(skip)]
    pub ticket: i64,
    /// How strictly whoever said it is protected.
    #[serde(skip)]
    pub protection: Level,
}

/// Whose words these are may be somebody else than whom the ticket is about.
impl Protected for SaidView {
    const ENTITY: &'static str = "ticket";
    const TELLS: &'static [(&'static str, Personal)] = &[("body", Personal::Text)];
    type Viewer = RedactionPolicy;

    fn record(&self) -> i64 {
        self.ticket
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        let level = self.protection;
        if !policy.shows(level, Personal::Text) {
            policy.strictness(level).hidden().clone_into(&mut self.text);
            self.body.clone_from(&self.text);
            (self.body_html, self.from_email) = (None, None);
            self.to_emails.clear();
            self.user = policy.reveal(level, Personal::Name, &self.user).unwrap_or_default();
        }
        self
    }
}

impl SaidView {
    /// The wire shape of something that was said; `row_id` is ours.
    #[must_use]
    pub fn new(said: Said, row_id: i64) -> Self {
        // A note that was written here has no address; neighbours read there who wrote it.
        let writer = said.author.clone().filter(|_| said.external_id.is_none() && !said.incoming);
        let user = [said.author, said.from_email.clone()].into_iter().flatten().find(|name| !name.is_empty());
        Self {
            id: said.external_id.unwrap_or(row_id),
            text: said.body_text.clone(),
            body: said.body_text,
            body_html: said.body_html,
            from_email: said.from_email.or(writer),
            to_emails: said.to_emails,
            created_at: super::utc(&said.created_at).unwrap_or(said.created_at),
            updated_at: said.updated_at.and_then(|at| super::utc(&at)),
            incoming: said.incoming,
            private: said.private,
            user_id: said.user_id,
            support_email: said.support_email,
            user: user.unwrap_or_default(),
            ticket: 0,
            protection: Level::Standard,
        }
    }
}
