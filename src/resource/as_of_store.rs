//! What rebuilding the past reads beside history: the rows as they are now, and how far back history goes.

use std::collections::HashMap;

use crate::{db::Conn, entity::Entity, error::Result, params};

/// When the history of a kind of rows begins, as far as it is kept.
pub fn began(c: &mut Conn, entity: &str) -> Result<Option<String>> {
    c.one("SELECT MIN(at) FROM changes WHERE entity = ?1", params![entity])?.get(0)
}

/// All rows of a kind within the scope, or one of them, retired or not, by id.
pub fn rows<E: Entity>(c: &mut Conn, id: Option<i64>) -> Result<Vec<E>> {
    let (table, alias) = (E::TABLE, E::ENTITY);
    let all = format!("SELECT {} FROM @{table} {alias}", E::SELECT);
    match id {
        Some(id) => c.map(&format!("{all} WHERE {alias}.id = ?1"), params![id], |row| E::from_row(row, 0)),
        None => c.map(&format!("{all} ORDER BY {alias}.id"), &[], |row| E::from_row(row, 0)),
    }
}

/// The account numbers of companies, by id.
pub fn numbers(c: &mut Conn) -> Result<HashMap<i64, String>> {
    let sql = "SELECT company.id, company.account_number FROM @companies company";
    Ok(c.map(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}
