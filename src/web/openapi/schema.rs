//! What JSON looks like, as the API description says it: schemas, and the named ones that they refer to.

use serde_json::{Map, Value, json};
use utoipa::{PartialSchema as _, ToSchema};

use super::values::{Held, Scalar};
use crate::db::list::beside;

/// Says what a body or an answer looks like.
pub type Describe = fn(&mut Schemas) -> Value;

/// The named schemas of one document.
#[derive(Debug, Default)]
pub struct Schemas(Map<String, Value>);

impl Schemas {
    /// A reference to the schema of this type, which is named in the document from then on.
    pub fn of<T: ToSchema>(&mut self) -> Value {
        let name = T::name();
        let mut parts = vec![(name.to_string(), T::schema())];
        T::schemas(&mut parts);
        for (name, schema) in parts {
            self.0.entry(name).or_insert_with(|| plain(serde_json::to_value(schema).unwrap_or_default()));
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// A reference to this schema, which has this name in the document from then on.
    pub fn name(&mut self, name: String, schema: Value) -> Value {
        let reference = json!({"$ref": format!("#/components/schemas/{name}")});
        self.0.entry(name).or_insert(schema);
        reference
    }

    /// Gives the schema that this refers to members that may stand beside its own.
    pub fn complete(&mut self, reference: &Value, members: &[(&str, Value)]) {
        let Some(name) = named(reference) else { return };
        for (member, schema) in members {
            if !self.widen(&name, member, schema)
                && let Some(own) = self.0.get_mut(&name).and_then(own_members)
            {
                own.insert((*member).to_owned(), schema.clone());
            }
        }
    }

    /// Lets a member that a schema or one of its parts has hold such values too; whether there is one. Vendors have custom
    /// fields as well.
    fn widen(&mut self, name: &str, member: &str, more: &Value) -> bool {
        let Some(schema) = self.0.get_mut(name) else { return false };
        let (mut has, mut parts) = (false, Vec::new());
        let mut look = |part: &mut Value| {
            parts.extend(named(part));
            let Some(known) = part.pointer_mut(&format!("/properties/{member}")) else { return };
            has = true;
            if let Some(Value::Array(either)) = known.pointer_mut("/additionalProperties/anyOf")
                && !either.contains(&more["additionalProperties"])
            {
                either.push(more["additionalProperties"].clone());
            }
        };
        look(schema);
        if let Some(Value::Array(all)) = schema.get_mut("allOf") {
            all.iter_mut().for_each(look);
        }
        parts.iter().fold(has, |has, part| self.widen(part, member, more) || has)
    }

    /// All of them, by name.
    #[must_use]
    pub fn into_named(mut self) -> Map<String, Value> {
        self.0.sort_keys();
        self.0
    }
}

/// The name of the schema that this refers to.
fn named(reference: &Value) -> Option<String> {
    reference["$ref"].as_str()?.strip_prefix("#/components/schemas/").map(str::to_owned)
}

/// Formats such as `int64` say nothing that a client could check.
fn plain(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(members) => {
            if members.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("int")) {
                members.remove("format");
            }
            members.values_mut().for_each(|member| *member = plain(member.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = plain(item.take())),
        _ => {}
    }
    schema
}

/// What a record of this type looks like.
pub fn one<T: ToSchema>(schemas: &mut Schemas) -> Value {
    schemas.of::<T>()
}

/// A list of such records.
pub fn list<T: ToSchema>(schemas: &mut Schemas) -> Value {
    array(schemas.of::<T>())
}

/// A record with what a write says beside it: a message, and what is odd about it.
pub fn written<T: ToSchema>(schemas: &mut Schemas) -> Value {
    with(schemas.of::<T>(), &[("message", text()), ("warnings", array(text())), ("dry_run", flag())])
}

/// What a list answers to whom it was sent one record or an array of them.
pub fn added<T: ToSchema>(schemas: &mut Schemas) -> Value {
    json!({"anyOf": [written::<T>(schemas), list::<T>(schemas)]})
}

/// An array of these.
#[must_use]
pub fn array(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// An object that has these members.
#[must_use]
pub fn object(members: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    json!({"type": "object", "properties": properties(members), "required": required})
}

/// An object that may have these members.
#[must_use]
pub fn optional(members: &[(&str, Value)]) -> Value {
    json!({"type": "object", "properties": properties(members)})
}

/// That, and perhaps these members.
#[must_use]
pub fn with(mut base: Value, members: &[(&str, Value)]) -> Value {
    match own_members(&mut base) {
        Some(own) => {
            own.extend(properties(members));
            base
        }
        None => json!({"allOf": [base, optional(members)]}),
    }
}

/// That, and no members that are not said.
#[must_use]
pub fn closed(mut base: Value) -> Value {
    let word = if base.get("allOf").is_some() { "unevaluatedProperties" } else { "additionalProperties" };
    base[word] = json!(false);
    base
}

/// That, with something in one of these members at least. It stands in an `allOf`: programs that make types of the document
/// take an `anyOf` for a choice between types.
#[must_use]
pub fn with_one_of(mut base: Value, names: &[&str]) -> Value {
    let filled = |name: &&str| {
        let kinds = match &base["properties"][*name]["type"] {
            Value::Array(kinds) => kinds.iter().filter(|kind| **kind != "null").cloned().collect(),
            Value::Null => vec![json!("string")],
            kind => vec![kind.clone()],
        };
        json!({"required": [name], "properties": {*name: {"type": kinds, "pattern": super::NOT_BLANK}}})
    };
    let needs: Vec<Value> = names.iter().map(filled).collect();
    match base.get_mut("allOf").and_then(Value::as_array_mut) {
        Some(all) => all.push(json!({"anyOf": needs})),
        None => base["allOf"] = json!([{"anyOf": needs}]),
    }
    base
}

/// The members that a schema has itself, beside those of others that it refers to.
fn own_members(schema: &mut Value) -> Option<&mut Map<String, Value>> {
    if schema.get("properties").is_none() && schema.get("allOf").is_some() {
        return schema["allOf"].as_array_mut()?.last_mut().and_then(own_members);
    }
    schema.get_mut("properties")?.as_object_mut()
}

fn properties(members: &[(&str, Value)]) -> Map<String, Value> {
    members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect()
}

/// Text.
#[must_use]
pub fn text() -> Value {
    json!({"type": "string"})
}

/// Text of at least one letter, blank or not.
#[must_use]
pub fn some_text() -> Value {
    json!({"type": "string", "minLength": 1})
}

/// A whole number.
#[must_use]
pub fn int() -> Value {
    json!({"type": "integer"})
}

/// A number.
#[must_use]
pub fn number() -> Value {
    json!({"type": "number"})
}

/// A whole number that is not negative.
#[must_use]
pub fn count() -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": i64::MAX})
}

/// Text that says something, of so many letters at most.
#[must_use]
pub fn words(most: usize) -> Value {
    json!({"type": "string", "pattern": super::NOT_BLANK, "maxLength": most})
}

/// A month, as `2026-11`, from 2000 on.
#[must_use]
pub fn month() -> Value {
    json!({"type": "string", "pattern": "^[2-9][0-9]{3}-(0[1-9]|1[0-2])$"})
}

/// A time zone by its name, such as `Europe/Berlin`.
#[must_use]
pub fn time_zone() -> Value {
    json!({"type": "string", "format": "time-zone", "maxLength": 60})
}

/// An address to which something is sent by itself.
#[must_use]
pub fn hook() -> Value {
    let description = "With outgoing_webhooks.private_addresses also http, and any host.";
    json!({"type": "string", "format": "uri", "pattern": "^https://", "maxLength": 2_000, "description": description})
}

/// One of these words.
#[must_use]
pub fn choice(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

/// The id of a record of this kind.
#[must_use]
pub fn id_of(entity: &str) -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": i64::MAX, "x-refers-to": entity})
}

/// A company by its account number or its id.
#[must_use]
pub fn company() -> Value {
    json!({"type": ["string", "integer"], "pattern": super::NOT_BLANK, "x-refers-to": "company"})
}

/// An object with a member of this shape for each of its keys.
#[must_use]
pub fn map(each: Value) -> Value {
    json!({"type": "object", "additionalProperties": each})
}

/// A value by itself, of whatever kind it is.
#[must_use]
pub fn scalar() -> Value {
    plain(serde_json::to_value(Scalar::schema()).unwrap_or_default())
}

/// What a field holds, of whatever kind it is.
#[must_use]
pub fn held() -> Value {
    plain(serde_json::to_value(Held::schema()).unwrap_or_default())
}

/// What administrators have added to a record: the values of their fields by key, and tags.
#[must_use]
pub fn beside() -> [(&'static str, Value); 2] {
    [(beside::OWN, own_fields()), ("tags", or_null(array(text())))]
}

/// The same with the other name of the former, as it is answered.
#[must_use]
pub fn beside_shown() -> [(&'static str, Value); 3] {
    let [own, tags] = beside();
    [own, (beside::CUSTOM, own_fields()), tags]
}

fn own_fields() -> Value {
    let mut values = or_null(map(scalar()));
    values["description"] = json!("Values of the fields at /api/custom_fields, by key.");
    values
}

/// True or false.
#[must_use]
pub fn flag() -> Value {
    json!({"type": "boolean"})
}

/// That, or null.
#[must_use]
pub fn or_null(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        Some(Value::String(kind)) => {
            schema["type"] = json!([kind, "null"]);
            if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                words.push(Value::Null);
            }
            schema
        }
        Some(Value::Array(mut kinds)) => {
            kinds.push(json!("null"));
            schema["type"] = Value::Array(kinds);
            schema
        }
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

/// How many there are of each kind.
#[must_use]
pub fn counts() -> Value {
    map(int())
}

/// What the scripts of pages read of a write: [`crate::resource::brief`].
#[must_use]
pub fn brief(_: &mut Schemas) -> Value {
    done(&[("message", text())])
}

/// What is answered when something was done: `{"success": true, …}`.
#[must_use]
pub fn done(members: &[(&str, Value)]) -> Value {
    with(object(&[("success", flag())]), members)
}
