//! From the vendor's record of a ticket to our row. A field that the record does not tell about stays as
//! it is; a field that it says is empty becomes empty.

use serde_json::{Map, Value};

use super::{SYSTEM, text};
use crate::{
    tickets::{Statuses, Ticket, codes, utc},
    vendors::freshservice::wire::{self, FieldValue, Fields},
};

/// Statuses in which a ticket may have been resolved or closed.
const FINISHED: [&str; 4] = ["closed", "resolved", "job_complete_bill", "billing_complete"];

/// What a record told of one ticket.
#[derive(Clone, Debug)]
pub struct Record {
    /// The vendor's number.
    pub id: i64,
    /// When it last changed, in our one form.
    pub updated_at: Option<String>,
    /// Why it is none of the live ones: in the trash, or spam.
    pub gone: Option<&'static str>,
    /// Whether it told of the times of responses and of closing.
    pub has_stats: bool,
    /// Fields that were there but unusable.
    pub ignored: Vec<String>,
    status: FieldValue<i64>,
    status_word: FieldValue<String>,
    department_id: FieldValue<i64>,
    requester_id: FieldValue<i64>,
    requester: Option<(FieldValue<String>, FieldValue<String>)>,
    texts: Vec<(&'static str, FieldValue<String>)>,
    numbers: Vec<(&'static str, FieldValue<i64>)>,
    times: Vec<(&'static str, FieldValue<String>)>,
    stats: Vec<(&'static str, FieldValue<String>)>,
    priority: FieldValue<i64>,
    escalated: FieldValue<bool>,
    custom_fields: FieldValue<String>,
    description: FieldValue<String>,
    description_text: FieldValue<String>,
}

impl Record {
    /// Reads a record; `None` without a usable id. Nothing that claims to have changed after `now` is
    /// believed to.
    #[must_use]
    pub fn read(record: &Map<String, Value>, statuses: &Statuses, now: &str) -> Option<Self> {
        let id: i64 = record.get("id").and_then(wire::id)?.parse().ok()?;
        let mut fields = Fields::new(record);
        let mut odd = Vec::new();
        let stats = record.get("stats").and_then(Value::as_object);
        let none = Map::new();
        let mut times_of = Fields::new(stats.unwrap_or(&none));
        let updated_at = time(&mut fields, "updated_at", &mut odd);
        let updated_at = updated_at.value().filter(|at| {
            let past = at.as_str() <= now;
            if !past {
                odd.push("updated_at is in the future".to_owned());
            }
            past
        });
        let (status, status_word) = status(record, statuses, &mut odd);
        let gone = match (record.get("deleted"), record.get("spam")) {
            (Some(Value::Bool(true)), _) => Some("is in the trash"),
            (_, Some(Value::Bool(true))) => Some("is spam"),
            _ => None,
        };
        let mut read = Self {
            id,
            updated_at,
            gone,
            has_stats: stats.is_some(),
            ignored: Vec::new(),
            status,
            status_word,
            department_id: number(fields.id("department_id")),
            requester_id: number(fields.id("requester_id")),
            requester: record.get("requester").and_then(Value::as_object).map(person),
            texts: ["subject", "type", "category", "sub_category", "item_category"].map(|key| (key, fields.text(key))).into(),
            numbers: ["source", "responder_id", "group_id", "workspace_id"].map(|key| (key, number(fields.id(key)))).into(),
            times: ["created_at", "due_by", "fr_due_by"].map(|key| (key, time(&mut fields, key, &mut odd))).into(),
            stats: ["resolved_at", "closed_at", "first_responded_at", "agent_responded_at"]
                .map(|key| (key, time(&mut times_of, key, &mut odd)))
                .into(),
            priority: priority(record.get("priority"), &mut odd),
            escalated: fields.flag("is_escalated"),
            custom_fields: custom_fields(record.get("custom_fields")),
            description: long(record.get("description")),
            description_text: long(record.get("description_text")),
        };
        read.ignored = fields.ignored();
        read.ignored.extend(times_of.ignored());
        read.ignored.append(&mut odd);
        Some(read)
    }

    /// A new row, before [`Record::apply`].
    #[must_use]
    pub fn blank(&self, now: &str) -> Ticket {
        let created = self.times.iter().find_map(|(key, told)| if *key == "created_at" { told.clone().value() } else { None });
        Ticket {
            external_source: SYSTEM.to_owned(),
            external_id: self.id,
            ticket_number: self.id.to_string(),
            status: codes::UNKNOWN.to_owned(),
            ticket_type: Some("Incident".to_owned()),
            last_updated_at: created.unwrap_or_else(|| now.to_owned()),
            ..Ticket::default()
        }
    }

    /// The vendor's department, when the record tells: `Some(None)` for none.
    #[must_use]
    #[expect(clippy::option_option, reason = "no department and not told are different things")]
    pub fn department(&self) -> Option<Option<i64>> {
        match self.department_id {
            FieldValue::Absent => None,
            FieldValue::Empty => Some(None),
            FieldValue::Value(id) => Some(Some(id)),
        }
    }

    /// Sets what the record tells; `company` is what our companies make of its department.
    pub fn apply(&self, ticket: &mut Ticket, company: Option<i64>) {
        if let Some(at) = &self.updated_at {
            ticket.last_updated_at.clone_from(at);
        }
        if let Some(department) = self.department() {
            ticket.department_id = department;
            ticket.company_id = company;
        }
        self.apply_status(ticket);
        self.apply_requester(ticket);
        for (key, told) in &self.texts {
            match (*key, told) {
                ("subject", told) => put(&mut ticket.subject, told),
                ("type", FieldValue::Value(_)) => put(&mut ticket.ticket_type, told),
                ("category", told) => put(&mut ticket.category, told),
                ("sub_category", told) => put(&mut ticket.sub_category, told),
                ("item_category", told) => put(&mut ticket.item_category, told),
                _ => {}
            }
        }
        for (key, told) in &self.numbers {
            match *key {
                "source" => put(&mut ticket.source_id, told),
                "responder_id" => put(&mut ticket.responder_id, told),
                "group_id" => put(&mut ticket.group_id, told),
                _ => put(&mut ticket.workspace_id, told),
            }
        }
        for (key, told) in &self.times {
            match (*key, told) {
                ("created_at", FieldValue::Value(_)) => put(&mut ticket.vendor_created_at, told),
                ("due_by", told) => put(&mut ticket.due_by, told),
                ("fr_due_by", told) => put(&mut ticket.fr_due_by, told),
                _ => {}
            }
        }
        put(&mut ticket.priority_id, &self.priority);
        if !matches!(self.priority, FieldValue::Absent) {
            ticket.priority = ticket.priority_id.and_then(codes::priority_word).map(str::to_owned);
        }
        if let FieldValue::Value(flag) = self.escalated {
            ticket.is_escalated = flag;
        }
        put(&mut ticket.custom_fields, &self.custom_fields);
    }

    /// The status with the times that hang on it: a ticket that is open again has never been closed.
    fn apply_status(&self, ticket: &mut Ticket) {
        if let (FieldValue::Value(word), status) = (&self.status_word, &self.status) {
            ticket.status.clone_from(word);
            put(&mut ticket.status_id, status);
        }
        for (key, told) in &self.stats {
            match *key {
                "resolved_at" => put(&mut ticket.resolved_at, told),
                "closed_at" => put(&mut ticket.closed_at, told),
                "first_responded_at" => put(&mut ticket.first_responded_at, told),
                _ => put(&mut ticket.agent_responded_at, told),
            }
        }
        let finished = match &self.status_word {
            FieldValue::Value(word) => is_finished(word),
            _ => is_finished(&ticket.status),
        };
        if !finished {
            (ticket.closed_at, ticket.resolved_at) = (None, None);
        }
    }

    /// Who asked. A name or address that we have is never lost to a record that does not tell one, unless
    /// it was somebody else's.
    fn apply_requester(&self, ticket: &mut Ticket) {
        let before = ticket.requester_id;
        put(&mut ticket.requester_id, &self.requester_id);
        if before.is_some() && before != ticket.requester_id {
            (ticket.requester_name, ticket.requester_email) = (None, None);
        }
        if let Some((name, email)) = &self.requester {
            for (slot, told) in [(&mut ticket.requester_name, name), (&mut ticket.requester_email, email)] {
                if matches!(told, FieldValue::Value(_)) {
                    put(slot, told);
                }
            }
        }
    }

    /// What the ticket says at length, markup and plain, given what is stored. `link` is where the vendor shows it.
    #[must_use]
    pub fn words(&self, stored: (Option<String>, Option<String>), link: Option<&str>) -> (Option<String>, Option<String>) {
        let (mut html, mut plain) = stored;
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        match &self.description {
            FieldValue::Value(said) => html = filled(text::lean(said, link)),
            told => put(&mut html, told),
        }
        match (&self.description_text, &self.description) {
            (FieldValue::Absent, FieldValue::Value(said)) => plain = filled(text::plain(said, link)),
            (FieldValue::Absent, FieldValue::Empty) => plain = None,
            (FieldValue::Value(said), _) => plain = filled(text::clean(said)),
            (told, _) => put(&mut plain, told),
        }
        (html, plain)
    }

    /// Whether it tells what the ticket says at length.
    #[must_use]
    pub fn has_words(&self) -> bool {
        !matches!((&self.description, &self.description_text), (FieldValue::Absent, FieldValue::Absent))
    }

    /// How people recognise it in a plan or a report.
    #[must_use]
    pub fn label(&self) -> String {
        format!("ticket {}", self.id)
    }
}

/// Whether nobody works any more on tickets of this status.
#[must_use]
pub fn is_finished(word: &str) -> bool {
    FINISHED.contains(&word)
}

fn put<T: Clone>(slot: &mut Option<T>, told: &FieldValue<T>) {
    match told {
        FieldValue::Absent => {}
        FieldValue::Empty => *slot = None,
        FieldValue::Value(value) => *slot = Some(value.clone()),
    }
}

fn number(told: FieldValue<String>) -> FieldValue<i64> {
    match told {
        FieldValue::Absent => FieldValue::Absent,
        FieldValue::Empty => FieldValue::Empty,
        FieldValue::Value(digits) => digits.parse().map_or(FieldValue::Absent, FieldValue::Value),
    }
}

/// A time in our one form; one that is none is reported and not told.
fn time(fields: &mut Fields<'_>, key: &str, odd: &mut Vec<String>) -> FieldValue<String> {
    match fields.text(key) {
        FieldValue::Value(said) => match utc(&said) {
            Some(at) => FieldValue::Value(at),
            None => {
                odd.push(format!("{key} is no time"));
                FieldValue::Absent
            }
        },
        other => other,
    }
}

/// The status as code and word; a code that nobody has explained is kept, with the word `unknown`.
fn status(record: &Map<String, Value>, statuses: &Statuses, odd: &mut Vec<String>) -> (FieldValue<i64>, FieldValue<String>) {
    let code = match record.get("status") {
        None | Some(Value::Null) => return (FieldValue::Absent, FieldValue::Absent),
        Some(Value::Number(number)) => number.as_i64().filter(|code| *code >= 0),
        Some(Value::String(said)) => said.trim().parse().ok().or_else(|| statuses.code(said)),
        Some(_) => None,
    };
    if code.is_none() {
        odd.push("status is no status".to_owned());
        return (FieldValue::Absent, FieldValue::Absent);
    }
    (code.map_or(FieldValue::Empty, FieldValue::Value), FieldValue::Value(statuses.word(code)))
}

fn priority(value: Option<&Value>, odd: &mut Vec<String>) -> FieldValue<i64> {
    let code = match value {
        None => return FieldValue::Absent,
        Some(Value::Null) => return FieldValue::Empty,
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(said)) => codes::priority_code(said),
        Some(_) => None,
    };
    match code.filter(|code| (0..=1000).contains(code)) {
        Some(code) => FieldValue::Value(code),
        None => {
            odd.push("priority is no priority".to_owned());
            FieldValue::Absent
        }
    }
}

/// Name and address of an embedded person.
fn person(person: &Map<String, Value>) -> (FieldValue<String>, FieldValue<String>) {
    let mut fields = Fields::new(person);
    let parts = [fields.text("first_name"), fields.text("last_name")];
    let joined = parts.into_iter().filter_map(FieldValue::value).collect::<Vec<_>>().join(" ");
    let joined = if joined.is_empty() { FieldValue::Absent } else { FieldValue::Value(joined) };
    let name = match fields.text("name") {
        FieldValue::Value(name) => FieldValue::Value(name),
        _ => joined,
    };
    let email = match fields.text("email") {
        FieldValue::Value(email) => FieldValue::Value(email),
        _ => fields.text("primary_email"),
    };
    (name, email)
}

/// The custom fields as JSON with sorted keys, so that another order at the vendor is no change.
fn custom_fields(value: Option<&Value>) -> FieldValue<String> {
    match value {
        None => FieldValue::Absent,
        Some(Value::Object(map)) if !map.is_empty() => {
            let sorted: std::collections::BTreeMap<&String, &Value> = map.iter().collect();
            serde_json::to_string(&sorted).ok().filter(|text| text.len() <= 100_000).map_or(FieldValue::Absent, FieldValue::Value)
        }
        Some(Value::Object(_) | Value::Null) => FieldValue::Empty,
        Some(_) => FieldValue::Absent,
    }
}

/// A long text as it came: what is to be cut off is cut when it has been read.
fn long(value: Option<&Value>) -> FieldValue<String> {
    match value {
        None => FieldValue::Absent,
        Some(Value::String(said)) if said.trim().is_empty() => FieldValue::Empty,
        Some(Value::String(said)) => FieldValue::Value(said.clone()),
        Some(Value::Number(said)) => FieldValue::Value(said.to_string()),
        Some(Value::Null) => FieldValue::Empty,
        Some(_) => FieldValue::Absent,
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
