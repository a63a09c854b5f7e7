//! The API reference for people, made from the description that programs read.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{Html, IntoResponse as _, Response},
};
use serde_json::Value;

use super::description;
use crate::{
    agents::PageContext,
    error::{Error, Result},
    ui::{Page, Section, Theme, filters},
    web::{Prefix, Query, Routes, Web, openapi::schema as json},
};

/// The reference, and the description under both of its names (contract §1.0).
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/openapi.json", super::document)
        .tells("Describe this API", |_| {
            let object = || json::optional(&[]);
            let info = ["title", "version", "description"].map(|name| (name, json::text()));
            json::object(&[
                ("openapi", json::text()),
                ("info", json::object(&info)),
                ("paths", json::map(json::map(object()))),
                ("components", json::map(json::map(object()))),
            ])
        })
        .get("/apispec.json", super::document)
        .get("/docs", show)
}

/// One operation.
struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    /// What it takes and answers: of one that is asked for, as all of them would make a page of a megabyte.
    details: Option<Details>,
}

/// What an operation takes and answers.
struct Details {
    is_open: bool,
    parameters: Vec<Member>,
    body: Vec<Member>,
    /// What may be sent, as an example.
    example: String,
    answer: Vec<Member>,
    answers: String,
}

/// A parameter, or a member of a body or an answer.
struct Member {
    name: String,
    kind: String,
    note: String,
}

#[derive(Template)]
#[template(path = "app/reference.html")]
struct ReferencePage {
    page: Page,
    version: &'static str,
    groups: Vec<(String, Vec<Operation>)>,
    /// Whether one operation alone is shown.
    is_one: bool,
}

/// `GET /docs[?operation=]`: for everybody (contract §2.1); with the frame of whoever has signed in. All operations, or one with
/// what it takes and answers.
async fn show(
    State(web): State<Web>,
    context: Result<PageContext>,
    prefix: Prefix,
    query: Query,
    headers: HeaderMap,
) -> Result<Response> {
    let asked = query.text("operation")?;
    let mut groups: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    let paths = description()["paths"].as_object().into_iter().flatten();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let is_asked = asked.is_some_and(|id| operation["operationId"] == id);
            if asked.is_some() && !is_asked {
                continue;
            }
            let tag = operation["tags"][0].as_str().unwrap_or("codex").replace('_', " ");
            groups.entry(tag).or_default().push(read(path, method, operation, is_asked));
        }
    }
    if asked.is_some() && groups.is_empty() {
        return Err(Error::NotFound { what: "Operation" });
    }
    let (version, groups, is_one) = (env!("CARGO_PKG_VERSION"), groups.into_iter().collect(), asked.is_some());
    match context {
        Ok(context) => context.show(&ReferencePage { page: context.titled(Section::Settings, "API"), version, groups, is_one }),
        Err(Error::Unauthorized(_) | Error::Forbidden(_)) => {
            let page = Page::outside(prefix.as_str(), !web.config.on_platform(), "API").themed(&Theme::of(&headers));
            let html = ReferencePage { page, version, groups, is_one }.render().map_err(Error::internal)?;
            Ok(([(header::CACHE_CONTROL, "private, no-cache")], Html(html)).into_response())
        }
        Err(other) => Err(other),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn read(path: &str, method: &str, operation: &Value, is_asked: bool) -> Operation {
    Operation {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        details: is_asked.then(|| details(operation)),
    }
}

fn details(operation: &Value) -> Details {
    let answer = ["200", "201"].iter().find_map(|status| operation["responses"].get(status)).unwrap_or(&Value::Null);
    let answer = answer.pointer("/content/application~1json/schema").unwrap_or(&Value::Null);
    let body = operation.pointer("/requestBody/content/application~1json/schema").unwrap_or(&Value::Null);
    let example = operation.pointer("/requestBody/content/application~1json/examples/usual/$ref").and_then(Value::as_str);
    let example = example.and_then(|place| description().pointer(place.trim_start_matches('#'))).map(|example| &example["value"]);
    let parameter = |one: &Value| {
        let place = if one["in"] == "path" { "in the path" } else { "" };
        let note = [text(&one["description"]), place.to_owned()].join(" ");
        Member { name: text(&one["name"]), kind: kind(&one["schema"]), note: note.trim().to_owned() }
    };
    Details {
        is_open: operation["security"].as_array().is_some_and(Vec::is_empty),
        parameters: operation["parameters"].as_array().into_iter().flatten().map(parameter).collect(),
        body: members(body),
        example: example.map(|value| format!("{value:#}")).unwrap_or_default(),
        answer: members(answer),
        answers: kind(answer),
    }
}

/// What a schema is, in a word.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | ");
    }
    match (&schema["type"], schema.get("items")) {
        (Value::String(name), Some(items)) if name == "array" => format!("list of {}", kind(items)),
        (Value::String(name), _) => name.clone(),
        (Value::Array(names), _) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => {
            let mut kinds: Vec<String> = schema["anyOf"].as_array().into_iter().flatten().map(kind).collect();
            kinds.dedup();
            if kinds.is_empty() { "JSON".to_owned() } else { kinds.join(" or ") }
        }
    }
}

/// The members of an object, of what it refers to, or of what a list is made of.
fn members(schema: &Value) -> Vec<Member> {
    if let Some(name) = schema["$ref"].as_str() {
        return name.strip_prefix('#').and_then(|place| description().pointer(place)).map(members).unwrap_or_default();
    }
    if let Some(items) = schema.get("items") {
        return members(items);
    }
    if let Some(first) = schema["anyOf"].as_array().and_then(|either| either.first()) {
        return members(first);
    }
    if let Some(parts) = schema["allOf"].as_array().filter(|_| schema.get("properties").is_none()) {
        return parts.iter().flat_map(members).collect();
    }
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let member = |(name, schema): (&String, &Value)| Member {
        name: name.clone(),
        kind: kind(schema),
        note: [schema["description"].as_str(), required.contains(&name.as_str()).then_some("Always there.")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
    };
    schema["properties"].as_object().into_iter().flatten().map(member).collect()
}
