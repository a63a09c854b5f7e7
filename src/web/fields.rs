//! Reads what a write sends, field by field, and collects everything that is wrong with it.
//!
//! JSON and form posts become the same map, so a room states its rules once. Text is cleaned as at every door, and empty
//! text means "no value", as null does; a field that is not sent stays as it is.

use super::{
    bodies::{self, Received},
    form, json,
};
use crate::{
    config::suggest::nearest,
    error::{Error, FieldError, Result},
    types::{clean, decimal},
};
use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, Method, header},
};
use serde_json::{Map, Value};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

mod rules;
#[cfg(test)]
mod tests;

pub use rules::Field;

/// A body that takes long to read.
const LARGE: usize = 256 * 1024;

/// What a client sent for one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sent<T> {
    /// Nothing: leave it as it is.
    #[default]
    Absent,
    /// Null (or empty text): clear it.
    Null,
    /// This value.
    Value(T),
}

impl<T> Sent<T> {
    /// The value; neither "nothing" nor "clear it" has one.
    pub fn value(self) -> Option<T> {
        if let Self::Value(value) = self { Some(value) } else { None }
    }

    /// Whether the field was sent at all.
    pub fn is_sent(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// Puts what was sent into a place that may be empty.
    pub fn store(self, place: &mut Option<T>) {
        match self {
            Self::Absent => {}
            Self::Null => *place = None,
            Self::Value(value) => *place = Some(value),
        }
    }

    /// Puts a value that was sent into a place that always has one.
    pub fn store_value(self, place: &mut T) {
        if let Self::Value(value) = self {
            *place = value;
        }
    }

    /// The same with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sent<U> {
        match self {
            Self::Absent => Sent::Absent,
            Self::Null => Sent::Null,
            Self::Value(value) => Sent::Value(change(value)),
        }
    }
}

/// How a client names another record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// By its id: a whole number was sent.
    Id(i64),
    /// By its key, such as an account number: text was sent.
    Key(String),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Key(key) => f.write_str(key),
        }
    }
}

/// The fields of one write, and what has been found wrong with them so far.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// Shared while it is read twice: it may be as large as a body.
    map: Arc<Map<String, Value>>,
    aliases: Vec<(String, String)>,
    is_form: bool,
    creating: bool,
    errors: Vec<FieldError>,
    /// The names that were asked for, where somebody wants to know.
    asked: Option<Arc<Mutex<BTreeSet<String>>>>,
}

/// The names that a body has, and those that were asked for.
#[derive(Debug)]
pub struct Watch {
    map: Arc<Map<String, Value>>,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Watch {
    /// Refuses members that nobody has asked for: a limit or a filter that is misspelt must not count as none.
    /// `others` are read elsewhere.
    ///
    /// # Errors
    /// `Invalid`, naming each, with the nearest name that is known.
    pub fn refuse_unknown(&self, others: impl Fn(&str) -> bool) -> Result<()> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown = self.map.keys().filter(|name| !asked.contains(*name) && !others(name));
        let said = |name: &String| {
            let near = nearest(name, asked.iter().map(String::as_str));
            let maybe = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            FieldError { field: name.clone(), message: format!("there is no such field{maybe}") }
        };
        let wrong: Vec<FieldError> = unknown.map(said).collect();
        if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
    }
}

impl Fields {
    /// Fields that came from somewhere else than a request's body.
    #[must_use]
    pub fn new(map: Map<String, Value>) -> Self {
        Self { map: Arc::new(map), ..Self::default() }
    }

    /// Reads with `read` what is to change of a record. What today's rules refuse but what stands in the record just
    /// as it was sent is left out: who sends back what they were shown changes nothing. `stands` tells the record as
    /// the caller sees it, and is asked only then.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn of_record<T>(self, read: fn(Self, bool) -> Result<T>, stands: impl Future<Output = Result<Value>>) -> Result<T> {
        let mut again = self.clone();
        let refused = match read(self, false) {
            Err(Error::Invalid(refused)) => refused,
            other => return other,
        };
        let stands = stands.await?;
        let as_it_stands = |field: &str| again.map.get(field).is_some_and(|sent| stands.get(field) == Some(sent));
        let left_out: Vec<_> = refused.into_iter().map(|error| error.field).filter(|field| as_it_stands(field)).collect();
        if !left_out.is_empty() {
            let map = Arc::make_mut(&mut again.map);
            left_out.iter().for_each(|field| drop(map.remove(field)));
        }
        read(again, false)
    }

    /// Fields of a browser's form: every value is text.
    #[must_use]
    pub fn from_form(map: Map<String, Value>) -> Self {
        Self { map: Arc::new(map), is_form: true, ..Self::default() }
    }

    /// Whether a browser's form sent them.
    #[must_use]
    pub fn is_form(&self) -> bool {
        self.is_form
    }

    /// Whether required fields must be sent (a `POST` starts so) or only must not be emptied.
    pub fn set_creating(&mut self, creating: bool) {
        self.creating = creating;
    }

    /// Whether a field was sent.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Notes from now on which names are asked for, also of copies.
    pub fn watch(&mut self) -> Watch {
        let asked = Arc::clone(self.asked.get_or_insert_default());
        Watch { map: Arc::clone(&self.map), asked }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        if let Some(asked) = &self.asked {
            let others = self.aliases.iter().filter(|(known, _)| known == name).map(|(_, other)| other.clone());
            asked.lock().unwrap_or_else(PoisonError::into_inner).extend(others.chain([name.to_owned()]));
        }
        self.map.get(name).or_else(|| {
            let alias = self.aliases.iter().find(|(known, other)| known == name && self.map.contains_key(other));
            alias.and_then(|(_, other)| self.map.get(other))
        })
    }

    /// What was sent, as it was sent.
    #[must_use]
    pub fn map(&self) -> &Map<String, Value> {
        &self.map
    }

    /// Accepts a second name for a field; the first one wins when both are sent.
    pub fn alias(&mut self, name: &str, other: &str) {
        self.aliases.push((name.to_owned(), other.to_owned()));
    }

    /// Notes that a field is wrong.
    pub fn refuse(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError { field: field.into(), message: message.into() });
    }

    /// Nothing, or everything that was wrong.
    ///
    /// # Errors
    /// With all wrong fields.
    pub fn finish(self) -> Result<()> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::Invalid(self.errors)) }
    }

    /// A text; a number becomes its digits (contract §1.10: `managed_users: 5`).
    pub fn text(&mut self, name: &str) -> Field<'_, String> {
        self.read(name, |value, _| text_of_item(value))
    }

    /// A text as it was sent, blanks at its ends included; nothing for what is no text.
    #[must_use]
    pub fn raw_text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A key that old clients send as text or as a number, such as `company_id`.
    pub fn key(&mut self, name: &str) -> Field<'_, String> {
        self.read(name, |value, _| key_of(value))
    }

    /// A reference to a record, such as `parent_id`: a whole number is its id, text its key.
    pub fn reference(&mut self, name: &str) -> Field<'_, Reference> {
        self.read(name, |value, _| reference_of(value))
    }

    /// A whole number, also as text; empty text means "no value".
    pub fn int(&mut self, name: &str) -> Field<'_, i64> {
        self.read(name, |value, _| int_of(value))
    }

    /// A number with at most so many decimals, in its smallest parts; also as text, and empty text means "no value".
    pub fn decimal(&mut self, name: &str, places: u32) -> Field<'_, i64> {
        self.read(name, |value, _| decimal_of(value, places))
    }

    /// True or false; in a form also `on`, `1`, `yes` and their opposites.
    pub fn bool(&mut self, name: &str) -> Field<'_, bool> {
        self.read(name, |value, is_form| match value {
            Value::Bool(value) => Ok(Sent::Value(*value)),
            Value::String(text) if is_form => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "on" | "1" | "yes" => Ok(Sent::Value(true)),
                "false" | "off" | "0" | "no" | "" => Ok(Sent::Value(false)),
                _ => Err("must be true or false".to_owned()),
            },
            other => Err(format!("must be true or false, not {}", json::kind(other))),
        })
    }

    /// A list of texts: an array, an array encoded as text, or text with commas or line ends.
    pub fn text_list(&mut self, name: &str) -> Field<'_, Vec<String>> {
        self.read(name, |value, _| list_of(value, "text", text_of_item, false))
    }

    /// A list of keys, each text or a number.
    pub fn key_list(&mut self, name: &str) -> Field<'_, Vec<String>> {
        self.read(name, |value, is_form| list_of(value, "account numbers", key_of, is_form))
    }

    /// A list of whole numbers.
    pub fn int_list(&mut self, name: &str) -> Field<'_, Vec<i64>> {
        self.read(name, |value, is_form| list_of(value, "whole numbers", int_of, is_form))
    }

    /// A list of anything, for the room to read on with [`Fields::new`].
    pub fn array(&mut self, name: &str) -> Field<'_, Vec<Value>> {
        self.read(name, |value, _| match value {
            Value::Array(items) => Ok(Sent::Value(items.clone())),
            other => Err(format!("must be an array, not {}", json::kind(other))),
        })
    }

    /// An object.
    pub fn object(&mut self, name: &str) -> Field<'_, Map<String, Value>> {
        self.read(name, |value, _| match value {
            Value::Object(map) => Ok(Sent::Value(map.clone())),
            other => Err(format!("must be an object, not {}", json::kind(other))),
        })
    }

    fn read<T>(&mut self, name: &str, read: impl FnOnce(&Value, bool) -> Result<Sent<T>, String>) -> Field<'_, T> {
        let sent = match self.get(name) {
            None => Ok(Sent::Absent),
            Some(Value::Null) => Ok(Sent::Null),
            Some(value) => read(value, self.is_form),
        };
        Field::new(self, name, sent)
    }
}

fn text_of(text: &str) -> Result<Sent<String>, String> {
    if text.contains('\0') {
        return Err("must not contain a NUL character".to_owned());
    }
    let text = clean(text);
    Ok(if text.is_empty() { Sent::Null } else { Sent::Value(text) })
}

fn text_of_item(item: &Value) -> Result<Sent<String>, String> {
    match item {
        Value::String(text) => text_of(text),
        Value::Number(number) => Ok(Sent::Value(number.to_string())),
        other => Err(format!("must be text, not {}", json::kind(other))),
    }
}

fn key_of(value: &Value) -> Result<Sent<String>, String> {
    match value {
        Value::String(text) => text_of(text),
        Value::Number(number) if number.is_i64() => Ok(Sent::Value(number.to_string())),
        other => Err(format!("must be text or a whole number, not {}", json::kind(other))),
    }
}

fn reference_of(value: &Value) -> Result<Sent<Reference>, String> {
    match value {
        Value::String(text) => text_of(text).map(|sent| sent.map(Reference::Key)),
        Value::Number(number) => {
            whole(number).map(|id| Sent::Value(Reference::Id(id))).ok_or_else(|| "must be a whole number".to_owned())
        }
        other => Err(format!("must be text or a whole number, not {}", json::kind(other))),
    }
}

/// A whole number; JSON does not tell 5 and 5.0 apart.
fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| number.as_f64().filter(|real| real.fract() == 0.0).and_then(|real| format!("{real}").parse().ok()))
}

fn int_of(value: &Value) -> Result<Sent<i64>, String> {
    match value {
        Value::Number(number) => whole(number).map(Sent::Value).ok_or_else(|| "must be a whole number".to_owned()),
        Value::String(text) if text.trim().is_empty() => Ok(Sent::Null),
        Value::String(text) => text.trim().parse().map(Sent::Value).map_err(|_| "must be a whole number".to_owned()),
        other => Err(format!("must be a whole number, not {}", json::kind(other))),
    }
}

fn decimal_of(value: &Value, places: u32) -> Result<Sent<i64>, String> {
    match value {
        // Never with an exponent, as JSON may have it.
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => decimal::read(&whole.to_string(), places).map(Sent::Value),
            (None, Some(real)) => decimal::read(&format!("{real}"), places).map(Sent::Value),
            (None, None) => Err("must be a number".to_owned()),
        },
        Value::String(text) if text.trim().is_empty() => Ok(Sent::Null),
        Value::String(text) => decimal::read(text, places).map(Sent::Value),
        other => Err(format!("must be a number, not {}", json::kind(other))),
    }
}

fn list_of<T>(
    value: &Value,
    what: &str,
    read: impl Fn(&Value) -> Result<Sent<T>, String>,
    is_form: bool,
) -> Result<Sent<Vec<T>>, String> {
    let parsed;
    let items = match value {
        Value::Array(items) => items,
        Value::String(text) if text.trim_start().starts_with('[') => {
            parsed = json::value(text.as_bytes());
            let Ok(Value::Array(items)) = &parsed else { return Err(format!("must be an array of {what}")) };
            items
        }
        Value::String(text) if is_form || what == "text" => {
            parsed = Ok(text.split([',', '\n']).map(|item| Value::String(item.to_owned())).collect());
            let Ok(Value::Array(items)) = &parsed else { return Err(format!("must be an array of {what}")) };
            items
        }
        other => return Err(format!("must be an array of {what}, not {}", json::kind(other))),
    };
    let mut list = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match read(item) {
            Ok(sent) => list.extend(sent.value()),
            Err(why) => return Err(format!("element {index} {why}")),
        }
    }
    Ok(Sent::Value(list))
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Error;

    async fn from_request(request: Request, _state: &S) -> Result<Self> {
        let is_form = is_form(request.headers())?;
        let creating = request.method() == Method::POST;
        match body(request, is_form).await? {
            Value::Object(map) => Ok(Self { map: Arc::new(map), is_form, creating, ..Self::default() }),
            other => Err(no_object(&other)),
        }
    }
}

/// What is posted to a list: one record, or an array of them.
#[derive(Clone, Debug)]
pub enum OneOrMany {
    One(Fields),
    Many(Vec<Fields>),
}

impl<S: Send + Sync> FromRequest<S> for OneOrMany {
    type Rejection = Error;

    async fn from_request(request: Request, _state: &S) -> Result<Self> {
        let is_form = is_form(request.headers())?;
        let fields = |map| Fields { map: Arc::new(map), is_form, creating: true, ..Fields::default() };
        let items = match body(request, is_form).await? {
            Value::Object(map) => return Ok(Self::One(fields(map))),
            Value::Array(items) => items,
            other => return Err(no_object(&other)),
        };
        let (mut many, mut wrong) = (Vec::with_capacity(items.len()), Vec::new());
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Value::Object(map) => many.push(fields(map)),
                other => {
                    let message = format!("must be an object, not {}", json::kind(&other));
                    wrong.push(FieldError { field: format!("[{index}]"), message });
                }
            }
        }
        if wrong.is_empty() { Ok(Self::Many(many)) } else { Err(Error::Invalid(wrong)) }
    }
}

fn no_object(sent: &Value) -> Error {
    Error::BadRequest(format!("the body must be a JSON object, not {}", json::kind(sent)))
}

/// Reads a body; one that is empty is an object without members.
async fn body(request: Request, is_form: bool) -> Result<Value> {
    let body = bodies::read(request).await?;
    match body.len() {
        0 => Ok(Value::Object(Map::new())),
        1..LARGE => parsed(body, is_form),
        _ => parsed_of_large(body, is_form).await,
    }
}

fn parsed(body: Received, is_form: bool) -> Result<Value> {
    let body = body.whole();
    if is_form { form::object(&body).map(Value::Object) } else { json::value(&body) }
}

/// The same on a thread of its own, which ends then: nobody waits for it, and what others free of its memory is free.
async fn parsed_of_large(body: Received, is_form: bool) -> Result<Value> {
    let (done, parsed_of) = tokio::sync::oneshot::channel();
    let work = move || drop(done.send(parsed(body, is_form)));
    thread::Builder::new().name("body".to_owned()).spawn(work).map_err(Error::internal)?;
    parsed_of.await.map_err(Error::internal)?
}

/// Whether the body is a form (true) or JSON (false); a body without a type counts as JSON.
fn is_form(headers: &HeaderMap) -> Result<bool> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(false) };
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let essence = text.split(';').next().unwrap_or_default().trim();
    match essence {
        "application/x-www-form-urlencoded" => Ok(true),
        "application/json" | "application/merge-patch+json" => Ok(false),
        _ => Err(Error::UnsupportedMedia(
            "the body must be application/json (or a form); its Content-Type says otherwise".to_owned(),
        )),
    }
}
