//! Facts about the whole database that no row can hold, by name.

use crate::{
    db::{Conn, Write},
    error::{Error, Result},
    params,
};

/// Set when the database was filled with demo data; pages say so in a banner.
pub const DEMO: &str = "demo";

/// What was set under this name.
pub fn find(c: &mut Conn, name: &str) -> Result<Option<String>> {
    c.first("SELECT value FROM settings WHERE name = ?1", params![name])?.map(|row| row.get(0)).transpose()
}

/// Forgets it.
pub fn unset(w: &mut Write<'_>, name: &str) -> Result<()> {
    w.run("DELETE FROM settings WHERE name = ?1", params![name]).map(|_| ())
}

/// Refuses to mix real data into made-up data.
///
/// # Errors
/// `Conflict`, with how to start for real, when this is the demo.
pub fn refuse_demo(c: &mut Conn) -> Result<()> {
    match find(c, DEMO)? {
        Some(_) => Err(Error::conflict(
            "this database holds the demo data, and real data is not mixed into it. Start for real in another folder \
             (codex --instance DIR init), or take the demo out first (codex demo remove)",
        )),
        None => Ok(()),
    }
}

/// Sets it.
pub fn set(w: &mut Write<'_>, name: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    w.run(sql, params![name, value]).map(|_| ())
}
