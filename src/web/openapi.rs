//! The OpenAPI document, made from the routes and lists themselves, so that it cannot name others.

mod examples;
pub mod schema;
pub mod table;
pub mod values;

pub use schema::{Describe, Schemas};

use super::RouteInfo;
use crate::db::list::{Column, Kind, ListSpec, beside};
use serde_json::{Map, Value, json};

/// Text in which something can be seen: what `types::clean` leaves of it is not empty.
pub const NOT_BLANK: &str = concat!(
    r"[^\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e",
    r"\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]"
);

/// Where programs, not people, are at home: whatever stands there is described, and elsewhere what says so of itself.
const FOR_PROGRAMS: [&str; 5] = ["/api/", "/sync/", "/health", "/.well-known/", "/service-token"];

/// The document of these routes; `lists` tells which paths are lists of what.
#[must_use]
pub fn document(routes: &[RouteInfo], lists: &[(&str, &ListSpec)]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut schemas = Schemas::default();
    for route in routes.iter().filter(|route| is_for_programs(route)) {
        let spec = lists.iter().find(|(path, _)| *path == route.path && route.method == "GET").map(|(_, spec)| *spec);
        let path = paths.entry(route.path.replace("{*", "{")).or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            methods.insert(route.method.to_ascii_lowercase(), operation(route, spec, &mut schemas));
        }
    }
    let mut named = schemas.into_named();
    named.insert("Error".to_owned(), error_schema());
    named.insert("Part".to_owned(), json!({"type": "object", "description": "A row with the members that `fields` names."}));
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Codex",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The hub of a managed service provider: companies, contacts, assets, networks, tickets, and what their vendors say. Every path also exists below /codex.",
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
            "schemas": named,
        },
    });
    examples::give(&mut document);
    document
}

fn is_for_programs(route: &RouteInfo) -> bool {
    let path = route.path;
    !route.about.summary.is_empty() || FOR_PROGRAMS.iter().any(|start| path.starts_with(start)) || path.contains("/api/")
}

fn operation(route: &RouteInfo, list: Option<&ListSpec>, schemas: &mut Schemas) -> Value {
    let about = &route.about;
    let mut parameters: Vec<Value> = path_parameters(route.path, &about.parameters);
    let is_own = |one: &Value| about.parameters.iter().any(|(name, ..)| one["name"] == *name);
    parameters.extend(list.into_iter().flat_map(list_parameters).filter(|one| !is_own(one)));
    parameters
        .extend(about.parameters.iter().filter(|(name, ..)| !is_named(&parameters, name)).map(own_parameter).collect::<Vec<_>>());
    parameters.extend(route.rehearses.then(write_parameters).into_iter().flatten());
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": about.summary,
        "tags": [tag(route.path)],
        "parameters": parameters,
        "responses": responses(route, list, schemas),
    });
    if let Some(body) = about.body {
        let schema = body(schemas);
        let content =
            json!({"schema": if schema.get("$ref").is_some() { schema } else { schemas.name(body_name(route), schema) }});
        let mut kinds = Map::from_iter([("application/json".to_owned(), content.clone())]);
        if route.method == "PATCH" {
            kinds.insert("application/merge-patch+json".to_owned(), content);
        }
        operation["requestBody"] = json!({"required": about.needs_body, "content": kinds});
    } else if !about.files.is_empty() {
        operation["requestBody"] =
            json!({"required": true, "content": about.files.iter().map(|media| file(media)).collect::<Map<_, _>>()});
    }
    if !route.needs_caller {
        operation["security"] = json!([]);
    }
    operation
}

/// A file as a body: as it is, or as the part `file` of a form.
fn file(media: &str) -> (String, Value) {
    let bytes = json!({"type": "string", "format": "binary", "minLength": 1});
    let schema = if media == "multipart/form-data" { schema::object(&[("file", bytes)]) } else { bytes };
    (media.to_owned(), json!({"schema": schema}))
}

fn is_named(parameters: &[Value], name: &str) -> bool {
    parameters.iter().any(|known| known["name"] == name)
}

/// What every write takes that is done at once and whole.
fn write_parameters() -> [Value; 3] {
    [
        json!({"name": "dry_run", "in": "query", "allowEmptyValue": true, "schema": {"type": "boolean"},
               "description": "Answers what the request would do, and does nothing."}),
        json!({"name": "If-Match", "in": "header", "schema": {"type": "string"},
               "description": "The ETag of the record as it was read; 412 when it has changed since."}),
        json!({"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "pattern": "^[!-~]([ -~]{0,198}[!-~])?$"},
               "description": "The same key again within a day answers the same without a second write. When what is protected has \
                               changed between the two, the second answer has the record's ids and `withheld` alone."}),
    ]
}

fn own_parameter((name, kind, description): &(&str, &str, &str)) -> Value {
    let (schema, is_required) = own_schema(kind);
    let mut parameter =
        json!({"name": name, "in": "query", "required": is_required, "schema": schema, "description": description});
    if !is_required {
        parameter["allowEmptyValue"] = json!(true);
    }
    parameter
}

/// See `Routes::asks`.
fn own_schema(kind: &str) -> (Value, bool) {
    let (kind, is_required) = kind.strip_suffix('!').map_or((kind, false), |kind| (kind, true));
    let schema = match kind {
        "month" => schema::month(),
        "date" => json!({"type": "string", "format": "date"}),
        "count" => schema::count(),
        // Old clients send what is no number and mean nothing by it (contract §0).
        "loose" => json!({"type": "integer", "x-loose": true}),
        "text" => json!({"type": "string", "pattern": NOT_BLANK}),
        pattern if pattern.starts_with('^') => json!({"type": "string", "pattern": pattern}),
        words if words.contains('|') => json!({"type": "string", "enum": words.split('|').collect::<Vec<_>>()}),
        kind => json!({"type": kind}),
    };
    (schema, is_required)
}

fn operation_id(route: &RouteInfo) -> String {
    let words = route.path.split(['/', '{', '}', '-', '.', '*']).filter(|word| !word.is_empty());
    std::iter::once(route.method.to_ascii_lowercase()).chain(words.map(str::to_owned)).collect::<Vec<_>>().join("_")
}

/// What the body of a route is called: programs that are made of the document name a type like that.
fn body_name(route: &RouteInfo) -> String {
    let words =
        route.path.split(['/', '-', '.', '_']).filter(|word| !word.is_empty() && !word.starts_with('{') && *word != "api");
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    let kind = if route.method == "POST" { "Request" } else { "Change" };
    words.map(capital).chain([kind.to_owned()]).collect()
}

fn tag(path: &str) -> &str {
    path.split('/').find(|word| !word.is_empty() && *word != "api").unwrap_or("codex")
}

fn path_parameters(path: &str, own: &[(&str, &str, &str)]) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &str| {
        let name = name.trim_start_matches('*');
        let usual = || if name == "id" { json!({"type": "integer"}) } else { json!({"type": "string"}) };
        let own = own.iter().find(|(asked, ..)| *asked == name).map(|(_, kind, _)| own_schema(kind).0);
        json!({"name": name, "in": "path", "required": true, "schema": own.unwrap_or_else(usual)})
    };
    names.map(parameter).collect()
}

fn list_parameters(spec: &ListSpec) -> Vec<Value> {
    let parameter = |name: &str, schema: Value, description: &str| {
        // Empty counts as absent.
        json!({"name": name, "in": "query", "allowEmptyValue": true, "schema": schema, "description": description})
    };
    let number = || own_schema("loose").0;
    let columns: Vec<&str> = spec.columns.iter().map(|column| column.name).collect();
    let fields = (spec.fields)();
    let some = |one: &str, names: &[&str]| json!({"type": "string", "pattern": format!("^({one}({0})(,{one}({0}))*)?$", names.join("|"))});
    let mut parameters = vec![
        parameter("limit", number(), "How many; everything when absent. What is no number counts as absent."),
        parameter("offset", number(), "After how many others."),
        parameter(
            "page",
            json!({"type": "integer", "minimum": 1, "maximum": i32::MAX}),
            "The page, counted from 1, instead of limit and offset.",
        ),
        parameter("per_page", json!({"type": "integer", "minimum": 1, "maximum": 1000}), "The size of a page; 50 when absent."),
        parameter("sort", some("-?", &columns), "Columns with commas between them, each with - before it for descending."),
        parameter("fields", some("", fields), "Only these members, with commas between them."),
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
        let description = "Exactly this value. With __ne after the name: not this one; __ic: contains; __gte, __lte: bounds; __in: one of several; __empty: true or false.";
        // What a list reads itself is not only what the column holds: a company by its number or its id, a priority by its word.
        let schema = if spec.own.contains(&column.name) { schema::text() } else { schema_of(column) };
        parameters.push(parameter(column.name, schema, description));
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
    match column.kind {
        Kind::Int => json!({"type": name, "minimum": i64::MIN, "maximum": i64::MAX}),
        _ => json!({"type": name}),
    }
}

/// The row of what a list answers: of an array, or of the array among an object's members.
fn row(answer: &Value) -> &Value {
    let is_array = |member: &&Value| member["type"] == "array";
    let array = std::iter::once(answer).chain(answer["properties"].as_object().into_iter().flat_map(Map::values)).find(is_array);
    array.map_or(&Value::Null, |array| &array["items"])
}

/// What a list answers: its rows, bare or under a name of their own, or a page of them with how many there are.
fn listed(mut answer: Value) -> Value {
    let partly = |row: Value| json!({"anyOf": [row, {"$ref": "#/components/schemas/Part"}]});
    let named = |answer: &mut Value| {
        let members = answer["properties"].as_object_mut()?;
        let rows = members.values_mut().find(|member| member["type"] == "array")?;
        rows["items"] = partly(rows["items"].take());
        Some(rows["items"].clone())
    };
    let row = if answer["type"] == "array" {
        answer["items"] = partly(answer["items"].take());
        answer["items"].clone()
    } else if let Some(row) = named(&mut answer) {
        row
    } else {
        return answer;
    };
    let page = json!({
        "type": "object",
        "required": ["items", "total", "limit", "offset"],
        "properties": {
            "items": {"type": "array", "items": row}, "total": {"type": "integer"}, "limit": {"type": ["integer", "null"]},
            "offset": {"type": "integer"},
        },
    });
    json!({"anyOf": [answer, page]})
}

fn responses(route: &RouteInfo, list: Option<&ListSpec>, schemas: &mut Schemas) -> Value {
    let schema = match (route.about.answer, list) {
        (Some(answer), Some(spec)) => {
            let answer = answer(schemas);
            if beside::of(spec).is_some() {
                schemas.complete(row(&answer), &schema::beside());
            }
            listed(answer)
        }
        (Some(answer), None) => answer(schemas),
        (None, Some(spec)) => listed(json!({"type": "array", "items": item_schema(spec)})),
        (None, None) => json!({}),
    };
    let media = route.about.media.unwrap_or("application/json");
    let schema = if route.about.media.is_some() { schema::text() } else { schema };
    let mut content = Map::from_iter([(media.to_owned(), json!({"schema": schema}))]);
    if list.is_some() {
        content.insert("text/csv".to_owned(), json!({"schema": {"type": "string"}}));
    }
    let mut responses = Map::new();
    let done = json!({"description": "Done.", "content": content});
    if route.about.creates {
        responses.insert("201".to_owned(), json!({"description": "Created.", "content": content}));
    }
    if route.about.is_silent {
        responses.insert("204".to_owned(), json!({"description": "Done; there is nothing to tell."}));
    } else if !route.about.creates || route.rehearses {
        responses.insert("200".to_owned(), done);
    }
    if route.method == "GET" {
        responses.insert("304".to_owned(), json!({"description": "The caller has this answer already (If-None-Match)."}));
    }
    for status in refusals(route) {
        responses.insert(status.to_owned(), json!({"$ref": "#/components/responses/Error"}));
    }
    for (status, when, answer) in &route.about.others {
        let content = json!({"application/json": {"schema": answer(schemas)}});
        responses.insert(status.to_string(), json!({"description": when, "content": content}));
    }
    responses.insert("default".to_owned(), json!({"$ref": "#/components/responses/Error"}));
    Value::Object(responses)
}

/// The statuses with which a route may refuse by what it is; whatever else may go wrong is `default`.
fn refusals(route: &RouteInfo) -> impl Iterator<Item = &'static str> {
    let writes = route.method != "GET";
    [
        ("400", true),
        ("401", route.needs_caller),
        ("403", route.needs_caller),
        ("404", route.path.contains('{')),
        // What stands in the way: a name that is taken, what hangs on a record, a key that stood for another request.
        ("409", writes),
        ("412", route.rehearses),
        ("413", writes),
        ("415", writes && (route.about.body.is_some() || !route.about.files.is_empty())),
        ("429", true),
    ]
    .into_iter()
    .filter_map(|(status, may_be)| may_be.then_some(status))
}

fn item_schema(spec: &ListSpec) -> Value {
    let nullable = |column: &Column| if column.nullable { schema::or_null(schema_of(column)) } else { schema_of(column) };
    let known = |name: &str| spec.columns.iter().find(|column| column.name == name).map_or_else(|| json!({}), nullable);
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
            "errors": {
                "type": "array",
                "items": {"type": "object", "required": ["field", "message"], "properties": {"field": text, "message": text}},
            },
        },
    })
}
