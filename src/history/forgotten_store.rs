//! Rows whose values history gives up, because whom they were about is forgotten: that, when and by whom they changed stays.

use serde_json::{Map, Value as Json, json};

use super::{Record, store};
use crate::{
    db::{Conn, Write},
    error::{Error, Result},
    params,
};

/// The action by which history tells of it. It stands in statements and is no parameter of theirs: only then is the index used
/// that has such changes alone.
pub const ACTION: &str = "forget";
/// What is said to whoever would bring it back.
pub const WHY: &str = "the person was forgotten: nothing is left that could be brought back";

/// Whether whom a row was about is forgotten.
pub fn is_forgotten(c: &mut Conn, entity: &str, id: i64) -> Result<bool> {
    let sql = format!("SELECT 1 FROM changes WHERE entity = ?1 AND entity_id = ?2 AND action = '{ACTION}' LIMIT 1");
    Ok(c.first(&sql, params![entity, id])?.is_some())
}

/// Every such row of a kind.
pub fn all(c: &mut Conn, entity: &str) -> Result<Vec<i64>> {
    let sql = format!("SELECT DISTINCT entity_id FROM changes WHERE entity = ?1 AND action = '{ACTION}'");
    c.map(&sql, params![entity], |row| row.get(0))
}

/// Refuses to bring such a row back, or to fill it again.
///
/// # Errors
/// `NotFound` for a row that the caller does not reach, `Conflict`.
pub fn refuse<R: Record>(c: &mut Conn, id: i64) -> Result<()> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM changes WHERE entity = ?2 AND entity_id = ?1 AND action = '{ACTION}')
         FROM @{} stored WHERE stored.id = ?1",
        R::TABLE
    );
    let found = c.first(&sql, params![id, R::ENTITY])?.ok_or(Error::NotFound { what: R::WHAT })?;
    if found.get(0)? { Err(Error::conflict(WHY)) } else { Ok(()) }
}

/// Says that whom a row was about is forgotten; once.
pub fn mark<R: Record>(w: &mut Write<'_>, id: i64) -> Result<()> {
    if is_forgotten(w, R::ENTITY, id)? { Ok(()) } else { store::record_link::<R>(w, id, ACTION, Map::new()) }
}

/// Both sides of every change of a row, of the fields that are `gone`.
pub fn sides(c: &mut Conn, entity: &str, id: i64, gone: impl Fn(&str) -> bool) -> Result<Vec<(String, Json)>> {
    let mut told = Vec::new();
    for (_, fields) in changes(c, entity, id)? {
        for (field, sides) in fields.into_iter().filter(|(field, _)| gone(field)) {
            let Json::Array(sides) = sides else { continue };
            told.extend(sides.into_iter().map(|side| (field.clone(), side)));
        }
    }
    Ok(told)
}

/// Empties both sides of those fields in every change of a row; how many changes that was.
pub fn empty(w: &mut Write<'_>, entity: &str, id: i64, gone: impl Fn(&str) -> bool) -> Result<u64> {
    let mut emptied = 0;
    for (seq, mut fields) in changes(w, entity, id)? {
        let nothing = json!([null, null]);
        let mut differs = false;
        for (_, sides) in fields.iter_mut().filter(|(field, sides)| gone(field) && sides.is_array() && **sides != nothing) {
            *sides = nothing.clone();
            differs = true;
        }
        if differs {
            w.run("UPDATE changes SET fields = ?2 WHERE seq = ?1", params![seq, Json::Object(fields).to_string()])?;
            emptied += 1;
        }
    }
    Ok(emptied)
}

fn changes(c: &mut Conn, entity: &str, id: i64) -> Result<Vec<(i64, Map<String, Json>)>> {
    let sql = "SELECT seq, fields FROM changes WHERE entity = ?1 AND entity_id = ?2 ORDER BY seq";
    c.map(sql, params![entity, id], |row| {
        Ok((row.get(0)?, serde_json::from_str(&row.get::<String>(1)?).map_err(Error::internal)?))
    })
}
