//! What rebuilding the past reads: the rows as they are now, and what has happened to them since.

use std::collections::HashMap;

use crate::{db::Conn, entity::Entity, error::Result, params};

/// When the history of a kind of rows begins, as far as it is kept.
pub fn began(c: &mut Conn, entity: &str) -> Result<Option<String>> {
    c.one("SELECT MIN(at) FROM changes WHERE entity = ?1", params![entity])?.get(0)
}

/// Gives `take` everything that happened to rows of a kind, or to one of them, after a moment, the newest first: the row,
/// the action, the fields.
pub fn since(
    c: &mut Conn,
    entity: &str,
    id: Option<i64>,
    at: &str,
    mut take: impl FnMut(i64, &str, &str) -> Result<()>,
) -> Result<()> {
    let all = "SELECT entity_id, action, fields FROM changes WHERE entity = ?1 AND at > ?2";
    let (sql, params) = match id {
        Some(id) => (format!("{all} AND entity_id = ?3 ORDER BY seq DESC"), params![entity, at, id].to_vec()),
        None => (format!("{all} ORDER BY seq DESC"), params![entity, at].to_vec()),
    };
    c.each(&sql, &params, |row| take(row.get(0)?, &row.get::<String>(1)?, &row.get::<String>(2)?))
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
