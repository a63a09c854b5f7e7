//! What an entry of the outbox is: one thing to be written to a vendor, and how far it has come.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    compliance::{Trail, trail},
    vendors::{Vendor, datto, freshservice},
    web::openapi::values::Held,
};

/// Field by field, in our words.
pub type Values = Map<String, Value>;

/// How far an entry has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OutboxState)]
pub enum State {
    /// To be sent.
    Pending,
    /// Its request may have left: nobody sends it again before the vendor was asked.
    Sending,
    /// Its request left, and nobody heard how that ended.
    Unknown,
    /// The vendor has it, as was read back.
    Done,
    /// The vendor has something else than was expected: a person decides.
    Conflict,
    /// The vendor refused it, or it was tried too often: a person decides.
    Failed,
    /// A person decided against it, or a later entry took its place.
    Discarded,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Sending, Self::Unknown, Self::Done, Self::Conflict, Self::Failed, Self::Discarded];

    /// The word stored in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Conflict => "conflict",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
        }
    }

    /// The state of a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether a request may be on its way, so that the vendor has to be asked before the next.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Sending | Self::Unknown)
    }

    /// Whether it waits for a person.
    #[must_use]
    pub fn waits_for_person(self) -> bool {
        matches!(self, Self::Conflict | Self::Failed)
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Discarded)
    }
}

/// What is written, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OutboxOperation)]
pub enum Operation {
    /// Fields of a Freshservice department; the target is its id.
    Department,
    /// Fields of a Freshservice requester; the target is its id.
    Requester,
    /// Fields of a Freshservice ticket; the target is its id.
    Ticket,
    /// A new note of a Freshservice ticket; the target is the ticket's id.
    TicketNote,
    /// The account number among a Datto site's variables; the target is the site's uid.
    SiteVariable,
}

impl Operation {
    const ALL: [Self; 5] = [Self::Department, Self::Requester, Self::Ticket, Self::TicketNote, Self::SiteVariable];

    /// The word stored in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Requester => "requester",
            Self::Ticket => "ticket",
            Self::TicketNote => "ticket_note",
            Self::SiteVariable => "site_variable",
        }
    }

    /// The operation of a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == word)
    }

    /// The vendor it writes to.
    #[must_use]
    pub const fn vendor(self) -> Vendor {
        match self {
            Self::Department | Self::Requester | Self::Ticket | Self::TicketNote => freshservice::VENDOR,
            Self::SiteVariable => datto::VENDOR,
        }
    }

    /// That vendor, as links and history name it.
    #[must_use]
    pub const fn system(self) -> &'static str {
        self.vendor().system
    }
}

/// Something to be written to a vendor: what [`super::store::enqueue`] takes, inside the write that decides it.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// What, and at which vendor.
    pub operation: Operation,
    /// The vendor's id of the record.
    pub target: String,
    /// Tells apart what may wait side by side for one record (each note of a ticket); empty when the
    /// fields do that.
    pub key: String,
    /// Our row, when the vendor's record is one.
    pub entity: Option<(&'static str, i64)>,
    pub label: String,
    pub reason: String,
    /// What the fields are to be.
    pub wanted: Values,
    /// What they must be before; `None`: whatever they are.
    pub expected: Option<Values>,
    /// What the vendor has instead, when a person has to decide first.
    pub conflict: Option<Values>,
    /// The run that decided it.
    pub run_id: Option<i64>,
}

impl Write {
    /// What two entries share that write the same thing in the same place.
    #[must_use]
    pub fn dedup(&self) -> String {
        let fields = match self.key.as_str() {
            "" => {
                let mut names: Vec<&str> = self.wanted.keys().map(String::as_str).collect();
                names.sort_unstable();
                names.join(",")
            }
            key => key.to_owned(),
        };
        format!("{} {} {fields}", self.operation.as_str(), self.target)
    }
}

/// A stored entry.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = OutboxEntry)]
pub struct Entry {
    pub id: i64,
    /// `freshservice` or `datto`.
    pub system: String,
    /// What is written.
    pub operation: Operation,
    /// The vendor's id of the record.
    pub target: String,
    /// `company`, `contact`, `ticket`.
    pub entity: Option<String>,
    /// Our row.
    pub entity_id: Option<i64>,
    pub label: String,
    pub reason: String,
    /// What the fields are to be.
    #[schema(value_type = std::collections::BTreeMap<String, Held>)]
    pub wanted: Values,
    /// What they must be before; null: whatever they are.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Held>>)]
    pub expected: Option<Values>,
    /// What they were just before the last request left.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Held>>)]
    pub seen_before: Option<Values>,
    /// What the vendor had instead.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Held>>)]
    pub found: Option<Values>,
    /// How far it has come.
    pub state: State,
    /// How often a request left.
    pub attempts: i64,
    /// Not before this time.
    pub next_at: String,
    /// What went wrong, or what to know about it.
    pub error: Option<String>,
    /// The run that decided it.
    pub run_id: Option<i64>,
    /// When it was decided.
    pub created_at: String,
    /// By whom.
    pub created_by: String,
    /// When the last request left.
    pub sent_at: Option<String>,
    /// When it was over, or began to wait for a person.
    pub settled_at: Option<String>,
    /// Who decided about it last.
    pub decided_by: Option<String>,
}

impl Entry {
    /// How logs and reports call its record: they are read by everybody who watches jobs, so they name nobody.
    #[must_use]
    pub fn called(&self) -> String {
        match (self.entity.as_deref(), self.entity_id) {
            (Some(entity), Some(id)) if trail::may_name(entity) => format!("{entity} {id}"),
            _ => self.label.clone(),
        }
    }

    /// Whether it writes this column of ours; a contact's name is written in two parts.
    #[must_use]
    pub fn is_about(&self, column: &str) -> bool {
        super::fields::behind(self.operation, column).iter().any(|field| self.wanted.contains_key(*field))
    }
}

impl Trail for Entry {
    fn about(&self) -> Vec<(&str, i64)> {
        self.entity.as_deref().zip(self.entity_id).into_iter().collect()
    }

    fn withhold(&mut self) {
        let entity = self.entity.clone().unwrap_or_else(|| self.operation.as_str().to_owned());
        if matches!(self.operation, Operation::SiteVariable) {
            return;
        }
        let sides = [Some(&mut self.wanted), self.expected.as_mut(), self.seen_before.as_mut(), self.found.as_mut()];
        for (_, value) in sides.into_iter().flatten().flatten().filter(|(field, _)| trail::is_withheld(&entity, field)) {
            *value = trail::withheld();
        }
        if trail::may_name(&entity) {
            self.label = self.entity_id.map_or_else(|| entity.clone(), |id| format!("{entity} {id}"));
            // What the vendor answered may repeat what was sent.
            self.error = self.error.take().map(|_| "hidden".to_owned());
        }
    }
}
