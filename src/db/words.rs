//! The tables that find words in others: SQLite's alone, made of what stands in those.

use super::{Conn, Engine, Value};
use crate::{error::Result, params};

/// How many pages a merge writes in one transaction.
const MERGED: i64 = 500;
/// What their names end with; before it stands the name of the table in which they find.
const END: &str = "_fts";

/// Each of them by the table in which it finds, with its columns, which are that one's.
fn all(conn: &mut Conn) -> Result<Vec<(String, Vec<String>)>> {
    if conn.engine() != Engine::Sqlite {
        return Ok(Vec::new());
    }
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual' ORDER BY name";
    let names = conn.map(sql, params![], |row| row.get::<String>(0))?;
    let mut found = Vec::new();
    for name in names {
        let columns = conn.map("SELECT name FROM pragma_table_info(?1)", params![&name], |row| row.get::<String>(0))?;
        if let Some(table) = name.strip_suffix(END) {
            found.push((table.to_owned(), columns));
        }
    }
    Ok(found)
}

/// The tables of which not every row is known to searches, or rows that are gone still are.
///
/// # Errors
/// Those of the engine.
pub fn lacking(conn: &mut Conn) -> Result<Vec<String>> {
    let mut lacking = Vec::new();
    for (table, _) in all(conn)? {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM {table} stored WHERE stored.id NOT IN (SELECT id FROM {table}{END}_docsize)
                 AND stored.id NOT IN (SELECT id FROM search_pending WHERE found_in = '{table}'))
               OR EXISTS (SELECT 1 FROM {table}{END}_docsize known WHERE known.id NOT IN (SELECT id FROM {table}))"
        );
        if conn.one(&sql, params![])?.get::<bool>(0)? {
            lacking.push(table);
        }
    }
    Ok(lacking)
}

/// Makes what searches know of some rows anew, which are then no longer [noted](super::pending).
///
/// # Errors
/// Those of the engine.
pub(super) fn renew(conn: &mut Conn, table: &str, ids: Vec<i64>) -> Result<()> {
    let columns =
        conn.map("SELECT name FROM pragma_table_info(?1)", params![format!("{table}{END}")], |row| row.get::<String>(0))?;
    let (columns, ids) = (columns.join(", "), Value::Ids(ids));
    if !columns.is_empty() {
        conn.run(&format!("DELETE FROM {table}{END} WHERE rowid IN ids(?1)"), std::slice::from_ref(&ids))?;
        let sql = format!("INSERT INTO {table}{END} (rowid, {columns}) SELECT id, {columns} FROM {table} WHERE id IN ids(?1)");
        conn.run(&sql, std::slice::from_ref(&ids))?;
    }
    conn.run("DELETE FROM search_pending WHERE found_in = ?1 AND id IN ids(?2)", &[table.into(), ids]).map(drop)
}

/// Makes what searches know of a table anew.
///
/// # Errors
/// Those of the engine.
pub fn rebuild(conn: &mut Conn, table: &str) -> Result<()> {
    let Some((_, columns)) = all(conn)?.into_iter().find(|(name, _)| name == table) else { return Ok(()) };
    let columns = columns.join(", ");
    conn.run(&format!("INSERT INTO {table}{END} ({table}{END}) VALUES ('delete-all')"), params![])?;
    conn.run("DELETE FROM search_pending WHERE found_in = ?1", params![table])?;
    conn.run(&format!("INSERT INTO {table}{END} (rowid, {columns}) SELECT id, {columns} FROM {table}"), params![]).map(drop)
}

/// Merges a part of what such a table consists of, which is when it gives up the words of rows that are gone; whether there is
/// more to do. The first call begins with all of it.
pub(super) fn merge(conn: &mut Conn, table: &str, is_first: bool) -> Result<bool> {
    let count = |conn: &mut Conn| conn.one("SELECT total_changes()", params![])?.get::<i64>(0);
    let before = count(conn)?;
    let pages = if is_first { -MERGED } else { MERGED };
    conn.run(&format!("INSERT INTO {table}{END} ({table}{END}, rank) VALUES ('merge', ?1)"), params![pages])?;
    // By SQLite's documentation: fewer than two changes mean that nothing was done.
    Ok(count(conn)? - before >= 2)
}

/// The tables in which words are found.
pub(super) fn tables(conn: &mut Conn) -> Result<Vec<String>> {
    Ok(all(conn)?.into_iter().map(|(table, _)| table).collect())
}
