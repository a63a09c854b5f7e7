//! The typed edge over both drivers: parameters in, cells out.

use crate::error::{Error, Result};

/// A parameter or a cell. The only types Codex stores (design §4).
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// DOUBLE PRECISION.
    Real(f64),
    /// BOOLEAN (an integer 0 or 1 in SQLite).
    Bool(bool),
    /// TEXT.
    Text(String),
    /// A list of ids for `IN ids(?n)`; never stored.
    Ids(Vec<i64>),
}

macro_rules! value_from {
    ($($from:ty => |$name:ident| $make:expr),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from($name: $from) -> Self { $make }
        }
    )*};
}

value_from! {
    i64 => |v| Self::Int(v),
    i32 => |v| Self::Int(i64::from(v)),
    u32 => |v| Self::Int(i64::from(v)),
    f64 => |v| Self::Real(v),
    bool => |v| Self::Bool(v),
    String => |v| Self::Text(v),
    &String => |v| Self::Text(v.clone()),
    &str => |v| Self::Text(v.to_owned()),
    Vec<i64> => |v| Self::Ids(v),
    &i64 => |v| Self::Int(*v),
    &bool => |v| Self::Bool(*v),
    &f64 => |v| Self::Real(*v),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Clone + Into<Value>> From<&Option<T>> for Value {
    fn from(value: &Option<T>) -> Self {
        value.clone().map_or(Self::Null, Into::into)
    }
}

impl Value {
    /// The value as it appears in JSON (history, plans).
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Int(v) => (*v).into(),
            Self::Real(v) => (*v).into(),
            Self::Bool(v) => (*v).into(),
            Self::Text(v) => v.as_str().into(),
            Self::Ids(v) => v.clone().into(),
        }
    }
}

/// A Rust type that a cell can become.
pub trait FromValue: Sized {
    /// Converts, or says which type was met instead.
    fn from_value(value: &Value) -> Result<Self>;
}

fn mismatch<T>(wanted: &str, met: &Value) -> Result<T> {
    let met = match met {
        Value::Null => "null",
        Value::Int(_) => "an integer",
        Value::Real(_) => "a real",
        Value::Bool(_) => "a boolean",
        Value::Text(_) => "text",
        Value::Ids(_) => "a list",
    };
    Err(Error::Internal(format!("a column holds {met} where {wanted} was expected")))
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Result<Self> {
        match value {
            Value::Int(v) => Ok(*v),
            other => mismatch("an integer", other),
        }
    }
}

impl FromValue for f64 {
    fn from_value(value: &Value) -> Result<Self> {
        match value {
            Value::Real(v) => Ok(*v),
            #[expect(clippy::cast_precision_loss, reason = "SQLite stores a whole real as an integer")]
            Value::Int(v) => Ok(*v as Self),
            other => mismatch("a real", other),
        }
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Result<Self> {
        match value {
            Value::Bool(v) => Ok(*v),
            Value::Int(v) => Ok(*v != 0),
            other => mismatch("a boolean", other),
        }
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Result<Self> {
        match value {
            Value::Text(v) => Ok(v.clone()),
            other => mismatch("text", other),
        }
    }
}

/// Texts that are stored as a JSON array; none where the column is null.
impl FromValue for Vec<String> {
    fn from_value(value: &Value) -> Result<Self> {
        match value {
            Value::Null => Ok(Self::new()),
            Value::Text(text) => serde_json::from_str(text).map_err(Error::internal),
            other => mismatch("a list of texts", other),
        }
    }
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Result<Self> {
        Ok(value.clone())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Result<Self> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

/// One row of an answer; cells by position.
#[derive(Clone, Debug)]
pub struct Row(pub(super) Vec<Value>);

impl Row {
    /// A row of these cells, for records that are made of values instead of being read.
    #[must_use]
    pub fn of(cells: Vec<Value>) -> Self {
        Self(cells)
    }

    /// The cell at `index` as `T`.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T> {
        T::from_value(self.cell(index)?)
    }

    /// The cell as it came.
    ///
    /// # Errors
    /// `Internal` when there is none.
    pub fn cell(&self, index: usize) -> Result<&Value> {
        self.0.get(index).ok_or_else(|| Error::Internal(format!("the answer has no column {index}")))
    }

    /// How many cells the row has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the row has no cells at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Builds the parameter list of a statement: `params![id, name]`.
#[macro_export]
macro_rules! params {
    () => { &[] as &[$crate::db::Value] };
    ($($value:expr),+ $(,)?) => { &[$($crate::db::Value::from($value)),+] as &[$crate::db::Value] };
}
