//! By what forgotten people are known again, in the database.

use std::collections::HashSet;

use crate::{
    db::{Conn, Write},
    error::Result,
    params,
    types::now,
};

/// Keeps digests of what a forgotten person was known by.
pub fn remember(w: &mut Write<'_>, contact: i64, digests: &[String]) -> Result<()> {
    for digest in digests {
        let sql =
            "INSERT INTO forgotten_people (digest, contact_id, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (digest) DO NOTHING";
        w.run(sql, params![digest, contact, now()])?;
    }
    Ok(())
}

/// All digests of forgotten people.
pub fn digests(c: &mut Conn) -> Result<HashSet<String>> {
    Ok(c.map("SELECT digest FROM forgotten_people", &[], |row| row.get(0))?.into_iter().collect())
}

/// Names and addresses of those who are here: whoever has the name of somebody forgotten keeps it.
pub fn present(c: &mut Conn) -> Result<Vec<(String, String)>> {
    let sql = "SELECT contact.name, COALESCE(contact.email, '') FROM @contacts contact WHERE contact.retired_at IS NULL";
    c.map(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))
}
