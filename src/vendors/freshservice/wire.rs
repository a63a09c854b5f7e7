//! Freshservice's JSON, read without trust: any field may be missing, null or of another type.

use serde_json::{Map, Value};

/// The longest text that is taken over; anything above is cut and reported.
const LONGEST_TEXT: usize = 20_000;

/// Members that are words: a number there is taken as its digits, and reported.
const WORDS: [&str; 12] = [
    "name",
    "first_name",
    "last_name",
    "subject",
    "title",
    "description",
    "job_title",
    "hostname",
    "computer_name",
    "email",
    "primary_email",
    "head_name",
];

/// What a record says about one field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue<T> {
    /// Nothing, or nothing usable: what we have stays.
    Absent,
    /// It is empty.
    Empty,
    /// It is this.
    Value(T),
}

impl<T> FieldValue<T> {
    /// The value, if there is one.
    #[must_use]
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Empty => None,
        }
    }

    /// This, or the other when this is silent.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if matches!(self, Self::Absent) { other } else { self }
    }
}

/// One record, and the fields of it that could not be used.
pub struct Fields<'j> {
    record: &'j Map<String, Value>,
    ignored: Vec<String>,
    prefix: &'static str,
}

impl<'j> Fields<'j> {
    /// A reader over one record.
    #[must_use]
    pub fn new(record: &'j Map<String, Value>) -> Self {
        Self { record, ignored: Vec::new(), prefix: "" }
    }

    /// A reader over the record's custom fields (none when they are null or something else).
    #[must_use]
    pub fn custom(record: &'j Map<String, Value>, none: &'j Map<String, Value>) -> Self {
        let object = record.get("custom_fields").and_then(Value::as_object).unwrap_or(none);
        Self { record: object, ignored: Vec::new(), prefix: "custom_fields." }
    }

    /// The fields that were there but not usable, each with what it was.
    #[must_use]
    pub fn ignored(self) -> Vec<String> {
        self.ignored
    }

    /// Whether this field was read and found unusable.
    #[must_use]
    pub fn is_odd(&self, key: &str) -> bool {
        self.ignored.iter().any(|text| text.starts_with(&format!("{}{key} is ", self.prefix)))
    }

    fn odd<T>(&mut self, key: &str, found: &Value) -> FieldValue<T> {
        self.ignored.push(format!("{}{key} is {}", self.prefix, kind(found)));
        FieldValue::Absent
    }

    /// Text; numbers are taken as their digits (telephone numbers arrive as either).
    pub fn text(&mut self, key: &str) -> FieldValue<String> {
        match self.record.get(key) {
            None => FieldValue::Absent,
            Some(Value::Null) => FieldValue::Empty,
            Some(Value::String(text)) => self.clean(key, text),
            Some(Value::Number(number)) => {
                if self.prefix.is_empty() && WORDS.contains(&key) {
                    self.ignored.push(format!("{key} came as a number"));
                }
                FieldValue::Value(digits(number))
            }
            // Check boxes and choices of several.
            Some(Value::Array(list)) if !self.prefix.is_empty() && list.is_empty() => FieldValue::Empty,
            Some(other) if !self.prefix.is_empty() => self.clean(key, &other.to_string()),
            Some(other) => self.odd(key, other),
        }
    }

    /// As [`Fields::text`], where nothing but a text or a number will do.
    pub fn word(&mut self, key: &str) -> FieldValue<String> {
        match self.record.get(key) {
            Some(other @ (Value::Bool(_) | Value::Array(_) | Value::Object(_))) => self.odd(key, other),
            _ => self.text(key),
        }
    }

    fn clean(&mut self, key: &str, text: &str) -> FieldValue<String> {
        let mut plain = crate::types::clean(text);
        if plain.chars().count() > LONGEST_TEXT {
            self.ignored.push(format!("{}{key} is longer than {LONGEST_TEXT} characters and was cut", self.prefix));
            plain = plain.chars().take(LONGEST_TEXT).collect();
        }
        if plain.is_empty() { FieldValue::Empty } else { FieldValue::Value(plain) }
    }

    /// A boolean; the words and numbers that stand for one are accepted.
    pub fn flag(&mut self, key: &str) -> FieldValue<bool> {
        match self.record.get(key) {
            None => FieldValue::Absent,
            Some(Value::Null) => FieldValue::Empty,
            Some(Value::Bool(flag)) => FieldValue::Value(*flag),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => FieldValue::Value(true),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => FieldValue::Value(false),
            Some(other) => self.odd(key, other),
        }
    }

    /// An id, as its digits.
    pub fn id(&mut self, key: &str) -> FieldValue<String> {
        match self.record.get(key) {
            None => FieldValue::Absent,
            Some(Value::Null) => FieldValue::Empty,
            Some(other) => match id(other) {
                Some(id) => FieldValue::Value(id),
                None => self.odd(key, other),
            },
        }
    }

    /// A list of ids. Entries that are none are left out and reported.
    pub fn ids(&mut self, key: &str) -> FieldValue<Vec<String>> {
        self.list(key, id)
    }

    /// A list of texts. Entries that are none are left out and reported.
    pub fn texts(&mut self, key: &str) -> FieldValue<Vec<String>> {
        self.list(key, |value| match value {
            Value::String(text) => Some(one_line(text)).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(digits(number)),
            _ => None,
        })
    }

    fn list(&mut self, key: &str, read: impl Fn(&Value) -> Option<String>) -> FieldValue<Vec<String>> {
        match self.record.get(key) {
            None => FieldValue::Absent,
            Some(Value::Null) => FieldValue::Empty,
            Some(Value::Array(entries)) => {
                let usable: Vec<String> = entries.iter().filter_map(read).collect();
                if usable.len() < entries.len() {
                    self.ignored.push(format!("{}{key} has {} unusable entries", self.prefix, entries.len() - usable.len()));
                }
                if usable.is_empty() && !entries.is_empty() { FieldValue::Absent } else { FieldValue::Value(usable) }
            }
            Some(other) => self.odd(key, other),
        }
    }
}

fn one_line(text: &str) -> String {
    crate::types::clean(text).chars().filter(|c| !c.is_control()).collect()
}

/// A vendor id as its digits: a positive 64-bit integer, as a number or as text. Never through a float.
#[must_use]
pub fn id(value: &Value) -> Option<String> {
    let number = match value {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => text.trim().parse::<u64>().ok()?,
        _ => return None,
    };
    (number > 0 && i64::try_from(number).is_ok()).then(|| number.to_string())
}

/// The digits of a number; 204729.0 is 204729.
fn digits(number: &serde_json::Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "an unusable number",
        Value::String(_) => "an unusable text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &Value) -> &Map<String, Value> {
        value.as_object().unwrap()
    }

    #[test]
    fn ids_keep_every_digit() {
        assert_eq!(id(&json!(9_007_199_254_740_993_u64)).as_deref(), Some("9007199254740993"));
        assert_eq!(id(&json!(i64::MAX)).as_deref(), Some("9223372036854775807"));
        assert_eq!(id(&json!(" 0042 ")).as_deref(), Some("42"));
        for bad in
            [json!(0), json!(-3), json!(1.5), json!(1e300), json!(u64::MAX), json!("x"), json!(null), json!([1]), json!(true)]
        {
            assert_eq!(id(&bad), None, "{bad}");
        }
    }

    #[test]
    fn every_type_in_every_field_is_survived_and_reported() {
        for odd in [json!([]), json!({}), json!(true)] {
            let record = json!({ "name": odd });
            let mut fields = Fields::new(object(&record));
            assert_eq!(fields.text("name"), FieldValue::Absent);
            assert_eq!(fields.ignored().len(), 1);
        }
        let record =
            json!({ "a": null, "b": " x\u{0}y ", "c": 15_551_234, "d": "", "e": ["1", null, 2, {}], "f": "TRUE", "g": 3 });
        let mut fields = Fields::new(object(&record));
        assert_eq!(fields.text("a"), FieldValue::Empty);
        assert_eq!(fields.text("b"), FieldValue::Value("xy".to_owned()));
        assert_eq!(fields.text("c"), FieldValue::Value("15551234".to_owned()));
        assert_eq!(fields.text("d"), FieldValue::Empty);
        assert_eq!(fields.text("missing"), FieldValue::Absent);
        assert_eq!(fields.ids("e"), FieldValue::Value(vec!["1".to_owned(), "2".to_owned()]));
        assert_eq!(fields.flag("f"), FieldValue::Value(true));
        assert_eq!(fields.flag("g"), FieldValue::Absent);
        assert_eq!(fields.ignored(), ["e has 2 unusable entries", "g is an unusable number"]);
    }

    #[test]
    fn custom_fields_may_be_anything() {
        let none = Map::new();
        for odd in [json!(null), json!([1]), json!("x")] {
            let record = json!({ "custom_fields": odd });
            assert_eq!(Fields::custom(object(&record), &none).text("account_number"), FieldValue::Absent);
        }
        let record = json!({ "custom_fields": { "account_number": 204_729.0 } });
        assert_eq!(Fields::custom(object(&record), &none).text("account_number"), FieldValue::Value("204729".to_owned()));
    }
}
