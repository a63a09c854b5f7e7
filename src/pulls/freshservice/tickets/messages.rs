//! From the vendor's conversations and time sheets to ours.

use serde_json::{Map, Value};

use super::{hours, text};
use crate::{
    tickets::{Message, TimeEntry, utc},
    vendors::freshservice::wire::{self, FieldValue, Fields},
};

/// What was usable of a list, and how many of its records were not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usable<T> {
    /// Each record once, in the order of the list.
    pub records: Vec<T>,
    /// How many were left out.
    pub skipped: usize,
}

impl<T> Usable<T> {
    /// Reads every record with `read`; a vendor id that occurs again counts once.
    #[must_use]
    pub fn of(records: &[Value], read: impl Fn(&Map<String, Value>, i64) -> Option<T>) -> Self {
        let mut usable = Self { records: Vec::with_capacity(records.len()), skipped: 0 };
        let mut seen = std::collections::HashSet::new();
        for record in records {
            let found = record.as_object().and_then(|record| Some((record, record.get("id").and_then(wire::id)?.parse().ok()?)));
            match found {
                Some((_, id)) if !seen.insert(id) => {}
                Some((record, id)) => match read(record, id) {
                    Some(one) => usable.records.push(one),
                    None => usable.skipped += 1,
                },
                None => usable.skipped += 1,
            }
        }
        usable
    }
}

/// Everything said on a ticket; `fallback` is the time of what does not tell its own, `link` is where the vendor
/// shows the ticket.
#[must_use]
pub fn conversations(records: &[Value], fallback: &str, link: Option<&str>) -> Usable<Message> {
    Usable::of(records, |record, id| Some(said(record, id, fallback, link)))
}

/// A long text; a number is taken as its digits.
fn words(record: &Map<String, Value>, key: &str) -> Option<String> {
    match record.get(key)? {
        Value::String(said) => Some(said.clone()),
        Value::Number(said) => Some(said.to_string()),
        _ => None,
    }
}

fn said(record: &Map<String, Value>, id: i64, fallback: &str, link: Option<&str>) -> Message {
    let mut fields = Fields::new(record);
    let body = words(record, "body");
    let html = body.as_deref().map(|body| text::lean(body, link)).filter(|html| !html.is_empty());
    let body_text = match words(record, "body_text").map(|said| text::clean(&said)).filter(|text| !text.is_empty()) {
        Some(said) => said,
        None => body.as_deref().map(|body| text::plain(body, link)).unwrap_or_default(),
    };
    let updated_at = moment(&mut fields, "updated_at");
    let created_at = moment(&mut fields, "created_at").or_else(|| updated_at.clone());
    Message {
        external_id: Some(id),
        body_text,
        body_html: html,
        // Whoever does not say that a note is public does not mean it to be.
        private: fields.flag("private").value().unwrap_or_else(|| record.contains_key("private")),
        incoming: fields.flag("incoming").value().unwrap_or(false),
        kind: record.get("source").and_then(Value::as_i64),
        user_id: fields.id("user_id").value().and_then(|id| id.parse().ok()),
        author: None,
        from_email: fields.text("from_email").value(),
        to_emails: fields.texts("to_emails").value().unwrap_or_default(),
        support_email: fields.text("support_email").value(),
        created_at: created_at.unwrap_or_else(|| fallback.to_owned()),
        updated_at,
        ..Message::default()
    }
}

/// A time sheet. An entry whose time cannot be read is left out.
#[must_use]
pub fn time_sheet(records: &[Value]) -> Usable<TimeEntry> {
    Usable::of(records, |record, id| {
        let mut fields = Fields::new(record);
        let running = fields.flag("timer_running").value().unwrap_or(false);
        let minutes = match record.get("time_spent") {
            None | Some(Value::Null) => Some(0),
            Some(told) => hours::minutes(told),
        };
        Some(TimeEntry {
            external_id: Some(id),
            agent_id: fields.id("agent_id").value().and_then(|id| id.parse().ok()),
            minutes: minutes?,
            billable: fields.flag("billable").value(),
            running,
            note: fields.text("note").value(),
            executed_at: moment(&mut fields, "executed_at"),
            created_at: moment(&mut fields, "created_at"),
            updated_at: moment(&mut fields, "updated_at"),
        })
    })
}

fn moment(fields: &mut Fields<'_>, key: &str) -> Option<String> {
    match fields.text(key) {
        FieldValue::Value(text) => utc(&text),
        FieldValue::Absent | FieldValue::Empty => None,
    }
}

/// The address from which this person wrote, as the first of their messages tells it.
#[must_use]
pub fn address_of(said: &[Message], user_id: i64) -> Option<String> {
    let mut theirs = said.iter().filter(|one| one.incoming && !one.private && one.user_id == Some(user_id));
    theirs.find_map(|one| address(one.from_email.as_deref()?))
}

/// The bare address of `Ava Patel <ava@acme.example>`.
fn address(text: &str) -> Option<String> {
    let inner = text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(text, |(inner, _)| inner);
    let inner = inner.trim().trim_matches('"');
    let (user, host) = inner.split_once('@')?;
    let good = !user.is_empty() && host.contains('.') && !inner.contains(char::is_whitespace);
    good.then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const AT: &str = "2026-01-01T00:00:00Z";

    #[test]
    fn conversations_are_read_and_split() {
        let told = conversations(
            &[
                json!({"id": 1, "user_id": 7, "body": "<p>Hello&nbsp;there</p>", "incoming": true, "private": false, "source": 0,
                       "from_email": "Ava Patel <ava@acme.example>", "to_emails": ["help@msp.example", null],
                       "created_at": "2026-02-03T10:00:00+01:00", "updated_at": null}),
                json!({"id": "2", "body": null, "body_text": "Inside", "private": true}),
                json!({"id": 1, "body_text": "again"}),
                json!({"id": null}),
                json!("nonsense"),
                json!({"id": 3, "body_text": {"a": 1}, "private": "perhaps", "created_at": "soon"}),
                json!({"id": 4, "body_text": "as old accounts tell it"}),
            ],
            AT,
            None,
        );
        assert_eq!((told.records.len(), told.skipped), (4, 2));
        let one = &told.records[0];
        assert_eq!((one.body_text.as_str(), one.created_at.as_str()), ("Hello there", "2026-02-03T09:00:00Z"));
        assert_eq!(one.to_emails, ["help@msp.example"]);
        let private: Vec<bool> = told.records.iter().map(|one| one.private).collect();
        assert_eq!(private, [false, true, true, false]);
        assert_eq!(told.records[2].created_at, AT);
        assert_eq!(address_of(&told.records, 7).as_deref(), Some("ava@acme.example"));
        assert_eq!(address_of(&told.records, 8), None);
    }

    #[test]
    fn time_sheets_keep_what_nobody_pays_for() {
        let told = time_sheet(&[
            json!({"id": 1, "agent_id": 9, "time_spent": "01:30", "billable": true, "timer_running": false}),
            json!({"id": 2, "time_spent": "00:15", "billable": false}),
            json!({"id": 3, "time_spent": "99:00", "timer_running": true}),
            json!({"id": 4, "time_spent": "a while"}),
            json!({"id": 5, "time_spent": null}),
        ]);
        assert_eq!((told.records.len(), told.skipped), (4, 1));
        assert_eq!(hours::total(&told.records), 105);
        assert_eq!(told.records[1].billable, Some(false));
    }
}
