//! The ticket addresses: which tickets a list has, single ones, and what hangs on them.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::routes::{invalid, not_found, paged, written_as};
use super::{State, generate};
use crate::http_server::{Answer, Request, Response};

/// Without `updated_since`, a list has what was created in this time.
const DEFAULT_DAYS: i64 = 30;

/// A moment of a request, in the one form of the world.
fn moment(text: &str) -> Option<String> {
    let stamp: Option<jiff::Timestamp> = text.parse().ok();
    let day = || format!("{text}T00:00:00Z").parse().ok();
    stamp.or_else(day).map(|at| generate::time(at.as_second()))
}

fn at<'r>(record: &'r Value, key: &str) -> &'r str {
    record[key].as_str().unwrap_or_default()
}

/// The tickets that a list with these parameters has.
pub fn selected(state: &State, request: &Request, mut records: Vec<Value>) -> Result<Vec<Value>, Response> {
    let filter = request.param("filter").unwrap_or_default();
    let is = |record: &Value, key: &str| record[key] == true;
    match filter {
        "deleted" => records.retain(|ticket| is(ticket, "deleted")),
        "spam" => records.retain(|ticket| is(ticket, "spam") && !is(ticket, "deleted")),
        "" | "new_and_my_open" | "watching" => records.retain(|ticket| !is(ticket, "deleted") && !is(ticket, "spam")),
        _ => return Err(invalid("filter", "It should be one of these values: 'new_and_my_open,watching,spam,deleted'")),
    }
    match request.param("updated_since") {
        Some(text) => {
            let since = moment(text).ok_or_else(|| invalid("updated_since", "It should be in the ISO 8601 format"))?;
            records.retain(|ticket| at(ticket, "updated_at") >= since.as_str());
        }
        None => {
            let since = generate::time(state.clock - DEFAULT_DAYS * 86_400);
            records.retain(|ticket| at(ticket, "created_at") >= since.as_str());
        }
    }
    for key in ["requester_id", "type"] {
        if let Some(wanted) = request.param(key) {
            records.retain(|ticket| written_as(&ticket[key], wanted) || ticket[key] == wanted);
        }
    }
    let by = match request.param("order_by") {
        Some(key @ ("updated_at" | "created_at" | "due_by")) if !state.ignores_order_by => key,
        _ => "created_at",
    };
    records.sort_by(|one, other| at(one, by).cmp(at(other, by)).then(one["id"].as_i64().cmp(&other["id"].as_i64())));
    match request.param("order_type") {
        Some("asc") => {}
        None | Some("desc") => records.reverse(),
        Some(_) => return Err(invalid("order_type", "It should be one of these values: 'asc,desc'")),
    }
    let people = People::of(state, request);
    records.iter_mut().for_each(|ticket| dress(state, &people, request, ticket, true));
    Ok(records)
}

/// The change requests that a list with these parameters has.
pub fn changes(request: &Request, mut records: Vec<Value>) -> Vec<Value> {
    if let Some(since) = request.param("updated_since").and_then(moment) {
        records.retain(|change| at(change, "updated_at") >= since.as_str());
    }
    records
}

/// The requesters by id, where they are asked for: to look for each anew takes seconds in a large world.
struct People<'s>(HashMap<i64, &'s Value>);

impl<'s> People<'s> {
    fn of(state: &'s State, request: &Request) -> Self {
        let wanted = request.param("include").is_some_and(|include| include.contains("requester"));
        let people = state.requesters.iter().filter(|_| wanted);
        Self(people.filter_map(|person| Some((person["id"].as_i64()?, person))).collect())
    }
}

/// Takes away what is not sent unless asked for, and adds what is.
fn dress(state: &State, people: &People<'_>, request: &Request, ticket: &mut Value, list: bool) {
    let included: Vec<&str> = request.param("include").unwrap_or_default().split(',').collect();
    let id = ticket["id"].as_i64().unwrap_or_default();
    let person = ticket["requester_id"].as_i64().and_then(|id| people.0.get(&id)).copied();
    let Some(fields) = ticket.as_object_mut() else { return };
    if !included.contains(&"stats") {
        fields.remove("stats");
    }
    if list {
        for key in ["tags", "attachments", "urgency", "impact", "resolution_notes"] {
            fields.remove(key);
        }
    }
    if included.contains(&"requester") {
        let told = person.map(|person| {
            json!({"id": person["id"], "name": format!("{} {}", at(person, "first_name"), at(person, "last_name")).trim(),
                "email": person["primary_email"], "mobile": person["mobile_phone_number"], "phone": person["work_phone_number"]})
        });
        fields.insert("requester".to_owned(), told.unwrap_or_default());
    }
    if included.contains(&"conversations") && !list {
        let first: Vec<Value> = state.conversations.get(&id).into_iter().flatten().take(10).cloned().collect();
        fields.insert("conversations".to_owned(), json!(first));
    }
}

/// One ticket, from the trash as well.
pub fn single(state: &mut State, request: &Request, id: &str) -> Answer {
    if let Some(answer) = state.faults.hit("tickets/", &request.path).and_then(|fault| fault.plain(1)) {
        return answer;
    }
    let found = state.tickets.iter().chain(&state.hidden).find(|ticket| written_as(&ticket["id"], id)).cloned();
    let Some(mut ticket) = found else { return Answer::Whole(not_found()) };
    let people = People::of(state, request);
    dress(state, &people, request, &mut ticket, false);
    Answer::Whole(Response::json(200, &json!({ "ticket": ticket })))
}

/// The conversations or the time entries of a ticket, by small pages.
pub fn part(state: &mut State, request: &Request, id: &str, what: &str) -> Answer {
    let Some(page) = request.param("page").unwrap_or("1").parse().ok().filter(|page| *page > 0_usize) else {
        return Answer::Whole(invalid("page", "It should be a positive integer"));
    };
    if request.param("per_page").is_some_and(|size| !size.parse().is_ok_and(|size| (1..=100_usize).contains(&size))) {
        return Answer::Whole(invalid("per_page", "It should be a Positive Integer less than or equal to 100"));
    }
    let fault = state.faults.hit(what, &request.path);
    if let Some(answer) = fault.as_ref().and_then(|fault| fault.plain(page)) {
        return answer;
    }
    if !state.tickets.iter().any(|ticket| written_as(&ticket["id"], id)) {
        return Answer::Whole(not_found());
    }
    let lists = if what == "conversations" { &state.conversations } else { &state.time_entries };
    let records = id.parse().ok().and_then(|id: i64| lists.get(&id)).cloned().unwrap_or_default();
    paged(request, what, records, (page, state.conversation_page), fault)
}
