//! Taking a change back: the inverse of it goes through the same path as every other write, and only as
//! far as nobody has changed the same thing since.

use serde_json::Value as Json;

use super::{Record, feed::Change, store};
use crate::{
    db::{Row, Value, Write},
    error::{Error, Result},
};

/// What became of a change that was to be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// It is taken back.
    Done,
    /// It is taken back but for a part that cannot be, for this reason.
    Except(String),
    /// There was nothing (left) to take back.
    Already,
    /// It stands, or part of it, for this reason.
    Refused(String),
}

/// Takes a change of a row's own columns back, or of its life.
///
/// # Errors
/// Those of the write; what cannot be undone is [`Undone::Refused`], not an error.
pub fn row<R: Record>(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    row_with::<R>(w, change, |_, _, _| Ok(()))
}

/// The same for a kind of row of which more follows: `before` is given the row as it is and as it is about to be.
///
/// # Errors
/// As [`row`], and those of `before`, after which nothing of the row is written.
pub fn row_with<R: Record>(
    w: &mut Write<'_>,
    change: &Change,
    before: impl FnOnce(&mut Write<'_>, &R, &R) -> Result<()>,
) -> Result<Undone> {
    let reason = format!("change {} undone", change.seq);
    let Some(now) = store::find::<R>(w, change.entity_id)? else {
        return Ok(Undone::Refused("the row is not there".to_owned()));
    };
    match (change.action.as_str(), now.retired_at().is_some()) {
        ("create" | "restore", true) | ("retire", false) => Ok(Undone::Already),
        ("create" | "restore", false) => store::retire::<R>(w, change.entity_id, Some(&reason)).map(|_| Undone::Done),
        ("retire", true) => store::restore::<R>(w, change.entity_id, Some(&reason)).map(|_| Undone::Done),
        ("update", _) => columns::<R>(w, &now, change, &reason, before),
        (other, _) => Ok(Undone::Refused(format!("{other:?} cannot be undone"))),
    }
}

fn columns<R: Record>(
    w: &mut Write<'_>,
    now: &R,
    change: &Change,
    reason: &str,
    before: impl FnOnce(&mut Write<'_>, &R, &R) -> Result<()>,
) -> Result<Undone> {
    let Json::Object(fields) = &change.fields else { return Ok(Undone::Already) };
    let mut values = now.values();
    let (mut back, mut since, mut secret) = (0, Vec::new(), Vec::new());
    for (field, sides) in fields {
        if R::SECRETS.contains(&field.as_str()) {
            secret.push(field.replace('_', " "));
            continue;
        }
        let Some(at) = R::COLUMNS.iter().position(|column| column == field) else {
            since.push(format!("{field} is no field of its own"));
            continue;
        };
        let (old, new) = (&sides["old"], &sides["new"]);
        let current = values[at].to_json();
        if current == *new {
            values[at] = cell(old)?;
            back += 1;
        } else if current != *old {
            since.push(format!("{field} has changed since"));
        }
    }
    if back > 0 {
        let mut cells = vec![Value::Int(now.id()), Value::Int(now.rev()), "".into(), "".into(), Value::Null];
        cells.extend(values);
        let wanted = R::from_row(&Row::of(cells), 0)?;
        before(w, now, &wanted)?;
        let taken = store::update::<R>(w, now.id(), None, Some(reason), |row| {
            *row = wanted;
            Ok(())
        });
        match taken {
            Ok(_) => {}
            Err(Error::Forbidden(why)) => return Ok(Undone::Refused(why)),
            Err(error) => return Err(error),
        }
    }
    if !since.is_empty() {
        return Ok(Undone::Refused(since.join("; ")));
    }
    // The vendor's present key is the one that works, and history does not hold the one before it.
    let stays = format!("{} stays as it is: history does not hold secrets", secret.join(" and "));
    Ok(match (back, secret.is_empty()) {
        (0, true) => Undone::Already,
        (0, false) => Undone::Refused(stays),
        (_, true) => Undone::Done,
        (_, false) => Undone::Except(stays),
    })
}

pub(super) fn cell(json: &Json) -> Result<Value> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(yes) => Value::Bool(*yes),
        Json::String(text) => Value::Text(text.clone()),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Real(number.as_f64().unwrap_or_default()),
        },
        Json::Array(_) | Json::Object(_) => return Err(Error::internal("a column's history holds no plain value")),
    })
}
