use serde_json::json;

use super::{
    super::model::{Operation, State},
    *,
};

fn values(json: Value) -> Values {
    json.as_object().cloned().unwrap()
}

fn entry(state: State, expected: Option<Value>, seen_before: Option<Value>) -> Entry {
    Entry {
        id: 1,
        system: "freshservice".to_owned(),
        operation: Operation::Department,
        target: "7".to_owned(),
        entity: None,
        entity_id: None,
        label: String::new(),
        reason: String::new(),
        wanted: values(json!({ "account_number": "204729", "plan": "Gold" })),
        expected: expected.map(values),
        seen_before: seen_before.map(values),
        found: None,
        state,
        attempts: 0,
        next_at: String::new(),
        error: None,
        run_id: None,
        created_at: String::new(),
        created_by: String::new(),
        sent_at: None,
        settled_at: None,
        decided_by: None,
    }
}

#[test]
fn what_is_there_already_is_never_sent() {
    let there = values(json!({ "account_number": "204729", "plan": "Gold" }));
    for state in State::ALL {
        assert_eq!(next(&entry(state, Some(json!({})), Some(json!({}))), &there), Next::Done, "{state:?}");
    }
}

#[test]
fn what_was_expected_is_sent_and_anything_else_is_a_conflict() {
    let fresh = entry(State::Pending, Some(json!({ "account_number": null, "plan": "Silver" })), None);
    assert_eq!(next(&fresh, &values(json!({ "account_number": "", "plan": "Silver" }))), Next::Send);
    assert_eq!(next(&fresh, &values(json!({ "plan": "Silver" }))), Next::Send);
    assert_eq!(next(&fresh, &values(json!({ "account_number": "204729", "plan": "Silver" }))), Next::Send, "half of it");
    assert_eq!(next(&fresh, &values(json!({ "account_number": "999999", "plan": "Silver" }))), Next::Conflict);
    let whatever = entry(State::Pending, None, None);
    assert_eq!(next(&whatever, &values(json!({ "account_number": "999999", "plan": "Tin" }))), Next::Send);
}

#[test]
fn after_a_request_only_what_was_there_before_it_counts() {
    for state in [State::Sending, State::Unknown] {
        let left = entry(state, None, Some(json!({ "account_number": "1", "plan": null })));
        assert_eq!(next(&left, &values(json!({ "account_number": "1" }))), Next::Send, "it did not arrive");
        assert_eq!(next(&left, &values(json!({ "account_number": "2" }))), Next::Conflict, "somebody else wrote");
    }
}
