//! Whose names are struck from texts, in the database.

use crate::{db::Conn, error::Result, params};

/// How many names are looked for; beyond that, those of the newest people.
const MOST: i64 = 50_000;

/// The names of protected people, also those that they had.
pub fn protected(c: &mut Conn) -> Result<Vec<String>> {
    let sql = "SELECT person.name FROM protected_people person WHERE person.name IS NOT NULL ORDER BY person.id DESC LIMIT ?1";
    let names = c.map(sql, params![MOST], |row| row.get::<String>(0))?;
    if i64::try_from(names.len()).is_ok_and(|count| count == MOST) {
        tracing::warn!(most = MOST, "not all names of protected people are looked for in texts");
    }
    Ok(names)
}
