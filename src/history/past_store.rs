//! What rows were at an earlier moment: what has changed since then, taken away from what is there now.
//!
//! A moment stands for the state just before it: what happened in that very second has not happened yet. Who wants the state
//! at the end of a second asks about the moment [`after`] it.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value as Json;

use super::{
    Unredacted,
    feed_store::{self as feed, Change},
    record::Record,
    undo::cell,
};
use crate::{
    db::{Conn, Row, Value},
    error::{Error, Result},
    types::format_time,
};

/// A kind of record, and the fields of its changes that somebody asks about; one that ends in a colon stands for every field
/// that begins so.
pub type Watched = (&'static str, &'static [&'static str]);

/// When a row was retired is told by changes as a field of its own.
const RETIRED: &str = "retired_at";

/// What has changed since a moment, by row, the newest first.
#[derive(Debug, Default)]
pub struct Past {
    moment: String,
    changes: HashMap<(String, i64), Vec<Unredacted<Change>>>,
}

impl Past {
    /// What of these has changed since a moment.
    pub fn since(c: &mut Conn, moment: &str, watched: &[Watched]) -> Result<Self> {
        let mut past = Self { moment: moment.to_owned(), ..Self::default() };
        let mut params = vec![Value::from(moment)];
        params.extend(watched.iter().map(|(entity, _)| Value::from(*entity)));
        let kinds: Vec<String> = (2..=params.len()).map(|place| format!("?{place}")).collect();
        let sql = format!(
            "SELECT {} FROM changes WHERE at >= ?1 AND entity IN ({}) ORDER BY seq DESC",
            feed::COLUMNS,
            kinds.join(", ")
        );
        c.each(&sql, &params, |row| {
            let mut change = feed::change(&row)?.reveal();
            let fields = watched.iter().find(|(entity, _)| *entity == change.entity).map_or(&[][..], |(_, fields)| fields);
            let is_asked = |field: &str| {
                field == RETIRED || fields.iter().any(|name| *name == field || name.ends_with(':') && field.starts_with(name))
            };
            if let Json::Object(map) = &mut change.fields {
                map.retain(|field, _| is_asked(field));
            }
            if change.action == "create" || change.fields.as_object().is_some_and(|map| !map.is_empty()) {
                past.changes.entry((change.entity.clone(), change.entity_id)).or_default().push(Unredacted::new(change));
            }
            Ok(())
        })?;
        Ok(past)
    }

    /// The changes of a row, the newest first.
    pub fn of(&self, entity: &str, id: i64) -> impl Iterator<Item = &Unredacted<Change>> {
        self.changes.get(&(entity.to_owned(), id)).into_iter().flatten()
    }

    /// The rows of a kind that have changed.
    #[must_use]
    pub fn ids(&self, entity: &str) -> Vec<i64> {
        self.changes.keys().filter(|(kind, _)| kind == entity).map(|(_, id)| *id).collect()
    }

    /// The rows of a kind of which a field had such a value before one of its changes.
    pub fn had(&self, entity: &str, is_it: impl Fn(&str, &Json) -> bool) -> Vec<i64> {
        let mut found = BTreeSet::new();
        for ((kind, id), changes) in &self.changes {
            let fields = |change: &Unredacted<Change>| {
                let map = change.inside().fields.as_object();
                map.is_some_and(|map| map.iter().any(|(field, sides)| is_it(field, &sides["old"])))
            };
            if kind == entity && changes.iter().any(fields) {
                found.insert(*id);
            }
        }
        found.into_iter().collect()
    }

    /// The row as it was at the moment; none when it was made later.
    pub fn row<R: Record>(&self, now: R) -> Result<Option<R>> {
        if !self.moment.is_empty() && is_later(&now, &self.moment) {
            return Ok(None);
        }
        self.before(now, |_| false)
    }

    /// The row as it was before its newest changes, as far back as it takes until it is what is looked for, or to the moment;
    /// none when it was made in between.
    pub fn before<R: Record>(&self, now: R, is_it: impl Fn(&R) -> bool) -> Result<Option<R>> {
        let mut row = now;
        for change in self.of(R::ENTITY, row.id()) {
            if is_it(&row) {
                return Ok(Some(row));
            }
            if change.inside().action == "create" {
                return Ok(None);
            }
            row = without(row, change.inside())?;
        }
        Ok(Some(row))
    }

    /// The row as it was just before a later moment, or as it was made when that was later still.
    pub fn until<R: Record>(&self, now: R, moment: &str) -> Result<R> {
        let mut later = self.of(R::ENTITY, now.id()).take_while(|change| change.inside().at.as_str() >= moment);
        later.try_fold(now, |row, change| without(row, change.inside()))
    }

    /// The row as it was at the moment, or as it was made when that was later.
    pub fn first<R: Record>(&self, now: R) -> Result<R> {
        self.of(R::ENTITY, now.id()).try_fold(now, |row, change| without(row, change.inside()))
    }
}

/// Whether a row was made later than just before this moment.
fn is_later<R: Record>(row: &R, moment: &str) -> bool {
    row.created_at() >= moment
}

/// The moment after this one: times have whole seconds.
///
/// # Errors
/// When it is no time.
pub fn after(moment: &str) -> Result<String> {
    let at: jiff::Timestamp = moment.parse().map_err(Error::internal)?;
    at.checked_add(jiff::SignedDuration::from_secs(1)).map(format_time).map_err(Error::internal)
}

/// What a field of a row's changes held before each of them, since a moment and the newest first: what no column holds, as
/// whom a device is assigned to.
pub fn before(c: &mut Conn, (entity, id): (&str, i64), field: &str, moment: &str) -> Result<Vec<Json>> {
    let sql =
        format!("SELECT {} FROM changes WHERE entity = ?1 AND entity_id = ?2 AND at >= ?3 ORDER BY seq DESC", feed::COLUMNS);
    let mut found = Vec::new();
    for change in c.map(&sql, &[entity.into(), id.into(), moment.into()], feed::change)? {
        found.extend(change.reveal().fields.get(field).map(|sides| sides["old"].clone()));
    }
    Ok(found)
}

/// Rows, all of their kind or the one with this id, as they were at a moment, in their order and without those that were made
/// later. No more is held of history than the rows themselves.
pub fn rewound<R: Record>(c: &mut Conn, moment: &str, id: Option<i64>, rows: Vec<R>) -> Result<Vec<R>> {
    let places: HashMap<i64, usize> = rows.iter().enumerate().map(|(place, row)| (row.id(), place)).collect();
    let mut rows: Vec<Option<R>> = rows.into_iter().map(|row| Some(row).filter(|row| !is_later(row, moment))).collect();
    let own = if id.is_some() { "AND entity_id = ?3" } else { "" };
    let sql = format!("SELECT {} FROM changes WHERE entity = ?1 AND at >= ?2 {own} ORDER BY seq DESC", feed::COLUMNS);
    let params: Vec<Value> = [R::ENTITY.into(), moment.into()].into_iter().chain(id.map(Value::Int)).collect();
    c.each(&sql, &params, |found| {
        let change = feed::change(&found)?.reveal();
        let Some(row) = places.get(&change.entity_id).and_then(|place| rows.get_mut(*place)) else { return Ok(()) };
        *row = match row.take() {
            Some(_) if change.action == "create" => None,
            Some(now) => Some(without(now, &change)?),
            None => None,
        };
        Ok(())
    })?;
    Ok(rows.into_iter().flatten().collect())
}

/// A row as it was before a change; of what history does not hold, secrets, as it is now.
fn without<R: Record>(row: R, change: &Change) -> Result<R> {
    let (Json::Object(fields), "update" | "retire" | "restore") = (&change.fields, change.action.as_str()) else {
        return Ok(row);
    };
    let mut retired = Value::from(row.retired_at());
    let mut values = row.values();
    for (field, sides) in fields {
        // What history has given up, of somebody forgotten, tells nothing of what was.
        let is_empty = ["old", "new"].iter().all(|side| sides[side].is_null());
        let Some(old) = sides.get("old").filter(|_| !is_empty && !R::SECRETS.contains(&field.as_str())) else { continue };
        if field == RETIRED {
            retired = cell(old)?;
        } else if let Some(value) = R::COLUMNS.iter().position(|column| column == field).and_then(|at| values.get_mut(at)) {
            *value = cell(old)?;
        }
    }
    let mut cells = vec![Value::Int(row.id()), Value::Int(row.rev()), row.created_at().into(), row.updated_at().into(), retired];
    cells.extend(values);
    R::from_row(&Row::of(cells), 0)
}
