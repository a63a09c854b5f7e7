//! What each address of the vendor answers.

use base64::Engine as _;
use serde_json::{Value, json};

use super::{API_KEY, State, assets, tickets, writes};
use crate::http_server::{Answer, Request, Response};
use crate::vendor_faults::ListFault;

/// Answers one request, counting and recording it.
pub fn answer(state: &mut State, request: &Request) -> Answer {
    let query: Vec<String> = request.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    state.requests.push(format!("{} {}?{}", request.method, request.path, query.join("&")));
    let parts: Vec<&str> = request.path.strip_prefix("/api/v2/").unwrap_or_default().split('/').collect();
    let resource = parts.first().copied().unwrap_or_default();
    let bucket = if parts.len() == 1 { resource } else { "" };
    let cost = cost(request, parts.len() == 1);
    let (total, remaining) = match state.limits.take(bucket, cost) {
        Ok(budget) => budget,
        Err(refusal) => return Answer::Whole(refusal),
    };
    let answer = if authorised(request) { route(state, request, &parts) } else { Answer::Whole(unauthorised()) };
    let latency = state.faults.latency;
    let dress = |mut response: Response| {
        response.delay += latency;
        response
            .with("x-ratelimit-total", total)
            .with("x-ratelimit-remaining", remaining)
            .with("x-ratelimit-used-currentrequest", cost)
            .with("x-freshservice-api-version", "latest=v2; requested=v2")
    };
    let dressed = match answer {
        Answer::Whole(response) => Answer::Whole(dress(response)),
        Answer::Cut(response, at) => Answer::Cut(dress(response), at),
        Answer::Reset => Answer::Reset,
    };
    match &dressed {
        Answer::Whole(good) => state.faults.flake(&request.path, good).unwrap_or(dressed),
        _ => dressed,
    }
}

/// What a call costs: embedding something is dearer on a list.
fn cost(request: &Request, list: bool) -> u32 {
    let embedded = request.param("include").map_or(0, |names| names.split(',').filter(|name| !name.is_empty()).count());
    1 + u32::try_from(embedded).unwrap_or_default() * if list { 2 } else { 1 }
}

fn authorised(request: &Request) -> bool {
    let Some(encoded) = request.header("authorization").and_then(|value| value.strip_prefix("Basic ")) else { return false };
    let Ok(plain) = base64::engine::general_purpose::STANDARD.decode(encoded) else { return false };
    String::from_utf8_lossy(&plain).split(':').next() == Some(API_KEY)
}

fn unauthorised() -> Response {
    Response::json(401, &json!({"code": "invalid_credentials", "message": "You have to be logged in to perform this action."}))
}

/// The vendor's answer for what is not there.
pub fn not_found() -> Response {
    Response::json(404, &json!({"code": "not_found", "message": "The requested resource does not exist."}))
}

/// The vendor's answer for a wrong field.
pub fn invalid(field: &str, message: &str) -> Response {
    let errors = json!([{"field": field, "message": message, "code": "invalid_value"}]);
    Response::json(400, &json!({"description": "Validation failed", "errors": errors}))
}

fn route(state: &mut State, request: &Request, parts: &[&str]) -> Answer {
    match (request.method.as_str(), parts) {
        (_, ["changes" | "assets" | "asset_types", ..]) if !state.itil => {
            let body = json!({"code": "require_feature", "message": "The feature is not enabled for this account."});
            Answer::Whole(Response::json(403, &body))
        }
        ("GET", ["tickets", id]) => tickets::single(state, request, id),
        ("GET", ["tickets", id, what @ ("conversations" | "time_entries")]) => tickets::part(state, request, id, what),
        ("GET", [resource]) if state.list(resource).is_some() => list(state, request, resource),
        ("GET", ["agents", "me"]) => {
            Answer::Whole(state.agents.first().map_or_else(not_found, |me| Response::json(200, &json!({"agent": me}))))
        }
        ("GET", [resource, id]) if state.list(resource).is_some() => single(state, request, resource, id),
        ("PUT" | "POST", _) => writes::write(state, request, parts),
        _ => Answer::Whole(not_found()),
    }
}

fn singular(resource: &str) -> String {
    resource.strip_suffix("ies").map_or_else(|| resource.trim_end_matches('s').to_owned(), |stem| format!("{stem}y"))
}

fn single(state: &mut State, request: &Request, resource: &str, id: &str) -> Answer {
    if let Some(fault) = state.faults.hit(&format!("{resource}/"), &request.path)
        && let Some(answer) = fault.plain(1)
    {
        return answer;
    }
    let found = state.list(resource).into_iter().flatten().chain(&state.hidden).find(|record| written_as(&record["id"], id));
    Answer::Whole(found.map_or_else(not_found, |record| Response::json(200, &json!({ singular(resource): record }))))
}

/// Whether a value, as JSON has it, is what an address says.
pub fn written_as(value: &Value, text: &str) -> bool {
    // Nearly all ids are plain numbers, and there are thousands of them.
    match value.as_i64() {
        Some(number) => text.parse() == Ok(number) && (number == 0 || !text.starts_with(['0', '+'])),
        None => text.parse::<Value>().is_ok_and(|wanted| wanted == *value),
    }
}

fn list(state: &mut State, request: &Request, resource: &str) -> Answer {
    let Some(page) = request.param("page").unwrap_or("1").parse().ok().filter(|page| *page > 0_usize) else {
        return Answer::Whole(invalid("page", "It should be a positive integer"));
    };
    let Some(per_page) = request.param("per_page").unwrap_or("30").parse().ok().filter(|size| (1..=100_usize).contains(size))
    else {
        return Answer::Whole(invalid("per_page", "It should be a Positive Integer less than or equal to 100"));
    };
    let fault = state.faults.hit(resource, &request.path);
    if let Some(answer) = fault.as_ref().and_then(|fault| fault.plain(page)) {
        return answer;
    }
    match selected(state, request, resource) {
        Ok(records) => paged(request, resource, records, (page, per_page), fault),
        Err(refusal) => Answer::Whole(refusal),
    }
}

/// One page of these records, number and size as given, bent by a fault.
pub fn paged(
    request: &Request,
    resource: &str,
    mut records: Vec<Value>,
    (page, per_page): (usize, usize),
    fault: Option<ListFault>,
) -> Answer {
    let (mut start, mut size) = ((page - 1) * per_page, per_page);
    let mut link = true;
    match fault {
        Some(ListFault::Empty) => records.clear(),
        Some(ListFault::EmptyFrom(from)) if page >= from => records.clear(),
        Some(ListFault::RepeatedPage) => start = 0,
        Some(ListFault::Short(most)) => (start, size) = ((page - 1) * per_page.min(most), per_page.min(most)),
        Some(ListFault::ShortWithoutLink(most)) => {
            (start, size) = ((page - 1) * per_page.min(most), per_page.min(most));
            link = false;
        }
        Some(ListFault::Shift(by)) if page > 1 => start += by,
        Some(ListFault::Repeat(by)) if page > 1 => start = start.saturating_sub(by),
        Some(ListFault::Thin(every, _)) => {
            let mut number = 0;
            records.retain(|_| {
                number += 1;
                number % every != 0
            });
        }
        Some(ListFault::Deep(depth)) => {
            if let Some(first) = records.first_mut() {
                first["custom_fields"] = serde_json::Value::String("DEEP".to_owned());
                let nest = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
                let body = json!({ resource: records }).to_string().replacen("\"DEEP\"", &nest, 1);
                return Answer::Whole(Response::new(200, "application/json", body));
            }
        }
        _ => {}
    }
    let end = records.len().min(start + size);
    let shown = records.get(start.min(end)..end).unwrap_or_default();
    let more = end < records.len() && !shown.is_empty();
    let mut response = Response::json(200, &json!({ resource: shown }));
    if more && link {
        let host = request.header("host").unwrap_or("localhost");
        response = response.with("link", format!("<http://{host}{}?page={}>; rel=\"next\"", request.path, page + 1));
    }
    if fault == Some(ListFault::Cut) {
        let half = response.body.len() / 2;
        return Answer::Cut(response, half);
    }
    Answer::Whole(response)
}

fn selected(state: &State, request: &Request, resource: &str) -> Result<Vec<Value>, Response> {
    let mut records = state.list(resource).cloned().unwrap_or_default();
    let tenant = !matches!(resource, "workspaces" | "department_fields" | "ticket_form_fields" | "asset_types" | "agents");
    if state.msp && tenant {
        let primary = state.workspaces.first().map_or(Value::Null, |workspace| workspace["id"].clone());
        match request.param("workspace_id") {
            Some("0") => {}
            Some(id) => records.retain(|record| written_as(&record["workspace_id"], id)),
            None => records.retain(|record| record["workspace_id"] == primary),
        }
    }
    if let Some(email) = request.param("email") {
        records.retain(|record| record["primary_email"] == email || record["email"] == email);
    }
    if let Some(active) = request.param("active") {
        records.retain(|record| written_as(&record["active"], active));
    }
    if resource == "requesters" && request.param("include_agents") == Some("true") {
        records.extend(state.agents.iter().cloned());
    }
    match resource {
        "tickets" => return tickets::selected(state, request, records),
        "changes" => return Ok(tickets::changes(request, records)),
        "assets" => return Ok(assets::selected(request, records)),
        _ => {}
    }
    if let Some(query) = request.param("query") {
        let inner = query.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let inner = inner.ok_or_else(|| invalid("query", "The query has to be enclosed in double quotes"))?;
        if let Some(since) = inner.strip_prefix("updated_at:>'").and_then(|rest| rest.strip_suffix('\'')) {
            records.retain(|record| record["updated_at"].as_str().is_some_and(|at| at >= since));
        } else if let Some(name) = inner.strip_prefix("name:'").and_then(|rest| rest.strip_suffix('\'')) {
            records.retain(|record| record["name"] == name);
        } else {
            return Err(invalid("query", "It contains a field that cannot be searched"));
        }
    }
    Ok(records)
}
