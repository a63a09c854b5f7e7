use std::collections::BTreeMap;

use serde_json::json;

use super::*;

const NOW: &str = "2026-11-21T12:00:00Z";

fn statuses() -> Statuses {
    Statuses::new(&[(77, "Parts Ordered".to_owned())], &BTreeMap::new())
}

fn read(record: &Value) -> Record {
    Record::read(record.as_object().unwrap(), &statuses(), NOW).unwrap()
}

fn stored(record: &Value) -> Ticket {
    let record = read(record);
    let mut ticket = record.blank(NOW);
    record.apply(&mut ticket, Some(5));
    ticket
}

fn closed() -> Value {
    json!({
        "id": 6, "workspace_id": 2, "subject": "Cannot print", "description": "<div>It <b>jams</b></div>", "type": "Incident", "status": 5,
        "priority": 4, "source": 3, "requester_id": 21_000_062_811_i64, "responder_id": null, "group_id": 21_000_061_289_i64,
        "department_id": 21_000_100_001_i64, "due_by": "2022-07-20T21:00:00Z", "fr_due_by": "2022-07-13T18:00:00Z", "is_escalated": true,
        "custom_fields": {"b": 1, "a": null}, "created_at": "2022-07-11T11:32:29Z", "updated_at": "2022-07-12T13:32:29+02:00",
        "requester": {"id": 21_000_062_811_i64, "name": "Ava Patel", "email": "ava@acme.example"},
        "stats": {"closed_at": "2022-07-12T11:32:29Z", "resolved_at": "2022-07-12T10:00:00Z", "first_responded_at": "2022-07-11T12:00:00Z",
                  "agent_responded_at": "2022-07-12T09:00:00Z"},
    })
}

#[test]
fn a_record_becomes_a_row() {
    let ticket = stored(&closed());
    assert_eq!((ticket.external_id, ticket.ticket_number.as_str(), ticket.company_id), (6, "6", Some(5)));
    assert_eq!((ticket.status.as_str(), ticket.status_id, ticket.priority.as_deref()), ("closed", Some(5), Some("urgent")));
    assert_eq!(ticket.last_updated_at, "2022-07-12T11:32:29Z");
    assert_eq!(ticket.closed_at.as_deref(), Some("2022-07-12T11:32:29Z"));
    assert_eq!(
        (ticket.requester_name.as_deref(), ticket.requester_email.as_deref()),
        (Some("Ava Patel"), Some("ava@acme.example"))
    );
    assert_eq!(ticket.custom_fields.as_deref(), Some(r#"{"a":null,"b":1}"#));
    assert!(ticket.is_escalated && ticket.responder_id.is_none());
    let record = read(&closed());
    assert_eq!(record.words((None, None), None), (Some("<div>It <b>jams</b></div>".to_owned()), Some("It jams".to_owned())));
    assert!(record.ignored.is_empty(), "{:?}", record.ignored);
}

#[test]
fn what_a_record_does_not_tell_stays() {
    let mut ticket = stored(&closed());
    let before = ticket.clone();
    read(&json!({"id": 6, "status": 5, "requester_id": 21_000_062_811_i64, "requester": {"name": null, "email": ""}}))
        .apply(&mut ticket, None);
    assert_eq!(ticket, before);
    read(&json!({"id": 6, "subject": null, "department_id": null, "requester_id": 7})).apply(&mut ticket, None);
    assert_eq!((ticket.subject, ticket.department_id, ticket.company_id), (None, None, None));
    assert_eq!(ticket.requester_name, None, "the name was another person's");
}

#[test]
fn a_reopened_ticket_is_not_closed() {
    let mut ticket = stored(&closed());
    let mut again = closed();
    again["status"] = json!(2);
    read(&again).apply(&mut ticket, Some(5));
    assert_eq!((ticket.status.as_str(), ticket.closed_at, ticket.resolved_at), ("open", None, None));
    assert!(ticket.first_responded_at.is_some());
}

#[test]
fn statuses_nobody_explained_keep_their_code() {
    let status = |value: Value| {
        let ticket = stored(&json!({"id": 1, "status": value}));
        (ticket.status, ticket.status_id)
    };
    assert_eq!(status(json!(77)), ("parts_ordered".to_owned(), Some(77)));
    assert_eq!(status(json!(78)), ("unknown".to_owned(), Some(78)));
    assert_eq!(status(json!("9")), ("waiting_customer".to_owned(), Some(9)));
    assert_eq!(status(json!("Open")), ("open".to_owned(), Some(2)));
    assert_eq!(status(json!([2])), ("unknown".to_owned(), None));
}

#[test]
fn garbage_is_survived_and_reported() {
    let odd =
        [json!(null), json!([]), json!({}), json!(true), json!("\u{0}x"), json!(-1), json!(1e300), json!("9".repeat(50_000))];
    let keys = closed().as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for key in keys.iter().filter(|key| *key != "id") {
        for value in &odd {
            let mut record = closed();
            record[key] = value.clone();
            let ticket = stored(&record);
            assert_eq!(ticket.external_id, 6);
            assert_eq!(ticket.last_updated_at.len(), 20, "{key} {value}");
        }
    }
    for id in [json!(null), json!("x"), json!(0), json!(-4), json!(1.5), json!([6])] {
        assert!(Record::read(json!({"id": id}).as_object().unwrap(), &statuses(), NOW).is_none(), "{id}");
    }
    let future = read(&json!({"id": 6, "updated_at": "2099-01-01T00:00:00Z", "created_at": "2022-07-11T11:32:29Z"}));
    assert_eq!(future.ignored, ["updated_at is in the future"]);
    assert_eq!(future.blank(NOW).last_updated_at, "2022-07-11T11:32:29Z");
}

#[test]
fn trash_and_spam_are_seen() {
    assert_eq!(read(&json!({"id": 6, "deleted": true})).gone, Some("is in the trash"));
    assert_eq!(read(&json!({"id": 6, "deleted": false, "spam": true})).gone, Some("is spam"));
    assert_eq!(read(&json!({"id": 6, "deleted": "yes", "spam": null})).gone, None);
}
