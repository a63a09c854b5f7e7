//! Reads JSON that strangers send: what is too deep, too long or ambiguous is refused by name.

use crate::error::{Error, FieldError, Result};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::{
    cell::{Cell, RefCell},
    fmt,
};

/// Writes JSON that is kept as text as what it is; what is no JSON, as the text.
pub fn embedded<T, S>(text: &T, serializer: S) -> std::result::Result<S::Ok, S::Error>
where
    T: Clone + Into<Option<String>>,
    S: serde::Serializer,
{
    use serde::Serialize as _;
    let text: Option<String> = text.clone().into();
    match text.as_deref().map(|text| serde_json::from_str::<Value>(text).map_err(|_| text)) {
        None => serializer.serialize_none(),
        Some(Ok(value)) => value.serialize(serializer),
        Some(Err(text)) => serializer.serialize_str(text),
    }
}

/// The deepest nesting that a body may have.
const MAX_DEPTH: usize = 16;
/// The most elements that one array in a body may have.
const MAX_ITEMS: usize = 10_000;
/// The most members that one object in a body may have.
const MAX_MEMBERS: usize = 1_000;

/// The most values of all kinds that a body may have: each takes many times the memory of its text.
const MAX_VALUES: usize = 200_000;

/// Reads a body that has to be one JSON object.
///
/// # Errors
/// When the bytes are not UTF-8, not JSON, not an object, or exceed a limit (which names the field).
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>> {
    match value(bytes)? {
        Value::Object(map) => Ok(map),
        other => Err(Error::BadRequest(format!("the body must be a JSON object, not {}", kind(&other)))),
    }
}

/// Reads a body that may be any JSON value.
///
/// # Errors
/// As [`object`], except that the outermost value may be anything.
pub fn value(bytes: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(bytes).map_err(|error| invalid_utf8(bytes, error.valid_up_to()))?;
    let refused = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let left = Cell::new(MAX_VALUES);
    let read = Limited { path: String::new(), depth: 0, left: &left, refused: &refused }.deserialize(&mut deserializer);
    let read = read.and_then(|value| deserializer.end().map(|()| value));
    match (refused.into_inner(), read) {
        (Some(field), _) => Err(Error::Invalid(vec![field])),
        (None, Ok(value)) => Ok(value),
        (None, Err(error)) => Err(Error::BadRequest(format!("the body is not valid JSON: {error}"))),
    }
}

/// The kind of a value in words, with its article.
#[must_use]
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Names the field that holds the bad byte: the nearest key before it.
fn invalid_utf8(bytes: &[u8], at: usize) -> Error {
    let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or_default()).into_owned();
    let parts: Vec<&str> = before.split('"').collect();
    let key = parts.windows(2).rev().find(|pair| pair[1].trim_start().starts_with(':')).map(|pair| pair[0]);
    match key {
        Some(key) => Error::field(key, "must be valid UTF-8"),
        None => Error::BadRequest("the body is not valid UTF-8".to_owned()),
    }
}

struct Limited<'a> {
    path: String,
    depth: usize,
    left: &'a Cell<usize>,
    refused: &'a RefCell<Option<FieldError>>,
}

impl Limited<'_> {
    fn refuse<T, E: serde::de::Error>(&self, field: &str, message: String) -> Result<T, E> {
        let field = if field.is_empty() { "body" } else { field }.to_owned();
        *self.refused.borrow_mut() = Some(FieldError { field, message });
        Err(E::custom("refused"))
    }

    fn inner(&self, path: String) -> Limited<'_> {
        Limited { path, depth: self.depth + 1, left: self.left, refused: self.refused }
    }

    fn text<E: serde::de::Error>(&self, text: String) -> Result<Value, E> {
        if text.contains('\0') {
            return self.refuse(&self.path, "must not contain a NUL character".to_owned());
        }
        Ok(Value::String(text))
    }

    fn check_depth<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth < MAX_DEPTH {
            return Ok(());
        }
        let outermost = self.path.split(['.', '[']).next().unwrap_or_default();
        self.refuse(outermost, format!("must not be nested deeper than {MAX_DEPTH} levels"))
    }
}

impl<'de> DeserializeSeed<'de> for Limited<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Some(left) = self.left.get().checked_sub(1) else {
            return self.refuse("", format!("must not have more than {MAX_VALUES} values"));
        };
        self.left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Limited<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.text(value.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        self.text(value)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.inner(format!("{}[{}]", self.path, array.len())))? {
            if array.len() >= MAX_ITEMS {
                return self.refuse(&self.path, format!("must not have more than {MAX_ITEMS} elements"));
            }
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            if name.contains('\0') {
                return self
                    .refuse(&name.replace('\0', "\u{fffd}"), "a field's name must not contain a NUL character".to_owned());
            }
            if map.contains_key(&name) {
                return self.refuse(&path, "is sent twice".to_owned());
            }
            if map.len() >= MAX_MEMBERS {
                return self.refuse(&self.path, format!("must not have more than {MAX_MEMBERS} members"));
            }
            let value = members.next_value_seed(self.inner(path))?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
