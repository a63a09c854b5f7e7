//! Rows that lead to rows which are not there: what the engine would refuse, and what hangs on records of any kind.

use super::entities::ENTITIES;
use crate::{
    db::{Conn, Engine},
    error::Result,
    params,
};

/// Tables whose rows are about a record of any kind, with the columns that say of which kind and which one.
const ABOUT: [(&str, &str, &str); 8] = [
    ("links", "entity", "entity_id"),
    ("pins", "entity", "entity_id"),
    ("protections", "entity", "entity_id"),
    ("custom_values", "entity", "record_id"),
    ("record_tags", "entity", "record_id"),
    ("notes", "entity", "entity_id"),
    ("attachments", "entity", "entity_id"),
    ("billing_exclusions", "entity", "entity_id"),
];

/// Rows that lead nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphans {
    /// Where they are.
    pub table: String,
    /// Where they lead.
    pub to: String,
    /// How many there are.
    pub rows: i64,
    /// Whether the engine would refuse them.
    pub is_forbidden: bool,
}

/// All of them.
///
/// # Errors
/// Those of the database.
pub fn find(c: &mut Conn) -> Result<Vec<Orphans>> {
    let mut found = Vec::new();
    // PostgreSQL does not let them come to be.
    if c.engine() == Engine::Sqlite {
        let sql = "SELECT \"table\", \"parent\", count(*) FROM pragma_foreign_key_check GROUP BY 1, 2 ORDER BY 1, 2";
        found = c.map(sql, params![], |row| {
            Ok(Orphans { table: row.get(0)?, to: row.get(1)?, rows: row.get(2)?, is_forbidden: true })
        })?;
    }
    for (table, kind, id) in ABOUT {
        for entity in ENTITIES {
            let to = entity.table();
            let sql = format!(
                "SELECT count(*) FROM {table} about WHERE about.{kind} = ?1
                 AND NOT EXISTS (SELECT 1 FROM {to} record WHERE record.id = about.{id})"
            );
            let rows: i64 = c.one(&sql, params![entity.name()])?.get(0)?;
            if rows > 0 {
                found.push(Orphans { table: table.to_owned(), to: to.to_owned(), rows, is_forbidden: false });
            }
        }
    }
    Ok(found)
}
