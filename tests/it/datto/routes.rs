//! What each address of the vendor answers.

use serde_json::{Value, json};

use super::limits::Quota;
use super::{State, lists, records};
use crate::http_server::{Answer, Request, Response};

/// Answers one request, counting and recording it.
pub fn answer(state: &mut State, request: &Request) -> Answer {
    let query: Vec<String> = request.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    state.requests.push(format!("{} {}?{}", request.method, request.path, query.join("&")));
    if request.path == "/auth/oauth/token" {
        if let Some(answer) = state.faults.hit("token/", &request.path).and_then(|fault| fault.plain(0)) {
            return answer;
        }
        let granted = state.tokens.grant(request);
        return finished(state, request, Answer::Whole(granted));
    }
    let quota = if request.method == "GET" { Quota::Read } else { Quota::Write };
    let slower = match state.limits.take(quota) {
        Ok(slower) => slower,
        Err(refusal) => return Answer::Whole(refusal),
    };
    if !state.tokens.knows(request) {
        let body = json!({"error": "invalid_token", "error_description": "Access token expired"});
        return Answer::Whole(Response::json(401, &body));
    }
    let path = request.path.strip_prefix("/api/v2/").unwrap_or_default().to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    let answer = match request.method.as_str() {
        "GET" => read(state, request, &parts),
        _ => write(state, request, &parts),
    };
    let answer = finished(state, request, answer);
    match answer {
        Answer::Whole(mut response) => {
            response.delay += slower;
            Answer::Whole(response)
        }
        other => other,
    }
}

/// The answer with the latency that is set, unless it turns out flaky.
fn finished(state: &mut State, request: &Request, answer: Answer) -> Answer {
    let latency = state.faults.latency;
    match answer {
        Answer::Whole(mut good) => {
            good.delay += latency;
            state.faults.flake(&request.path, &good).unwrap_or(Answer::Whole(good))
        }
        other => other,
    }
}

/// The vendor's word for what is not there.
pub fn not_found(what: &str) -> Answer {
    Answer::Whole(Response::json(404, &json!({"error": format!("{what} was not found.")})))
}

fn bad(why: &str) -> Answer {
    Answer::Whole(Response::json(400, &json!({"error": why})))
}

fn good(body: &Value) -> Answer {
    Answer::Whole(Response::json(200, body))
}

fn find<'l>(list: &'l [Value], uid: &str) -> Option<&'l Value> {
    list.iter().find(|record| record["uid"] == uid)
}

fn read(state: &mut State, request: &Request, parts: &[&str]) -> Answer {
    if let [kind @ ("site" | "device" | "audit"), ..] = parts
        && (parts.len() == 2 || *kind == "audit")
        && let Some(answer) = state.faults.hit(&format!("{kind}/"), &request.path).and_then(|fault| fault.plain(0))
    {
        return answer;
    }
    match parts {
        ["system", "status"] => good(&json!({"version": "14.9.0", "status": "OK", "started": "2026-01-01T00:00:00Z"})),
        ["system", "pagination"] => {
            let fault = state.faults.hit("system/pagination", &request.path).and_then(|fault| fault.plain(0));
            fault.unwrap_or_else(|| good(&json!({"max": state.page_max})))
        }
        ["system", "request_rate"] => {
            let fault = state.faults.hit("system/request_rate", &request.path).and_then(|fault| fault.plain(0));
            let told = state.limits.request_rate();
            fault.unwrap_or_else(|| good(&told))
        }
        ["account"] => good(&json!({"id": 1, "uid": "STANDIN01", "name": "A provider", "currency": "EUR"})),
        ["account", "sites" | "devices"] | ["account", "alerts", "open" | "resolved"] => lists::list(state, request, parts),
        ["site", uid] => find(&state.sites, uid).map_or_else(|| not_found("Site"), good),
        ["site", uid, ..] if find(&state.sites, uid).is_none() => not_found("Site"),
        ["site", _, "devices" | "variables"] | ["site", _, "alerts", "open" | "resolved"] => lists::list(state, request, parts),
        ["device", "id", id] => {
            let found = state.devices.iter().find(|device| device["id"].as_i64() == id.parse().ok());
            found.map_or_else(|| not_found("Device"), good)
        }
        ["device", uid] => find(&state.devices, uid).map_or_else(|| not_found("Device"), good),
        ["device", uid, ..] if find(&state.devices, uid).is_none() => not_found("Device"),
        ["device", _, "alerts", "open" | "resolved"] => lists::list(state, request, parts),
        ["alert", uid] => {
            let found = state.alerts.iter().find(|alert| alert["alertUid"] == *uid);
            found.map_or_else(|| not_found("Alert"), good)
        }
        ["audit", class, uid, ..] => audit(state, request, class, uid, parts),
        _ => not_found("Resource"),
    }
}

fn audit(state: &mut State, request: &Request, class: &str, uid: &str, parts: &[&str]) -> Answer {
    let Some(device) = find(&state.devices, uid) else { return not_found("Device") };
    let theirs = device["deviceClass"].as_str().unwrap_or("unknown");
    if theirs != class {
        return bad("The audit class does not fit the device");
    }
    match parts.get(3) {
        Some(&"software") if class == "device" => lists::list(state, request, parts),
        Some(_) => not_found("Resource"),
        None => state.audits.get(uid).map_or_else(|| not_found("Audit"), good),
    }
}

fn write(state: &mut State, request: &Request, parts: &[&str]) -> Answer {
    if let Some(answer) = state.faults.hit("write/", &request.path).and_then(|fault| fault.plain(0)) {
        return answer;
    }
    let body = request.json();
    let done = match (request.method.as_str(), parts) {
        (_, ["site", uid, ..]) if find(&state.sites, uid).is_none() => return not_found("Site"),
        ("PUT", ["site", uid, "variable"]) => new_variable(state, uid, &body),
        ("POST", ["site", uid, "variable", id]) => changed_variable(state, uid, id, &body),
        ("DELETE", ["site", uid, "variable", id]) => {
            let variables = state.variables.entry((*uid).to_owned()).or_default();
            let before = variables.len();
            variables.retain(|variable| variable["id"].as_i64() != id.parse().ok());
            if variables.len() == before { Err(not_found("Variable")) } else { Ok(()) }
        }
        _ => Err(not_found("Resource")),
    };
    match done {
        Err(refusal) => refusal,
        Ok(()) => {
            state.writes.push((format!("{} {}", request.method, request.path), body));
            state.faults.after_write(Response::new(200, "application/json", ""))
        }
    }
}

fn texts(body: &Value) -> Result<(String, String), Answer> {
    match (body["name"].as_str(), body["value"].as_str()) {
        (Some(name), Some(value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(bad("name and value must be strings")),
    }
}

fn new_variable(state: &mut State, site: &str, body: &Value) -> Result<(), Answer> {
    let (name, value) = texts(body)?;
    let next = state.variables.values().flatten().filter_map(|variable| variable["id"].as_i64()).max().unwrap_or(900_000) + 1;
    let variables = state.variables.entry(site.to_owned()).or_default();
    if variables.iter().any(|variable| variable["name"] == name) && !state.doubles_variables {
        return Err(Answer::Whole(Response::json(409, &json!({"error": "A variable of that name exists."}))));
    }
    variables.push(records::variable(next, &name, &value));
    Ok(())
}

fn changed_variable(state: &mut State, site: &str, id: &str, body: &Value) -> Result<(), Answer> {
    let (name, value) = texts(body)?;
    let variables = state.variables.entry(site.to_owned()).or_default();
    let found = variables.iter_mut().find(|variable| variable["id"].as_i64() == id.parse().ok());
    let variable = found.ok_or_else(|| not_found("Variable"))?;
    (variable["name"], variable["value"]) = (json!(name), json!(value));
    Ok(())
}
