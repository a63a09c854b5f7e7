//! What is kept beside rows of any kind in rooms that no list knows: values of fields that administrators have added, and tags.
//! Who keeps it is said where rooms are joined.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use serde_json::{Map, Value as Json};

use super::{Condition, ListSpec};
use crate::{db::Conn, error::Result};

/// The parameter that asks for rows with a tag.
pub const TAG: &str = "tag";
/// What names of added fields begin with.
pub const PREFIX: &str = "cf.";

/// The member with all of a row's added fields.
pub const OWN: &str = "cf";
/// The member under which they are answered, too: beside those of the vendors, where a record has such.
pub const CUSTOM: &str = "custom_fields";

/// The key of the added field that a parameter or a column names: `cf.door_code`, or `custom_fields.door_code`.
#[must_use]
pub fn key_of(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX).or_else(|| name.strip_prefix(CUSTOM)?.strip_prefix('.'))
}

/// Whether a parameter or a column is about what is kept beside rows.
#[must_use]
pub fn is_beside(name: &str) -> bool {
    name == TAG || key_of(name).is_some()
}

/// Puts what is kept beside a record into it. Where vendors have custom fields of their own, theirs stand.
pub fn put(record: &mut Map<String, Json>, kept: Map<String, Json>) {
    let own = kept.get(OWN).cloned();
    record.extend(kept);
    match (record.get_mut(CUSTOM), own) {
        (_, None) => {}
        (None, Some(own)) => drop(record.insert(CUSTOM.to_owned(), own)),
        (Some(Json::Object(vendors)), Some(Json::Object(own))) => {
            for (key, value) in own {
                vendors.entry(key).or_insert(value);
            }
        }
        (Some(stands), Some(own)) if stands.is_null() => *stands = own,
        (Some(_), Some(_)) => {}
    }
}

/// How the values of a column are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Plain words.
    Text,
    /// A day.
    Day,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// An address on the web.
    Link,
    /// The record's tags.
    Tags,
}

/// A column of a list that is kept beside its rows.
#[derive(Clone, Debug)]
pub struct Column {
    /// `cf.door_code`, or `tags`.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// How its values are shown.
    pub shows: Shows,
    /// What it can be, where that is one of a few: what is sent.
    pub choices: Vec<String>,
}

/// What is kept beside one row.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// As an answer has it: `cf` and `tags`.
    pub json: Map<String, Json>,
    /// The tags with their colours.
    pub tags: Vec<(String, String)>,
    /// The kind of the row, when it is protected and this tells of it: that it is read is noted.
    pub protected: Option<&'static str>,
}

/// Who keeps something beside rows.
pub trait Beside: Sync {
    /// Whether anything can be kept beside rows of this kind.
    fn takes(&self, entity: &str) -> bool;

    /// The columns of what is kept beside rows of this kind; none when nothing is.
    fn columns(&self, c: &mut Conn, entity: &str) -> Result<Vec<Column>>;

    /// A filter, as its parameter asks for it, for rows with this key.
    ///
    /// # Errors
    /// `Invalid`, naming the parameter; `Forbidden` for those whom it would tell what they may not see.
    fn condition(&self, c: &mut Conn, of: Rows, name: &str, value: &str) -> Result<Condition>;

    /// What rows are ordered by.
    ///
    /// # Errors
    /// As [`Beside::condition`].
    fn order(&self, c: &mut Conn, of: Rows, name: &str) -> Result<String>;

    /// What is kept beside the rows with these ids, as far as this reader may see it.
    fn members(&self, c: &mut Conn, entity: &'static str, ids: &[i64], reader: &Reader) -> Result<HashMap<i64, Members>>;
}

/// A text as some reader may see it.
#[derive(Clone)]
pub struct Strike {
    key: String,
    shown: Arc<dyn Fn(&str) -> String + Send + Sync>,
}

impl Strike {
    /// What this makes of a text; `key` tells it from others in keys of caches.
    pub fn new(key: String, shown: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self { key, shown: Arc::new(shown) }
    }
}

impl std::fmt::Debug for Strike {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.key)
    }
}

/// Who reads what is kept beside rows.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// Whether they may see everything of every row.
    pub sees_all: bool,
    /// What is struck from texts for them, if anything is.
    pub strike: Option<Strike>,
}

impl Reader {
    /// A text as they may see it.
    #[must_use]
    pub fn shown(&self, text: String) -> String {
        match &self.strike {
            Some(strike) => (strike.shown)(&text),
            None => text,
        }
    }
}

static STRIKE: OnceLock<fn() -> Option<Strike>> = OnceLock::new();

/// Says what is struck from texts in the request that a task answers; the first call counts.
pub fn register_strike(strike: fn() -> Option<Strike>) {
    STRIKE.get_or_init(|| strike);
}

/// What is struck from texts in the request that this task answers.
#[must_use]
pub fn strike() -> Option<Strike> {
    STRIKE.get().and_then(|strike| strike())
}

/// The rows of a list, and who asks.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// Their kind.
    pub entity: &'static str,
    /// The expression of their ids.
    pub key: &'static str,
    /// Whether the asker may see everything of every row.
    pub sees_all: bool,
}

static KEEPER: OnceLock<&'static dyn Beside> = OnceLock::new();

/// Says who keeps it, before any list is asked; the first call counts.
pub fn register(keeper: &'static dyn Beside) {
    KEEPER.get_or_init(|| keeper);
}

/// Who keeps something beside the rows of a list.
#[must_use]
pub fn of(spec: &ListSpec) -> Option<&'static dyn Beside> {
    let entity = spec.entities.first()?;
    KEEPER.get().copied().filter(|keeper| keeper.takes(entity))
}

#[derive(Debug, Default)]
struct Inner {
    columns: Vec<Column>,
    rows: HashMap<i64, Members>,
}

/// What was kept beside the rows that a question has found: the list fills it, and whoever writes the rows takes it.
#[derive(Clone, Debug, Default)]
pub struct Gathered(Arc<Mutex<Inner>>);

impl Gathered {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The columns there are.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        self.inner().columns.clone()
    }

    /// Whether there are any.
    #[must_use]
    pub fn is_used(&self) -> bool {
        !self.inner().columns.is_empty()
    }

    /// Says which columns there are.
    pub fn begin(&self, columns: Vec<Column>) {
        self.inner().columns = columns;
    }

    /// Keeps what stands beside some rows.
    pub fn add(&self, rows: HashMap<i64, Members>) {
        self.inner().rows.extend(rows);
    }

    /// What stands beside a row.
    #[must_use]
    pub fn take(&self, id: i64) -> Members {
        self.inner().rows.remove(&id).unwrap_or_default()
    }
}
