//! The rows that clearing is about.

use crate::{db::Conn, error::Result, history::Record, params};

/// How many live rows of a kind there are.
pub fn count<R: Record>(c: &mut Conn) -> Result<i64> {
    c.one(&format!("SELECT count(*) FROM {} WHERE retired_at IS NULL", R::TABLE), params![])?.get(0)
}

/// Some live rows of a kind, by id.
pub fn some<R: Record>(c: &mut Conn, limit: i64) -> Result<Vec<i64>> {
    let sql = format!("SELECT id FROM {} WHERE retired_at IS NULL ORDER BY id LIMIT ?1", R::TABLE);
    c.all(&sql, params![limit])?.iter().map(|row| row.get(0)).collect()
}
