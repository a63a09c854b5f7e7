//! What a plan consists of: one item for each row, with the reason for the match and every field.

pub mod cells;
pub mod local;
pub mod record;

use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use crate::{
    assets::secrets,
    compliance::{Trail, trail},
    history::told_of_secret,
    web::openapi::values::Held,
};

/// The kind of row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A company.
    Company,
    /// A contact.
    Contact,
    /// A vendor's agent.
    PsaAgent,
    /// A site of the RMM; what a plan says of one is only told.
    Site,
    /// An asset.
    Asset,
    /// A ticket.
    Ticket,
    /// A noun that no vendor tells of; tables of them are imported.
    Other(&'static OtherKind),
}

/// A kind of row that no vendor tells of.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OtherKind {
    /// The word stored in the database; the same as in history.
    pub name: &'static str,
    /// The word for people, in the plural.
    pub plural: &'static str,
}

static OTHERS: OnceLock<Vec<OtherKind>> = OnceLock::new();

/// Says which kinds there are beside those that vendors tell of; the first call counts.
pub fn register(others: Vec<OtherKind>) {
    OTHERS.get_or_init(|| others);
}

impl Kind {
    const OF_VENDORS: [Self; 6] = [Self::Company, Self::Contact, Self::PsaAgent, Self::Site, Self::Asset, Self::Ticket];

    /// All kinds, in the order in which they are applied.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::OF_VENDORS.into_iter().chain(OTHERS.get().into_iter().flatten().map(Self::Other))
    }

    /// The word stored in the database; the same as in history.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Contact => "contact",
            Self::PsaAgent => "psa_agent",
            Self::Site => "site",
            Self::Asset => "asset",
            Self::Ticket => "ticket",
            Self::Other(other) => other.name,
        }
    }

    /// The word for people, in the plural.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Company => "companies",
            Self::Contact => "contacts",
            Self::PsaAgent => "agents",
            Self::Site => "sites",
            Self::Asset => "assets",
            Self::Ticket => "tickets",
            Self::Other(other) => other.plural,
        }
    }

    /// The kind of a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::all().find(|kind| kind.as_str() == word)
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::parse(&word).ok_or_else(|| D::Error::custom("a kind of row that this program does not know"))
    }
}

/// What is to be done with a row, or was found about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PlanAction)]
pub enum Action {
    /// A new row.
    Create,
    /// An existing row without a vendor id turns out to be the vendor's; it is linked and updated.
    Adopt,
    /// A tombstone is seen again.
    Restore,
    /// Fields differ.
    Update,
    /// The vendor has the row no more.
    Retire,
    /// Fields differ, but a person pinned ours. Nothing is done.
    Pinned,
    /// A person should look at it. Nothing is done.
    Review,
    /// The vendor's record or some of its fields could not be used. Nothing is done.
    Skipped,
}

impl Action {
    /// All actions, in the order in which a report lists them.
    pub const ALL: [Self; 8] =
        [Self::Create, Self::Adopt, Self::Restore, Self::Update, Self::Retire, Self::Pinned, Self::Review, Self::Skipped];

    /// The word stored in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::Restore => "restore",
            Self::Update => "update",
            Self::Retire => "retire",
            Self::Pinned => "pinned",
            Self::Review => "review",
            Self::Skipped => "skipped",
        }
    }

    /// The action of a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }

    /// Whether applying it writes to a row; the others only report.
    #[must_use]
    pub fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Adopt | Self::Restore | Self::Update | Self::Retire)
    }
}

/// How far an item has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PlanState)]
pub enum State {
    /// To be applied.
    Pending,
    /// Waits for a person's approval.
    Held,
    /// Done.
    Applied,
    /// The row had changed since the plan was made; planned anew.
    Stale,
    /// A report, nothing to apply.
    Noted,
    /// A person decided against it.
    Discarded,
}

impl State {
    /// The word stored in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Applied => "applied",
            Self::Stale => "stale",
            Self::Noted => "noted",
            Self::Discarded => "discarded",
        }
    }

    /// The state of a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Held, Self::Applied, Self::Stale, Self::Noted, Self::Discarded]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// One field of an item: ours and the vendor's. Of a secret only that it changes is told; what it becomes
/// is kept apart, sealed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldChange {
    /// The column.
    pub field: String,
    /// What is stored now (null when there is no row yet).
    #[schema(value_type = Held)]
    pub from: Value,
    /// What it becomes.
    #[schema(value_type = Held)]
    pub to: Value,
    /// What is written when that is not what is shown: a secret, sealed, or a cell of a table as it was entered. Stored with
    /// a plan that is not applied yet, and in no answer.
    #[serde(default, skip_serializing)]
    pub sealed: Option<String>,
}

impl FieldChange {
    /// A change of a field.
    #[must_use]
    pub fn new(field: impl Into<String>, from: Value, to: Value) -> Self {
        let field = field.into();
        if secrets::kind(&field).is_none() {
            return Self { field, from, to, sealed: None };
        }
        let (old, new) = told_of_secret(&from, &to);
        Self { field, from: old, to: new, sealed: to.as_str().map(str::to_owned) }
    }

    /// What the column is set to.
    #[must_use]
    pub fn value(&self) -> Value {
        self.sealed.as_ref().map_or_else(|| self.to.clone(), |sealed| sealed.clone().into())
    }
}

/// The companies a contact joins (by vendor id) and leaves (by our id).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Moves {
    /// Vendor ids of companies.
    #[serde(default)]
    pub join: Vec<String>,
    /// Ids of companies.
    #[serde(default)]
    pub leave: Vec<i64>,
}

impl Moves {
    /// Whether nothing moves.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.join.is_empty() && self.leave.is_empty()
    }
}

/// One row's part of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PlanItem)]
pub struct Item {
    /// The item's own id, once stored.
    pub id: i64,
    /// The kind of row.
    #[schema(value_type = String)]
    pub kind: Kind,
    /// What is to be done.
    pub action: Action,
    /// How far it has come.
    pub state: State,
    /// The row, unless it is to be created.
    pub entity_id: Option<i64>,
    /// The row's revision when the plan was made.
    pub rev: Option<i64>,
    /// The vendor's id; of a table that is imported, the line.
    pub external_id: Option<String>,
    pub label: String,
    /// Why this row and this record are the same thing, or why nothing is done.
    pub reason: String,
    /// For a retirement: what proves that the vendor has it no more.
    pub evidence: Option<String>,
    /// Every field that changes.
    pub fields: Vec<FieldChange>,
    /// The companies a contact joins and leaves.
    #[serde(skip_serializing_if = "Moves::is_empty", default)]
    pub moves: Moves,
}

impl Item {
    /// An item without fields; pending when it writes, a note when it does not.
    #[must_use]
    pub fn new(kind: Kind, action: Action, label: &str, reason: impl Into<String>) -> Self {
        Self {
            id: 0,
            kind,
            action,
            state: if action.writes() { State::Pending } else { State::Noted },
            entity_id: None,
            rev: None,
            external_id: None,
            label: label.to_owned(),
            reason: reason.into(),
            evidence: None,
            fields: Vec::new(),
            moves: Moves::default(),
        }
    }

    /// The same item about this row.
    #[must_use]
    pub fn of(mut self, local: &local::Local) -> Self {
        self.entity_id = Some(local.id);
        self.rev = Some(local.rev);
        self
    }

    /// The same item about this vendor record.
    #[must_use]
    pub fn from_vendor(mut self, external_id: &str) -> Self {
        self.external_id = Some(external_id.to_owned());
        self
    }
}

impl Trail for Item {
    fn about(&self) -> Vec<(&str, i64)> {
        self.entity_id.map(|id| (self.kind.as_str(), id)).into_iter().collect()
    }

    fn withhold(&mut self) {
        let kind = self.kind.as_str();
        for change in self.fields.iter_mut().filter(|change| trail::is_withheld(kind, &change.field)) {
            (change.from, change.to) = (trail::withheld(), trail::withheld());
        }
        if trail::may_name(kind) {
            (self.reason, self.evidence) = ("hidden".to_owned(), None);
            if matches!(self.kind, Kind::Contact | Kind::Ticket) {
                let id = self.entity_id.map(|id| id.to_string()).or_else(|| self.external_id.clone());
                self.label = format!("{kind} {}", id.unwrap_or_default());
            }
        }
    }
}

/// What a run found and means to do.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// One for each row that differs, and one for each thing to report.
    pub items: Vec<Item>,
    /// Observations: kind, row, column → value. They move without history.
    pub observations: Vec<Observation>,
}

/// What a sync saw of a row that history does not follow.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The kind of row.
    pub kind: Kind,
    /// The row.
    pub entity_id: i64,
    /// Column and value.
    pub values: self::cells::Cells,
}
