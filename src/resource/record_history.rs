//! What a record's page shows of its history, and where each value came from. Who reads it is said where rooms
//! are joined: the words come from rooms that no record knows.

use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
};

use super::values::shown;
use crate::{
    compliance::RedactionPolicy,
    db::Conn,
    entity::{Field, Fielded, Stands},
    error::{Error, Result},
    ui::{Event, Item, Page, Source, Timeline, Value},
};

/// A record's history, read in one go.
#[derive(Clone, Debug, Default)]
pub struct RecordHistory {
    /// What happened, newest first, and the number of the change where it can be taken back.
    pub events: Vec<(Event, Option<i64>)>,
    /// Where values came from, by column, where that is worth a mark.
    pub sources: HashMap<String, FieldOrigin>,
    /// Before which moment history was removed, when part of this one was.
    pub kept_since: Option<String>,
}

/// Where a value came from.
#[derive(Clone, Debug)]
pub struct FieldOrigin {
    /// It, without the addresses that a page has.
    pub source: Source,
    /// Whether it can be written to the vendor.
    pub can_be_pushed: bool,
}

/// Reads the history of a record, by its noun and id.
pub type Read = fn(&mut Conn, &str, i64, &RedactionPolicy) -> Result<RecordHistory>;

static READ: OnceLock<Read> = OnceLock::new();

/// Says who reads it, before any page is shown; the first call counts.
pub fn register(read: Read) {
    READ.get_or_init(|| read);
}

impl RecordHistory {
    /// Reads it.
    pub fn read(c: &mut Conn, entity: &str, id: i64, policy: &RedactionPolicy) -> Result<Self> {
        let read = READ.get().ok_or_else(|| Error::internal("nobody has said yet who reads histories"))?;
        read(c, entity, id, policy)
    }

    /// The history card.
    #[must_use]
    pub fn timeline(&self, page: &Page) -> Timeline {
        let events = self.events.iter().map(|(event, seq)| {
            let undo = seq.filter(|_| page.may_write()).map(|seq| page.url(&format!("/records/changes/{seq}/undo")));
            let batch = event.batch.filter(|_| page.may_write());
            let undo_all = batch.map(|batch| page.url(&format!("/records/batches/{batch}/undo")));
            Event { undo, undo_all, ..event.clone() }
        });
        Timeline { events: events.collect(), more: None, kept_since: self.kept_since.clone() }
    }

    fn source(&self, page: &Page, action: &str, field: &str) -> Option<Source> {
        let FieldOrigin { source, can_be_pushed } = self.sources.get(field)?;
        let may = page.may_write();
        let push = || page.url(&format!("{}/push", action.trim_end_matches("/pin")));
        Some(Source { action: may.then(|| page.url(action)), push: (may && *can_be_pushed).then(push), ..source.clone() })
    }
}

/// The values of one detail page, each with its source for those who may know it.
pub struct Facts<'a> {
    /// The page.
    pub page: &'a Page,
    /// Where pins are posted.
    pub action: String,
    /// The record's history; a client is not told.
    pub past: &'a RecordHistory,
}

impl Facts<'_> {
    /// A value under its label; `field` is its column.
    #[must_use]
    pub fn item(&self, label: &'static str, field: &str, value: Value) -> Item {
        let known = !matches!(value, Value::None);
        let source = (known && self.page.is_staff()).then(|| self.past.source(self.page, &self.action, field)).flatten();
        Item::new(label, value).from(source)
    }

    /// The fields under a heading of a table; those in `own` are shown otherwise than their kind says.
    #[must_use]
    pub fn section<P: Fielded>(&self, row: &P, title: &str, own: Vec<(&'static str, Value)>) -> Vec<Item> {
        let mut own: BTreeMap<&str, Value> = own.into_iter().collect();
        let item = |field: &Field<P>| {
            let spec = &field.spec;
            let value = own.remove(spec.column).unwrap_or_else(|| shown(spec, &(field.read)(row)));
            self.item(spec.label, spec.column, value)
        };
        P::section(title, Stands::InForm).map(item).collect()
    }
}
