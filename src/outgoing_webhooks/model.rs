//! Endpoints and messages as they are kept and shown.

use serde::Serialize;

use crate::{
    error::Result,
    records::entities::ENTITIES,
    web::{Fields, Sent},
};

/// What can be chosen of what happens to records; what is linked, pinned and so on comes where nothing is chosen.
pub const ACTIONS: [(&str, &str); 4] =
    [("create", "Created"), ("update", "Updated"), ("retire", "Retired"), ("restore", "Restored")];

/// How a message stands: words of the database.
pub const PENDING: &str = "pending";
pub const DELIVERED: &str = "delivered";
pub const FAILED: &str = "failed";

/// An endpoint as administrators see it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OutgoingWebhook)]
pub struct Endpoint {
    pub id: i64,
    pub rev: i64,
    pub name: String,
    pub url: String,
    /// The kinds of records that it is told about; null for all.
    pub entities: Option<Vec<String>>,
    /// What must have happened to them; null for anything.
    pub actions: Option<Vec<String>>,
    /// Whether it is told what tells of people, of protected companies too.
    pub cleared: bool,
    pub enabled: bool,
    /// Why Codex has disabled it.
    pub disabled_because: Option<String>,
    /// Since when nothing has been delivered.
    pub failing_since: Option<String>,
    /// Messages on their way.
    pub pending: i64,
    /// Messages that were given up.
    pub failed: i64,
    pub created_at: String,
    pub updated_at: String,
}

/// What the sending needs of an endpoint beside that.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub endpoint: Endpoint,
    pub secret: String,
    pub former: Option<String>,
    /// The last change that was looked at.
    pub after: i64,
    /// How often in a row nothing was delivered.
    pub failures: i64,
}

/// A message.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OutgoingWebhookMessage)]
pub struct Message {
    pub id: i64,
    /// The number of the change.
    pub seq: i64,
    pub entity: String,
    pub entity_id: i64,
    pub action: String,
    /// `pending`, `delivered` or `failed`.
    pub state: String,
    pub attempts: i64,
    /// When it is tried next.
    pub due_at: String,
    pub last_status: Option<i64>,
    pub last_error: Option<String>,
    pub created_at: String,
    pub ended_at: Option<String>,
}

/// What is asked for of an endpoint.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: Option<String>,
    pub url: Option<String>,
    pub entities: Sent<Vec<String>>,
    pub actions: Sent<Vec<String>>,
    pub cleared: Option<bool>,
    pub enabled: Option<bool>,
}

impl Wanted {
    /// Reads and checks what was sent, naming every wrong value. In a form, nothing ticked stands for all.
    ///
    /// # Errors
    /// `Invalid`.
    pub fn read(mut fields: Fields, creating: bool, private: bool) -> Result<Self> {
        let is_form = fields.is_form();
        fields.set_creating(creating);
        let name = fields.text("name").required().max(100).value();
        let address = |text: &String| super::send::check(text, private).map(|_| ());
        let url = fields.text("url").required().max(2_000).check(address).value();
        let mut list = |name: &str, known: Vec<&'static str>| {
            let all_known = move |chosen: &Vec<String>| match chosen.iter().find(|word| !known.contains(&word.as_str())) {
                Some(word) => Err(format!("has {word:?}; it must be some of {}", known.join(", "))),
                None if chosen.is_empty() && !is_form => Err("must name at least one; null stands for all".to_owned()),
                None => Ok(()),
            };
            match fields.text_list(name).check(all_known).get() {
                Sent::Value(chosen) if !chosen.is_empty() => Sent::Value(chosen),
                Sent::Absent if !is_form => Sent::Absent,
                _ => Sent::Null,
            }
        };
        let entities = list("entities", ENTITIES.iter().map(|entity| entity.name()).collect());
        let actions = list("actions", ACTIONS.iter().map(|(action, _)| *action).collect());
        let cleared = fields.bool("cleared").not_null().value();
        let enabled = fields.bool("enabled").not_null().value();
        fields.finish()?;
        Ok(Self { name, url, entities, actions, cleared, enabled })
    }
}
