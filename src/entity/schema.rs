//! What a write may send of a noun, as the API description says it: made of the field table that reads it.

use serde_json::{Map, Value as Json, json};

use super::{FieldSpec, Fielded, Kind, Shaped};
use crate::web::openapi::Schemas;

/// The body that makes a row.
#[must_use]
pub fn new<E: Fielded>(schemas: &mut Schemas) -> Json {
    let specs = E::FIELDS.iter().map(|field| &field.spec).filter(|spec| !spec.is_told);
    let required: Vec<&str> = specs.filter(|spec| spec.is_required && spec.others.is_empty()).map(|spec| spec.name).collect();
    let mut body = changed::<E>(schemas);
    if !required.is_empty() {
        body["required"] = json!(required);
    }
    body
}

/// The body that changes a row: some of its fields.
#[must_use]
pub fn changed<E: Fielded>(_: &mut Schemas) -> Json {
    json!({"type": "object", "properties": members::<E>().into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect::<Map<_, _>>()})
}

/// The fields that may be sent, under all their names.
#[must_use]
pub fn members<E: Fielded>() -> Vec<(&'static str, Json)> {
    let specs = E::FIELDS.iter().map(|field| &field.spec).filter(|spec| !spec.is_told);
    let named = |spec: &'static FieldSpec| {
        let name = std::iter::once(spec.name).chain(spec.others.iter().copied());
        let schema = body_of(spec);
        name.map(|name| (name, schema.clone())).collect::<Vec<_>>()
    };
    specs.flat_map(named).collect()
}

/// A record with these members alone.
#[must_use]
pub fn only<V: Shaped>(names: &[&str]) -> Json {
    let mut whole = serde_json::to_value(V::members().schema()).unwrap_or_default();
    if let Some(members) = whole["properties"].as_object_mut() {
        members.retain(|name, _| names.contains(&name.as_str()));
    }
    whole["required"] = json!(names);
    whole
}

/// What may be sent for a field.
fn body_of(spec: &FieldSpec) -> Json {
    let text = |most: usize| json!({"type": "string", "maxLength": most});
    let mut schema = match spec.kind {
        Kind::Text(most) | Kind::Long(most) | Kind::Markdown(most) | Kind::Phone(most) | Kind::Moment(most)
            if most < usize::MAX =>
        {
            text(most)
        }
        Kind::Url(most) => json!({"type": "string", "format": "uri", "maxLength": most}),
        Kind::Email(most) => json!({"type": "string", "format": "email", "maxLength": most}),
        Kind::Choice(words) => json!({"type": "string", "enum": words}),
        Kind::Day => json!({"type": "string", "format": "date"}),
        Kind::Int => match spec.range {
            Some((least, most, _)) => json!({"type": "integer", "minimum": least, "maximum": most}),
            None => json!({"type": "integer"}),
        },
        Kind::Reference(_) => json!({"type": "integer"}),
        Kind::Decimal(_) => json!({"type": "number", "minimum": 0}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::TextList(items, most) => json!({"type": "array", "maxItems": items, "items": text(most)}),
        _ => json!({"type": "string"}),
    };
    if spec.is_nullable
        && let Some(kind) = schema.get("type").cloned()
    {
        schema["type"] = json!([kind, "null"]);
        if let Some(words) = schema.get_mut("enum").and_then(Json::as_array_mut) {
            words.push(Json::Null);
        }
    }
    schema["description"] = json!(spec.label);
    schema
}
