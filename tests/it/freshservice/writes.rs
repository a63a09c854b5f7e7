//! What can be written at the vendor, and what it refuses.

use serde_json::{Value, json};

use super::routes::{invalid, not_found, written_as};
use super::ticket_records::conversation;
use super::{State, generate};
use crate::http_server::{Answer, Request, Response};

/// What PUT does with what is not sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct PutHabit {
    /// Custom fields that are not sent become null.
    pub nulls_unsent_custom_fields: bool,
    /// An object without its name is refused.
    pub refuses_partial_objects: bool,
}

/// Does a write, or refuses it; only what is done is recorded.
pub fn write(state: &mut State, request: &Request, parts: &[&str]) -> Answer {
    if !request.header("content-type").is_some_and(|media| media.starts_with("application/json")) {
        return Answer::Whole(Response::json(415, &json!({"code": "invalid_content_type"})));
    }
    if let Some(answer) = state.faults.hit("write/", &request.path).and_then(|fault| fault.plain(1)) {
        return answer;
    }
    let body = request.json();
    if !body.is_object() {
        return Answer::Whole(Response::json(
            400,
            &json!({"code": "invalid_json", "message": "Request body has invalid json format"}),
        ));
    }
    state.tick();
    let done = match (request.method.as_str(), parts) {
        ("PUT", ["departments", id]) => department(state, &body, id),
        ("PUT", ["requesters", id]) => requester(state, &body, id),
        ("PUT", ["tickets", id]) => ticket(state, &body, id),
        ("POST", ["tickets", id, "notes"]) => note(state, &body, id),
        _ => Err(not_found()),
    };
    match done {
        Err(refusal) => Answer::Whole(refusal),
        Ok(response) => {
            state.writes.push((request.path.clone(), body));
            state.faults.after_write(response)
        }
    }
}

fn mismatch(field: &str, message: &str) -> Response {
    let errors = json!([{"field": field, "message": message, "code": "datatype_mismatch"}]);
    Response::json(400, &json!({"description": "Validation failed", "errors": errors}))
}

fn department(state: &mut State, body: &Value, id: &str) -> Result<Response, Response> {
    let patch = body.get("department").unwrap_or(body).clone();
    let custom = patch["custom_fields"].as_object().cloned().unwrap_or_default();
    for definition in state.department_fields.iter().filter(|definition| definition["field_type"] == "custom_number") {
        let name = definition["name"].as_str().unwrap_or_default();
        if custom.get(name).is_some_and(|value| !value.is_i64() && !value.is_null()) {
            return Err(mismatch(name, "It should be a/an Integer"));
        }
    }
    if let Some(unknown) = custom.keys().find(|key| !state.department_fields.iter().any(|field| field["name"] == **key)) {
        return Err(invalid(unknown, "Unexpected/invalid field in request"));
    }
    if state.put.refuses_partial_objects && patch.get("name").is_none() {
        return Err(invalid("name", "Mandatory attribute missing"));
    }
    for key in ["head_name", "prime_user_name", "id", "created_at", "updated_at"] {
        if state.put.refuses_partial_objects && patch.get(key).is_some() {
            return Err(invalid(key, "Unexpected/invalid field in request"));
        }
    }
    let (habit, stamp) = (state.put, generate::time(state.clock));
    let Some(record) = state.departments.iter_mut().find(|record| written_as(&record["id"], id)) else {
        return Err(not_found());
    };
    if habit.nulls_unsent_custom_fields
        && let Some(fields) = record["custom_fields"].as_object_mut()
    {
        fields.values_mut().for_each(|value| *value = Value::Null);
    }
    merge(record, &patch);
    record["updated_at"] = json!(stamp);
    Ok(Response::json(200, &json!({ "department": record })))
}

/// Takes over what was sent; custom fields one by one.
fn merge(record: &mut Value, patch: &Value) {
    const READ_ONLY: [&str; 5] = ["id", "created_at", "updated_at", "head_name", "prime_user_name"];
    for (key, value) in patch.as_object().into_iter().flatten().filter(|(key, _)| !READ_ONLY.contains(&key.as_str())) {
        match (key.as_str(), value.as_object()) {
            ("custom_fields", Some(fields)) => {
                for (field, value) in fields {
                    record["custom_fields"][field] = value.clone();
                }
            }
            _ => record[key] = value.clone(),
        }
    }
}

fn requester(state: &mut State, body: &Value, id: &str) -> Result<Response, Response> {
    let patch = body.get("requester").unwrap_or(body).clone();
    if patch.get("primary_email").is_some_and(|email| !email.is_null() && !email.as_str().is_some_and(|text| text.contains('@')))
    {
        return Err(invalid("primary_email", "It should be in the 'valid email address' format"));
    }
    if patch.get("first_name").is_some_and(|name| !name.is_string()) {
        return Err(mismatch("first_name", "It should be a/an String"));
    }
    let taken = |record: &Value| {
        !written_as(&record["id"], id)
            && !record["primary_email"].is_null()
            && patch.get("primary_email") == Some(&record["primary_email"])
    };
    if state.requesters.iter().any(taken) {
        let errors = json!([{"field": "primary_email", "message": "It should be a unique value", "code": "duplicate_value"}]);
        return Err(Response::json(409, &json!({"description": "Validation failed", "errors": errors})));
    }
    let stamp = generate::time(state.clock);
    let Some(record) = state.requesters.iter_mut().find(|record| written_as(&record["id"], id)) else {
        return Err(not_found());
    };
    merge(record, &patch);
    record["updated_at"] = json!(stamp);
    Ok(Response::json(200, &json!({ "requester": record })))
}

fn ticket(state: &mut State, body: &Value, id: &str) -> Result<Response, Response> {
    let statuses =
        &state.ticket_form_fields.iter().find(|field| field["name"] == "status").cloned().unwrap_or_default()["choices"];
    let known = |status: &Value| statuses.as_array().is_some_and(|choices| choices.iter().any(|choice| choice["id"] == *status));
    for (key, value) in body.as_object().into_iter().flatten() {
        match key.as_str() {
            "status" | "priority" | "urgency" | "impact" if !value.is_i64() => {
                return Err(mismatch(key, "It should be a/an Integer"));
            }
            "status" if !known(value) => return Err(invalid("status", "It should be one of the values of the account")),
            "priority" if !(1..=4).contains(&value.as_i64().unwrap_or_default()) => {
                return Err(invalid("priority", "It should be one of these values: '1,2,3,4'"));
            }
            "responder_id" | "group_id" | "department_id" if !value.is_i64() && !value.is_null() => {
                return Err(mismatch(key, "It should be a/an Integer"));
            }
            "id" | "created_at" | "updated_at" | "stats" => return Err(invalid(key, "Unexpected/invalid field in request")),
            _ => {}
        }
    }
    let stamp = generate::time(state.clock);
    let Some(record) = state.tickets.iter_mut().find(|record| written_as(&record["id"], id) && record["deleted"] != true) else {
        return Err(not_found());
    };
    merge(record, body);
    record["updated_at"] = json!(stamp);
    if body["status"] == 5 {
        record["stats"]["closed_at"] = json!(stamp);
    }
    let mut told = record.clone();
    if let Some(fields) = told.as_object_mut() {
        fields.remove("stats");
    }
    Ok(Response::json(200, &json!({ "ticket": told })))
}

fn note(state: &mut State, body: &Value, id: &str) -> Result<Response, Response> {
    let Some(text) = body["body"].as_str().filter(|text| !text.is_empty()) else {
        return Err(invalid("body", "Mandatory attribute missing"));
    };
    if body.get("private").is_some_and(|private| !private.is_boolean()) {
        return Err(mismatch("private", "It should be a/an Boolean"));
    }
    let (now, moves) = (state.clock, state.notes_move_tickets);
    let Some(ticket) = state.tickets.iter_mut().find(|record| written_as(&record["id"], id)) else {
        return Err(not_found());
    };
    if moves {
        ticket["updated_at"] = json!(generate::time(now));
    }
    let ticket = ticket["id"].as_i64().unwrap_or_default();
    let all = state.conversations.entry(ticket).or_default();
    let next = ticket * 100 + i64::try_from(all.len()).unwrap_or_default() + 90_000_000;
    // Notes are private unless the sender says otherwise.
    let made = conversation(next, ticket, text, body["private"] != false, now);
    all.push(made.clone());
    Ok(Response::json(201, &json!({ "conversation": made })))
}
