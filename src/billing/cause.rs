//! Who changed what is counted, when and why: the changes of history behind a difference.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{
    counting::{Exclusion, Settings},
    model::Plan,
    then::WATCHED,
    trueup_store as counted,
};
use crate::{
    companies::Company,
    db::Conn,
    error::Result,
    history::{Past, Record as _, Unredacted, feed::Change, past_store::Watched},
    tickets::Ticket,
};

/// A change, without what stood in its fields: who reads it may not be the one who may read those.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = BillingCause)]
pub struct Cause {
    /// Its number in history.
    pub seq: i64,
    pub at: String,
    /// What was changed: the record itself, or what is said about how it is counted.
    pub entity: String,
    /// `create`, `update`, `retire`, `restore`, `join`, `leave`.
    pub action: String,
    /// `user`, `service`, `key`, `sync`, `import`, `cli` or `system`.
    pub actor_kind: String,
    /// Who.
    pub by: String,
    /// The vendor, when a sync acted.
    pub source: Option<String>,
    /// The sync run or the import.
    pub run_id: Option<i64>,
    /// The fields that it changed.
    pub fields: Vec<String>,
}

impl Cause {
    fn of(change: &Change) -> Self {
        // The place of a contact is named by its company.
        let name = |field: &String| field.split(':').next().unwrap_or_default().to_owned();
        let named = change.fields.as_object().into_iter().flatten().map(|(field, _)| name(field));
        Self {
            seq: change.seq,
            at: change.at.clone(),
            entity: change.entity.clone(),
            action: change.action.clone(),
            actor_kind: change.actor_kind.clone(),
            by: change.actor.clone(),
            source: change.source.clone(),
            run_id: change.run_id,
            fields: if change.action == "create" { Vec::new() } else { named.collect() },
        }
    }

    /// In a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let is_by_hand = self.entity == Exclusion::ENTITY;
        let done = match self.action.as_str() {
            "create" | "restore" if is_by_hand => "left out by hand".to_owned(),
            "retire" if is_by_hand => "not left out by hand any more".to_owned(),
            "create" => "added".to_owned(),
            "retire" => "retired".to_owned(),
            "restore" => "brought back".to_owned(),
            "join" => "put into the company".to_owned(),
            "leave" => "taken out of the company".to_owned(),
            _ => format!("changed ({})", self.fields.join(", ").replace('_', " ")),
        };
        let run = match (self.actor_kind.as_str(), self.run_id) {
            ("sync", Some(run)) => format!("sync run {run} of {}", self.source.as_deref().unwrap_or(&self.by)),
            ("import", Some(run)) => format!("import {run} by {}", self.by),
            (kind, _) => format!("{} ({kind})", self.by),
        };
        format!("{done} on {} by {run}", self.at.get(..10).unwrap_or(&self.at))
    }
}

/// The fields of a company that say which plan it has.
pub const PLAN: &[&str] = &["plan", "contract_term"];
/// Those from which its support level follows.
pub const SUPPORT: &[&str] = &["support_level", "plan", "contract_term"];
/// Those that say whether it is a client that is billed.
pub const CLIENT: &[&str] = &["kind", "retired_at"];

/// The changes of some time.
pub struct Causes {
    past: Past,
    until: String,
    /// The exclusions of a record, by what they are about.
    exclusions: HashMap<(String, i64), Vec<i64>>,
    /// The settings of a company.
    settings: BTreeMap<i64, i64>,
}

impl Causes {
    /// Those since a moment, and before another one.
    pub fn read(c: &mut Conn, since: &str, until: &str) -> Result<Self> {
        let further: [Watched; 3] = [
            (Ticket::ENTITY, &["company_id", "status", "minutes_spent", "time_known", "last_updated_at"]),
            (Settings::ENTITY, Settings::COLUMNS),
            (Exclusion::ENTITY, Exclusion::COLUMNS),
        ];
        let watched = [&WATCHED[..], &further[..]].concat();
        let past = Past::since(c, since, &watched)?;
        let mut exclusions: HashMap<(String, i64), Vec<i64>> = HashMap::new();
        for (id, about) in counted::exclusions_ever(c)? {
            exclusions.entry(about).or_default().push(id);
        }
        let settings = counted::settings_ever(c)?.into_iter().collect();
        Ok(Self { past, until: until.to_owned(), exclusions, settings })
    }

    /// The last change of a record that decides how it is counted.
    #[must_use]
    pub fn of(&self, entity: &str, id: i64) -> Option<Cause> {
        let own = self.last(entity, id);
        let by_hand = self.exclusions.get(&(entity.to_owned(), id)).into_iter().flatten();
        let by_hand = by_hand.filter_map(|exclusion| self.last(Exclusion::ENTITY, *exclusion));
        own.into_iter().chain(by_hand).max_by_key(|cause| cause.seq)
    }

    /// The last change of how a company is counted.
    #[must_use]
    pub fn of_settings(&self, company: i64) -> Option<Cause> {
        self.settings.get(&company).and_then(|id| self.last(Settings::ENTITY, *id))
    }

    /// The last change of a company's contract.
    #[must_use]
    pub fn of_company(&self, company: i64) -> Option<Cause> {
        self.last(Company::ENTITY, company)
    }

    /// The last change of one of these fields of a company, or that it was added.
    #[must_use]
    pub fn of_fields(&self, company: i64, fields: &[&str]) -> Option<Cause> {
        let has = |change: &Change| {
            let changed = change.fields.as_object();
            change.action == "create" || changed.is_some_and(|changed| fields.iter().any(|field| changed.contains_key(*field)))
        };
        self.last_that(Company::ENTITY, company, has)
    }

    /// The last change of a plan's prices.
    #[must_use]
    pub fn of_plan(&self, plan: i64) -> Option<Cause> {
        self.last(Plan::ENTITY, plan)
    }

    fn last(&self, entity: &str, id: i64) -> Option<Cause> {
        self.last_that(entity, id, |_| true)
    }

    fn last_that(&self, entity: &str, id: i64, is_it: impl Fn(&Change) -> bool) -> Option<Cause> {
        let mut changes = self.past.of(entity, id).map(Unredacted::inside);
        changes.find(|change| change.at.as_str() < self.until.as_str() && is_it(change)).map(Cause::of)
    }
}
