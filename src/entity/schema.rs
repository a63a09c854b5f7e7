//! What a write may send of a noun, as the API description says it: made of the field table that reads it.

use serde_json::{Map, Value as Json, json};

use super::{FieldSpec, Fielded, Kind, Shaped};
use crate::types::decimal;
use crate::web::openapi::{
    NOT_BLANK, Schemas,
    schema::{id_of, with_one_of},
};

/// The body that makes a row.
#[must_use]
pub fn new<E: Fielded>(schemas: &mut Schemas) -> Json {
    let specs = E::FIELDS.iter().map(|field| &field.spec).filter(|spec| !spec.is_told && spec.is_required);
    let (named, plain): (Vec<&FieldSpec>, Vec<&FieldSpec>) = specs.partition(|spec| !spec.others.is_empty());
    let mut body = changed::<E>(schemas);
    if !plain.is_empty() {
        body["required"] = plain.iter().map(|spec| spec.name).collect();
    }
    let names = |spec: &FieldSpec| [&[spec.name][..], spec.others].concat();
    named.into_iter().fold(body, |body, spec| with_one_of(body, &names(spec)))
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
    let blank = spec.is_required || !(spec.is_nullable || spec.emptied.is_some());
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
        Kind::Int => spec.points_to.map_or_else(
            || {
                let (least, most) = spec.range.map_or((i64::MIN, i64::MAX), |(least, most, _)| (least, most));
                json!({"type": "integer", "minimum": least, "maximum": most})
            },
            id_of,
        ),
        Kind::Reference(to) => id_of(to.entity),
        Kind::Ip => {
            json!({"type": "string", "anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]})
        }
        Kind::Cidr => json!({"type": "string", "format": "cidr"}),
        Kind::Mac => json!({"type": "string", "pattern": "^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$"}),
        Kind::Decimal(places) => {
            let smallest = 1.0 / f64::from(10_u32.pow(places));
            json!({"type": "number", "minimum": 0, "exclusiveMaximum": decimal::BOUND, "multipleOf": smallest})
        }
        Kind::Flag => json!({"type": "boolean"}),
        Kind::TextList(items, most) => json!({"type": "array", "maxItems": items, "items": text(most)}),
        _ => json!({"type": "string"}),
    };
    // Whatever has a format of its own is not blank.
    let is_free = ["enum", "pattern", "format"].iter().all(|rule| schema.get(rule).is_none());
    if blank && schema["type"] == "string" && is_free {
        schema["pattern"] = json!(NOT_BLANK);
    }
    let can_be_empty = spec.is_nullable && !spec.is_required;
    if can_be_empty && ["format", "pattern", "anyOf"].iter().any(|rule| schema.get(rule).is_some()) {
        // Empty text is no value, as null is.
        schema = json!({"anyOf": [schema, {"type": "string", "maxLength": 0}, {"type": "null"}]});
    } else if can_be_empty && let Some(kind) = schema.get("type").cloned() {
        schema["type"] = json!([kind, "null"]);
        if let Some(words) = schema.get_mut("enum").and_then(Json::as_array_mut) {
            words.push(Json::Null);
        }
    }
    schema["description"] = json!(spec.label);
    schema
}
