//! How far listings have come, in the database: what a kill or a restart must not lose.

use crate::{db::Conn, error::Result, params, types::now};

/// A listing that is under way, or was when its process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its number: the run that began it.
    pub listing: i64,
    /// The moment that it began at.
    pub began_at: String,
    /// Whether it is to meet every ticket there is.
    pub full: bool,
    /// The window that it had reached.
    pub cursor: Option<String>,
    /// The latest time met.
    pub max_seen: Option<String>,
    /// When it was opened, by our clock.
    pub opened_at: String,
}

/// What is known of one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Everything that changed up to this time of the vendor's has been seen.
    pub watermark: Option<String>,
    /// When a listing of everything was last complete, by our clock.
    pub full_at: Option<String>,
    /// The parameters that the account takes.
    pub query: Option<String>,
    /// The listing that is not complete.
    pub open: Option<Open>,
}

/// What is known of a list.
pub fn load(c: &mut Conn, name: &str) -> Result<State> {
    let sql = "SELECT watermark, full_at, query, listing, began_at, full_list, cursor_at, max_seen, opened_at
               FROM ticket_listings WHERE name = ?1";
    let Some(row) = c.first(sql, params![name])? else { return Ok(State::default()) };
    let open = match row.get::<Option<i64>>(3)? {
        Some(listing) => Some(Open {
            listing,
            began_at: row.get(4)?,
            full: row.get(5)?,
            cursor: row.get(6)?,
            max_seen: row.get(7)?,
            opened_at: row.get(8)?,
        }),
        None => None,
    };
    Ok(State { watermark: row.get(0)?, full_at: row.get(1)?, query: row.get(2)?, open })
}

/// Begins a listing, in place of one that was not completed.
pub fn open(c: &mut Conn, name: &str, listing: i64, began_at: &str, full: bool) -> Result<()> {
    c.run(
        "INSERT INTO ticket_listings (name, listing, began_at, full_list, opened_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (name) DO UPDATE SET listing = excluded.listing, began_at = excluded.began_at, full_list = excluded.full_list,
           cursor_at = NULL, max_seen = NULL, opened_at = excluded.opened_at",
        params![name, listing, began_at, full, now()],
    )?;
    Ok(())
}

/// Says how far the open listing has come.
pub fn advance(c: &mut Conn, name: &str, cursor: Option<&str>, max_seen: Option<&str>) -> Result<()> {
    let sql = "UPDATE ticket_listings SET cursor_at = ?1, max_seen = ?2 WHERE name = ?3";
    c.run(sql, params![cursor, max_seen, name])?;
    Ok(())
}

/// Completes the open listing: from now on everything up to `watermark` counts as seen.
pub fn complete(c: &mut Conn, name: &str, watermark: Option<&str>, query: &str, full: bool) -> Result<()> {
    let full_at = full.then(now);
    c.run(
        "UPDATE ticket_listings SET watermark = ?1, query = ?2, full_at = COALESCE(CAST(?3 AS TEXT), full_at), listing = NULL,
           cursor_at = NULL, max_seen = NULL WHERE name = ?4",
        params![watermark, query, full_at, name],
    )?;
    Ok(())
}

/// Gives the open listing up: it proved nothing.
pub fn abandon(c: &mut Conn, name: &str) -> Result<()> {
    c.run("UPDATE ticket_listings SET listing = NULL, cursor_at = NULL, max_seen = NULL WHERE name = ?1", params![name])?;
    Ok(())
}
