//! What history, plans and the outbox tell of people, and to whom.
//!
//! They repeat values of rows as they were at some time. Who is not cleared learns which fields there are and never
//! what stood in them, whoever's they are: whose a value was at that time is past finding out.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Personal, RedactionPolicy};
use crate::{
    auth::api_key_store,
    db::{Conn, list::beside},
    error::Result,
    history::{Unredacted, feed::Change, protection},
    web::disclosure,
    web::openapi::values::ChangedField,
};

/// Something that repeats values of records.
pub trait Trail: Sized {
    /// The records that it tells of, by kind.
    fn about(&self) -> Vec<(&str, i64)>;
    /// Leaves out whatever tells of people.
    fn withhold(&mut self);
}

/// What this caller may be told; what a cleared one reads of protected records is noted.
pub fn tell<T: Trail>(c: &mut Conn, unredacted: Vec<Unredacted<T>>, policy: &RedactionPolicy) -> Result<Vec<T>> {
    let mut told: Vec<T> = unredacted.into_iter().map(Unredacted::reveal).collect();
    if !policy.sees_all() {
        told.iter_mut().for_each(Trail::withhold);
        return Ok(told);
    }
    let mut records: BTreeMap<&'static str, Vec<i64>> = BTreeMap::new();
    for (entity, id) in told.iter().flat_map(Trail::about) {
        if let Some(entity) = disclosure::noted(entity) {
            records.entry(entity).or_default().push(id);
        }
    }
    for (entity, ids) in records {
        let protected = protection::among(c, entity, ids)?;
        policy.log_disclosure(entity, protected);
    }
    Ok(told)
}

/// The fields of a record in which people stand; none for "all of them".
fn personal(entity: &str) -> Option<&'static [&'static str]> {
    match entity {
        "company" | "department" => Some(&["head_name", "prime_user_name", "primary_contact_name", "custom_fields"]),
        "asset" | "device" => Some(&["enabled_administrators", "mac_address", "description", "udf", "last_logged_in_user"]),
        "location" | "site" | "psa_agent" => Some(&[]),
        "equipment" | "interface" | "connection" | "subnet" | "vlan" | "license" | "license_seat" => Some(&[]),
        "billing_plan" | "feature_option" | "feature_category" | "billing_settings" => Some(&[]),
        _ => None,
    }
}

/// Whether a field of such a record tells of people.
#[must_use]
pub fn is_personal(entity: &str, field: &str) -> bool {
    // What administrators have added may tell of anybody.
    if field.starts_with(beside::PREFIX) || matches!(field, "tags" | "file") {
        return true;
    }
    match (entity, personal(entity)) {
        ("ticket" | "change_request", _) => {
            matches!(
                field,
                "subject" | "requester_name" | "requester_email" | "description" | "description_text" | "custom_fields"
            ) || field.starts_with("note")
                || field == "body"
        }
        (_, Some(fields)) => fields.contains(&field),
        (_, None) => true,
    }
}

/// Whether a field of such a record holds what somebody has written about it: answers strike from that what the second net
/// finds, and history, which cannot know what a text told at its time, withholds it whole.
fn is_written(entity: &str, field: &str) -> bool {
    field == "notes" || (entity, field) == ("company", "description")
}

/// Whether a field of such a record is withheld from who is not cleared.
#[must_use]
pub fn is_withheld(entity: &str, field: &str) -> bool {
    is_personal(entity, field) || is_written(entity, field)
}

/// What stands in the place of a value that is not told.
#[must_use]
pub fn withheld() -> Value {
    json!({ "withheld": true })
}

/// Whether a sentence about such a record may name somebody.
#[must_use]
pub fn may_name(entity: &str) -> bool {
    !matches!(entity, "company" | "location" | "site")
}

impl Trail for Change {
    fn about(&self) -> Vec<(&str, i64)> {
        let names = |fields: &serde_json::Map<String, Value>| fields.keys().any(|field| is_personal("company", field));
        let told = self.entity != "company" || self.fields.as_object().is_some_and(names);
        if told { vec![(self.entity.as_str(), self.entity_id)] } else { Vec::new() }
    }

    fn withhold(&mut self) {
        if let Value::Object(fields) = &mut self.fields {
            for (_, value) in fields.iter_mut().filter(|(field, _)| is_withheld(&self.entity, field)) {
                *value = withheld();
            }
        }
        if may_name(&self.entity) {
            self.reason = None;
        }
    }
}

/// Whose changes are told as the accounts of users are.
const ACCOUNTS: [&str; 2] = ["user", api_key_store::ENTITY];

/// A change as clients see it, once the policy has looked at it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Change)]
pub struct RedactedChange {
    /// Its number: gap-free and in commit order over all writers.
    pub seq: i64,
    pub at: String,
    /// `user`, `service`, `key`, `sync`, `import`, `cli` or `system`.
    pub actor_kind: String,
    pub actor: String,
    /// The vendor, when a sync acted.
    pub source: Option<String>,
    /// The sync run, when one acted.
    pub run_id: Option<i64>,
    /// The bulk edit, merge or other batch that it is part of, when it is part of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<i64>,
    /// `company`, `contact`, `asset`, …
    pub entity: String,
    /// The row.
    pub entity_id: i64,
    /// `create`, `update`, `retire`, `restore`, `link`, `pin`, …
    pub action: String,
    /// Why, when there is more to say.
    pub reason: Option<String>,
    /// Field → `{old, new}`.
    #[schema(value_type = std::collections::BTreeMap<String, ChangedField>)]
    pub fields: Value,
}

/// Changes as this caller may be told.
pub fn changes(c: &mut Conn, unredacted: Vec<Unredacted<Change>>, policy: &RedactionPolicy) -> Result<Vec<RedactedChange>> {
    let told = tell(c, unredacted, policy)?.into_iter().map(|mut change| {
        if ACCOUNTS.contains(&change.entity.as_str()) && !policy.reads_accounts() {
            change.withhold();
        }
        let Change { seq, at, actor_kind, actor, source, run_id, batch_id, entity, entity_id, action, reason, fields } = change;
        RedactedChange { seq, at, actor_kind, actor, source, run_id, batch_id, entity, entity_id, action, reason, fields }
    });
    Ok(told.collect())
}

/// The names of contacts that stand beside something, as this caller may see them; who reads them is noted.
pub fn names<K: Copy + Into<i64>>(
    c: &mut Conn,
    found: impl IntoIterator<Item = (K, String)>,
    policy: &RedactionPolicy,
) -> Result<Vec<(K, String)>> {
    let found: Vec<(K, String)> = found.into_iter().collect();
    let protected = protection::among(c, "contact", found.iter().map(|(id, _)| (*id).into()).collect())?;
    if policy.shows(super::Level::Cjis, Personal::Name) {
        policy.log_disclosure("contact", protected);
        return Ok(found);
    }
    let seen = found.into_iter().map(|(id, name)| {
        let level = if protected.contains(&id.into()) { super::Level::Cjis } else { super::Level::Standard };
        (id, policy.reveal(level, Personal::Name, &name).unwrap_or_default())
    });
    Ok(seen.collect())
}
