//! A value of a row as an answer has it, borrowed from the row.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::{db::Value, types::decimal};

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Real(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// JSON that is kept as text.
    Json(Cow<'a, str>),
}

impl Cell<'_> {
    /// Its text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Json(text) => Some(text),
            _ => None,
        }
    }

    /// The number whose smallest parts it counts.
    #[must_use]
    pub fn of_parts(self, places: u32) -> Self {
        match self {
            Self::Int(parts) => Self::Real(decimal::number(parts, places)),
            other => other,
        }
    }

    /// The same text as the JSON that it holds.
    #[must_use]
    pub fn embedded(self) -> Self {
        match self {
            Self::Text(text) => Self::Json(text),
            other => other,
        }
    }
}

impl From<Cell<'_>> for Value {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Bool(value) => Self::Bool(value),
            Cell::Int(value) => Self::Int(value),
            Cell::Real(value) => Self::Real(value),
            Cell::Text(text) | Cell::Json(text) => Self::Text(text.into_owned()),
        }
    }
}

macro_rules! cell_from {
    ($($from:ty => |$name:ident| $make:expr),* $(,)?) => {$(
        impl<'a> From<$from> for Cell<'a> {
            fn from($name: $from) -> Self { $make }
        }
    )*};
}

cell_from! {
    bool => |value| Self::Bool(value),
    i64 => |value| Self::Int(value),
    f64 => |value| Self::Real(value),
    String => |text| Self::Text(Cow::Owned(text)),
    &'a str => |text| Self::Text(Cow::Borrowed(text)),
    &'a String => |text| Self::Text(Cow::Borrowed(text)),
    Option<i64> => |value| value.map_or(Self::Null, Self::Int),
    Option<String> => |text| text.map_or(Self::Null, Self::from),
    Option<&'a str> => |text| text.map_or(Self::Null, Self::from),
    &'a Option<String> => |text| text.as_deref().into(),
    &'a Value => |value| match value {
        Value::Null => Self::Null,
        Value::Bool(value) => Self::Bool(*value),
        Value::Int(value) => Self::Int(*value),
        Value::Real(value) => Self::Real(*value),
        Value::Text(text) => Self::Text(Cow::Borrowed(text)),
        Value::Ids(_) => Self::Null,
    },
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Real(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            // What is no JSON is written as the text that it is.
            Self::Json(text) => match serde_json::from_str::<serde_json::Value>(text) {
                Ok(value) => value.serialize(serializer),
                Err(_) => serializer.serialize_str(text),
            },
        }
    }
}
