//! Datto's lists: pages from 0 in a wrapper that names the next one.

use serde_json::{Value, json};

use super::State;
use super::routes::not_found;
use crate::http_server::{Answer, Request, Response};
use crate::vendor_faults::ListFault;

/// Answers with one page of the list behind this path.
pub fn list(state: &mut State, request: &Request, parts: &[&str]) -> Answer {
    let number = |name: &str, default: usize| match request.param(name) {
        None => Some(default),
        Some(text) => text.parse().ok(),
    };
    let (fault_name, key) = match parts {
        ["account", "sites"] => ("account/sites".to_owned(), "sites"),
        ["audit", ..] => ("audit/software".to_owned(), "software"),
        [whose, "alerts", status] => (format!("{whose}/alerts/{status}"), "alerts"),
        [whose, _, "alerts", status] => (format!("{whose}/alerts/{status}"), "alerts"),
        [.., "variables"] => ("site/variables".to_owned(), "variables"),
        [whose, .., "devices"] => (format!("{whose}/devices"), "devices"),
        _ => return not_found("Resource"),
    };
    let largest = if key == "alerts" { state.alert_page_max } else { state.page_max };
    let asked = (number("page", 0), number("max", largest));
    let (Some(page), Some(max @ 1..)) = asked else {
        return Answer::Whole(Response::json(400, &json!({"error": "page and max must be numbers"})));
    };
    if max > largest && state.refuses_large_pages {
        return Answer::Whole(Response::json(400, &json!({"error": "max is too large"})));
    }
    let max = max.min(largest);
    let fault = state.faults.hit(&fault_name, &request.path);
    if let Some(answer) = fault.as_ref().and_then(|fault| fault.plain(page + 1)) {
        return answer;
    }
    let mut records = select(state, request, parts);
    let true_total = records.len();
    let (mut start, mut size, mut link, mut total) = (page * max, max, true, None);
    match fault {
        Some(ListFault::Empty) => records.clear(),
        Some(ListFault::EmptyFrom(from)) if page + 1 >= from => {
            total = Some(true_total);
            records.clear();
        }
        Some(ListFault::RepeatedPage) => start = 0,
        Some(ListFault::Short(most)) => (start, size) = (page * max.min(most), max.min(most)),
        Some(ListFault::ShortWithoutLink(most)) => {
            (start, size) = (page * max.min(most), max.min(most));
            link = false;
        }
        Some(ListFault::Shift(by)) if page > 0 => start += by,
        Some(ListFault::Repeat(by)) if page > 0 => start = start.saturating_sub(by),
        Some(ListFault::Thin(every, honest)) => {
            let mut number = 0;
            records.retain(|_| {
                number += 1;
                number % every != 0
            });
            total = honest.then_some(true_total);
        }
        _ => {}
    }
    let end = records.len().min(start + size);
    let shown = records.get(start.min(end)..end).unwrap_or_default();
    let repeats = fault == Some(ListFault::RepeatedPage);
    let more = (end < records.len() || repeats) && !shown.is_empty() && link;
    let host = request.header("host").unwrap_or("localhost");
    // The vendor forgets every other parameter here.
    let address = |page: usize| format!("http://{host}{}?max={max}&page={page}", request.path);
    let mut details = json!({
        "count": shown.len(), "totalCount": total.unwrap_or(records.len()),
        "prevPageUrl": (page > 0).then(|| address(page - 1)), "nextPageUrl": more.then(|| address(page + 1)),
    });
    if !state.tells_totals
        && let Some(details) = details.as_object_mut()
    {
        details.remove("totalCount");
    }
    let mut body = json!({"pageDetails": details, key: shown});
    if let Some(ListFault::Deep(depth)) = fault {
        body["extra"] = json!("DEEP");
        let nest = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        return Answer::Whole(Response::new(200, "application/json", body.to_string().replacen("\"DEEP\"", &nest, 1)));
    }
    let response = Response::json(200, &body);
    if fault == Some(ListFault::Cut) {
        let half = response.body.len() / 2;
        return Answer::Cut(response, half);
    }
    Answer::Whole(response)
}

fn select<'s>(state: &'s State, request: &Request, parts: &[&str]) -> Vec<&'s Value> {
    let alerts = |status: &str, kept: &dyn Fn(&Value) -> bool| -> Vec<&'s Value> {
        let muted = request.param("muted");
        let chosen = state.alerts.iter().filter(|alert| alert["resolved"] == (status == "resolved") && kept(alert));
        chosen.filter(|alert| muted.is_none_or(|muted| alert["muted"].as_bool() == muted.parse().ok())).collect()
    };
    let stored = |list: Option<&'s Vec<Value>>| list.into_iter().flatten().collect();
    match parts {
        ["account", "sites"] => {
            let part = request.param("siteName").map(str::to_lowercase);
            let like = |site: &&Value| {
                part.as_ref().is_none_or(|part| site["name"].as_str().is_some_and(|name| name.to_lowercase().contains(part)))
            };
            state.sites.iter().filter(like).collect()
        }
        ["account", "devices"] => {
            let named = |key: &str, device: &Value| request.param(key).is_none_or(|wanted| device[key] == wanted);
            state.devices.iter().filter(|device| named("hostname", device) && named("operatingSystem", device)).collect()
        }
        ["site", uid, "devices"] => state.devices.iter().filter(|device| device["siteUid"] == *uid).collect(),
        ["site", uid, "variables"] => stored(state.variables.get(*uid)),
        ["audit", _, uid, "software"] => stored(state.software.get(*uid)),
        ["account", "alerts", status] => alerts(status, &|_| true),
        ["site", uid, "alerts", status] => alerts(status, &|alert| alert["alertSourceInfo"]["siteUid"] == *uid),
        ["device", uid, "alerts", status] => alerts(status, &|alert| alert["alertSourceInfo"]["deviceUid"] == *uid),
        _ => Vec::new(),
    }
}
