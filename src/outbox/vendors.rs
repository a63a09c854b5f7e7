//! Asking the vendors about an entry's record, and sending what it wants: one look and one write for each operation.

use serde_json::{Map, Value};

use super::{
    fields,
    model::{Entry, Operation, Values},
    notes, store, variables,
};
use crate::{
    config::Config,
    db::Db,
    error::Result,
    types::Scope,
    vendors::{
        datto::{self, client::Datto},
        fault::{Cause, Fault},
        freshservice::{self, client::Freshservice},
    },
};

/// What of a department is sent with every write: a partial one is refused by some accounts (contract §6.2).
const WHOLE: [&str; 5] = ["name", "description", "head_user_id", "prime_user_id", "domains"];

/// The vendors that are configured.
pub struct Vendors {
    db: Db,
    freshservice: Option<Freshservice>,
    datto: Option<Datto>,
    names: crate::config::FieldNames,
    variable: String,
}

/// What a look at the vendor's record saw.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    /// The fields that the entry is about, in our words.
    pub values: Values,
    /// The whole record.
    pub record: Map<String, Value>,
}

impl Vendors {
    /// Opens a client for each vendor that is configured.
    ///
    /// # Errors
    /// When an address is none.
    pub fn open(db: &Db, config: &Config) -> Result<Self> {
        let freshservice = config.freshservice.credentials().map(|_| Freshservice::open(db, config)).transpose()?;
        let datto = config.datto.credentials().map(|_| Datto::open(db, config)).transpose()?;
        let (names, variable) =
            (config.freshservice.fields.clone(), config.datto.fields.vendor_name("account_number").to_owned());
        Ok(Self { db: db.clone(), freshservice, datto, names, variable })
    }

    /// Whether the entry's vendor is configured.
    #[must_use]
    pub fn has(&self, entry: &Entry) -> bool {
        match entry.operation {
            Operation::SiteVariable => self.datto.is_some(),
            Operation::Department | Operation::Requester | Operation::Ticket | Operation::TicketNote => {
                self.freshservice.is_some()
            }
        }
    }

    fn freshservice(&self) -> Result<&Freshservice, Fault> {
        self.freshservice.as_ref().ok_or_else(|| missing(freshservice::NAME))
    }

    fn datto(&self) -> Result<&Datto, Fault> {
        self.datto.as_ref().ok_or_else(|| missing(datto::NAME))
    }

    /// What the vendor has now; `None` when it has no such record (any more).
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn look(&self, entry: &Entry) -> Result<Option<Sight>, Fault> {
        let record = match entry.operation {
            Operation::Department => self.freshservice()?.department(&entry.target).await?,
            Operation::Requester => self.freshservice()?.requester(&entry.target).await?,
            Operation::Ticket => self.freshservice()?.ticket(&entry.target, "").await?,
            Operation::TicketNote => return self.look_for_note(entry).await.map(Some),
            Operation::SiteVariable => return self.look_at_site(&entry.target).await,
        };
        let read = |record| Sight { values: fields::read(entry.operation, &entry.wanted, &record, &self.names), record };
        Ok(record.map(read))
    }

    async fn look_at_site(&self, site: &str) -> Result<Option<Sight>, Fault> {
        let variables = match variables::all(self.datto()?, site).await {
            Err(fault) if fault.cause == Cause::Missing => return Ok(None),
            other => other?,
        };
        let found = variables::account_numbers(&variables, &self.variable);
        let mut sight = Sight { values: variables::values(&found), ..Sight::default() };
        sight.record.insert("variables".to_owned(), Value::Array(found));
        Ok(Some(sight))
    }

    /// A note has no key of its own: it is looked for among those written since it was sent.
    async fn look_for_note(&self, entry: &Entry) -> Result<Sight, Fault> {
        let Some(sent_at) = &entry.sent_at else { return Ok(Sight::default()) };
        let target = entry.target.clone();
        // Without them, a note might be taken for another one of the same words; that is the lesser evil.
        let taken = self.db.read(&Scope::All, move |c| store::notes(c, &target)).await.unwrap_or_default();
        let mut sight = Sight::default();
        if let Some(id) = notes::find(self.freshservice()?, entry, sent_at, &taken).await? {
            sight.values = entry.wanted.clone();
            sight.record.insert("id".to_owned(), id.into());
        }
        Ok(sight)
    }

    /// Sends what the entry wants, once, to a record as it was just seen.
    ///
    /// # Errors
    /// When it was refused, or nobody knows how it ended.
    pub async fn send(&self, entry: &Entry, sight: &Sight) -> Result<(), Fault> {
        let body = Value::Object(self.body(entry, &sight.record));
        match entry.operation {
            Operation::Department => self.freshservice()?.put_department(&entry.target, &body).await.map(|_| ()),
            Operation::Requester => self.freshservice()?.put_requester(&entry.target, &body).await.map(|_| ()),
            Operation::Ticket => self.freshservice()?.put_ticket(&entry.target, &body).await.map(|_| ()),
            Operation::TicketNote => self.freshservice()?.add_note(&entry.target, &notes::body(entry)).await.map(|_| ()),
            Operation::SiteVariable => {
                let value = entry.wanted.get("value").and_then(Value::as_str).unwrap_or_default();
                let found = sight.record.get("variables").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                variables::write(self.datto()?, &entry.target, &self.variable, value, found).await
            }
        }
    }

    /// The body of a write: a department whole, with all its custom fields; of other records what changes,
    /// with all custom fields when one of them does.
    fn body(&self, entry: &Entry, record: &Map<String, Value>) -> Map<String, Value> {
        let mut body = Map::new();
        if entry.operation == Operation::Department {
            let kept = WHOLE.iter().filter_map(|key| Some(((*key).to_owned(), record.get(*key)?.clone())));
            body.extend(kept);
        }
        let mut wanted = Map::new();
        for (column, value) in &entry.wanted {
            if let Some(field) = fields::find(entry.operation, column) {
                field.put(value, record, &self.names, &mut wanted);
            }
        }
        if entry.operation == Operation::Department || wanted.contains_key("custom_fields") {
            let mut custom = record.get("custom_fields").and_then(Value::as_object).cloned().unwrap_or_default();
            if let Some(Value::Object(changed)) = wanted.remove("custom_fields") {
                custom.extend(changed);
            }
            body.insert("custom_fields".to_owned(), Value::Object(custom));
        }
        body.extend(wanted);
        body
    }

    /// What else differs between two looks at the record: a write that touched more than it should.
    #[must_use]
    pub fn collateral(&self, entry: &Entry, before: &Sight, after: &Sight) -> Vec<String> {
        if matches!(entry.operation, Operation::TicketNote | Operation::SiteVariable | Operation::Ticket) {
            return Vec::new();
        }
        let sent = self.body(entry, &before.record);
        let mut wanted = Map::new();
        for (column, value) in &entry.wanted {
            if let Some(field) = fields::find(entry.operation, column) {
                field.put(value, &before.record, &self.names, &mut wanted);
            }
        }
        let custom = |map: &Map<String, Value>| map.get("custom_fields").and_then(Value::as_object).cloned().unwrap_or_default();
        let (was, is, meant) = (custom(&before.record), custom(&after.record), custom(&wanted));
        let mut changed: Vec<String> = was
            .iter()
            .filter(|(key, value)| !meant.contains_key(*key) && !same(Some(*value), is.get(*key)))
            .map(|(key, _)| format!("custom_fields.{key}"))
            .collect();
        let plain = sent.keys().filter(|key| *key != "custom_fields" && !wanted.contains_key(*key));
        changed.extend(plain.filter(|key| !same(before.record.get(*key), after.record.get(*key))).cloned());
        changed
    }
}

fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    super::decide::same(left.unwrap_or(&Value::Null), right.unwrap_or(&Value::Null))
}

fn missing(service: &'static str) -> Fault {
    let cause = Cause::Denied(401, "it is not configured".to_owned());
    Fault { service, method: "GET", path: String::new(), cause, attempts: 1 }
}
