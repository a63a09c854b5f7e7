//! The OpenAPI document, made from the routes and lists themselves, so that it cannot name others.

use super::RouteInfo;
use crate::db::list::{Column, Kind, ListSpec};
use serde_json::{Map, Value, json};

/// Where programs, not people, are at home.
const FOR_PROGRAMS: [&str; 5] = ["/api/", "/sync/", "/health", "/.well-known/", "/service-token"];

/// The document of these routes; `lists` tells which paths are lists of what.
#[must_use]
pub fn document(routes: &[RouteInfo], lists: &[(&str, &ListSpec)]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes.iter().filter(|route| is_for_programs(route.path)) {
        let spec = lists.iter().find(|(path, _)| *path == route.path && route.method == "GET").map(|(_, spec)| *spec);
        let path = paths.entry(route.path.replace("{*", "{")).or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            methods.insert(route.method.to_ascii_lowercase(), operation(route, spec));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Codex",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Companies, contacts and assets of a managed service provider. Every path also exists below /codex.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}, {"url": "/codex"}],
        "security": [{"token": []}, {"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
            "responses": {"Error": {
                "description": "What went wrong, in the words of RFC 9457 and of older clients at once.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            }},
            "schemas": {"Error": error_schema()},
        },
    })
}

fn is_for_programs(path: &str) -> bool {
    FOR_PROGRAMS.iter().any(|start| path.starts_with(start)) || path.contains("/api/")
}

fn operation(route: &RouteInfo, list: Option<&ListSpec>) -> Value {
    let mut parameters: Vec<Value> = path_parameters(route.path);
    parameters.extend(list.into_iter().flat_map(list_parameters));
    parameters.extend(route.rehearses.then(|| {
        json!({"name": "dry_run", "in": "query", "schema": {"type": "boolean"},
               "description": "Answers what the request would do, and does nothing."})
    }));
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [tag(route.path)],
        "parameters": parameters,
        "responses": responses(route, list),
    });
    if let (true, Value::Object(members)) = (["POST", "PUT", "PATCH"].contains(&route.method), &mut operation) {
        let content = json!({"schema": {"type": "object"}});
        let mut kinds = Map::from_iter([("application/json".to_owned(), content.clone())]);
        if route.method == "PATCH" {
            kinds.insert("application/merge-patch+json".to_owned(), content);
        }
        members.insert("requestBody".to_owned(), json!({"required": false, "content": kinds}));
    }
    operation
}

fn operation_id(route: &RouteInfo) -> String {
    let words = route.path.split(['/', '{', '}', '-', '.', '*']).filter(|word| !word.is_empty());
    std::iter::once(route.method.to_ascii_lowercase()).chain(words.map(str::to_owned)).collect::<Vec<_>>().join("_")
}

fn tag(path: &str) -> &str {
    path.split('/').find(|word| !word.is_empty() && *word != "api").unwrap_or("codex")
}

fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &str| {
        let name = name.trim_start_matches('*');
        let kind = if name == "id" { "integer" } else { "string" };
        json!({"name": name, "in": "path", "required": true, "schema": {"type": kind}})
    };
    names.map(parameter).collect()
}

fn list_parameters(spec: &ListSpec) -> Vec<Value> {
    let parameter = |name: &str, schema: Value, description: &str| json!({"name": name, "in": "query", "schema": schema, "description": description});
    let text = || json!({"type": "string"});
    let number = || json!({"type": "integer"});
    let columns: Vec<&str> = spec.columns.iter().map(|column| column.name).collect();
    let mut parameters = vec![
        parameter("limit", number(), "How many; everything when absent. What is no number counts as absent."),
        parameter("offset", number(), "After how many others."),
        parameter("page", json!({"type": "integer", "minimum": 1}), "The page, counted from 1, instead of limit and offset."),
        parameter("per_page", json!({"type": "integer", "minimum": 1, "maximum": 1000}), "The size of a page; 50 when absent."),
        parameter("sort", text(), &format!("Columns, each with - before it for descending: {}.", columns.join(", "))),
        parameter("fields", text(), &format!("Only these members: {}.", (spec.fields)().join(", "))),
        parameter("format", json!({"enum": ["json", "csv"]}), "CSV also by Accept: text/csv."),
        parameter(
            "for",
            json!({"enum": ["machines", "excel"]}),
            "Of CSV: with excel every cell that a spreadsheet could run is guarded.",
        ),
        parameter("envelope", json!({"type": "boolean"}), "An object with items, total, limit and offset instead of an array."),
    ];
    if spec.search.is_some() {
        parameters.push(parameter(
            "q",
            json!({"type": "string", "maxLength": 200}),
            "Contains all these words in any order, whatever their case and accents; numbers with or without separators.",
        ));
    }
    if spec.retired.is_some() {
        parameters.push(parameter("retired", json!({"enum": ["hide", "only", "include"]}), "Whether retired rows are listed."));
    }
    for column in spec.columns {
        let description = "Exactly this value. With __ic after the name: contains; __gte, __lte: bounds; __in: one of several; __empty: true or false.";
        parameters.push(parameter(column.name, schema_of(column), description));
    }
    parameters
}

fn schema_of(column: &Column) -> Value {
    let name = match column.kind {
        Kind::Text | Kind::Time => "string",
        Kind::Int => "integer",
        Kind::Real => "number",
        Kind::Bool => "boolean",
    };
    if column.nullable { json!({"type": [name, "null"]}) } else { json!({"type": name}) }
}

fn responses(route: &RouteInfo, list: Option<&ListSpec>) -> Value {
    let schema = list.map_or_else(|| json!({}), |spec| json!({"type": "array", "items": item_schema(spec)}));
    let mut content = Map::from_iter([("application/json".to_owned(), json!({"schema": schema}))]);
    if list.is_some() {
        content.insert("text/csv".to_owned(), json!({"schema": {"type": "string"}}));
    }
    let mut responses = json!({
        "200": {"description": "Done.", "content": content},
        "default": {"$ref": "#/components/responses/Error"},
    });
    if let Value::Object(members) = &mut responses {
        if route.method == "GET" {
            members.insert("304".to_owned(), json!({"description": "The caller has this answer already (If-None-Match)."}));
        }
        if route.method == "POST" {
            members.insert(
                "201".to_owned(),
                json!({"description": "Created.", "content": {"application/json": {"schema": {"type": "object"}}}}),
            );
        }
    }
    responses
}

fn item_schema(spec: &ListSpec) -> Value {
    let known = |name: &str| spec.columns.iter().find(|column| column.name == name).map_or_else(|| json!({}), schema_of);
    let members: Map<String, Value> = (spec.fields)().iter().map(|name| ((*name).to_owned(), known(name))).collect();
    json!({"type": "object", "properties": members})
}

fn error_schema() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "required": ["error", "type", "title", "status", "detail", "instance"],
        "properties": {
            "error": text, "type": text, "title": text, "status": {"type": "integer"}, "detail": text, "instance": text,
            "request_id": text,
            "errors": {"type": "array", "items": {"type": "object", "properties": {"field": text, "message": text}}},
        },
    })
}
