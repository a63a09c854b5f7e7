//! Licences in the database: seats counted, and what the one door does not write.

use super::model::{License, Seat};
use crate::{
    db::{Conn, Write},
    error::Result,
    history, params,
};

macro_rules! used {
    () => {
        "(SELECT count(*) FROM @license_seats held WHERE held.license_id = license.id AND held.retired_at IS NULL)"
    };
}

/// How many seats are held.
pub const USED: &str = used!();
/// How many are left; below 0 when too many are held, and none for a licence that does not say for how many it is.
pub const FREE: &str = concat!("(license.seats - ", used!(), ")");
/// Whether too many are held.
pub const OVER: &str = concat!("COALESCE(", used!(), " > license.seats, FALSE)");
/// Whether some are held by nobody.
pub const UNDER: &str = concat!("COALESCE(", used!(), " < license.seats, FALSE)");
/// Whether its key is kept.
pub const HAS_KEY: &str = "(license.license_key IS NOT NULL)";

/// How many seats of a licence are held.
pub fn used(c: &mut Conn, license: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM @license_seats held WHERE held.license_id = ?1 AND held.retired_at IS NULL";
    c.one(sql, params![license])?.get(0)
}

/// Whether this contact or device holds another seat of the same licence.
pub fn holds_another(c: &mut Conn, license: i64, contact: Option<i64>, asset: Option<i64>, own: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM @license_seats held WHERE held.license_id = ?1 AND held.retired_at IS NULL AND held.id <> ?4
               AND (held.contact_id = ?2 OR held.asset_id = ?3)";
    Ok(c.first(sql, params![license, contact, asset, own])?.is_some())
}

/// The licence of a seat, when it is there.
pub fn license_of(c: &mut Conn, seat: &Seat) -> Result<Option<License>> {
    history::find(c, seat.license_id)
}

/// Keeps a licence's key, sealed, or forgets it.
///
/// # Errors
/// `NotFound`.
pub fn keep_key(w: &mut Write<'_>, id: i64, sealed: Option<String>) -> Result<()> {
    history::update(w, id, None, None, |license: &mut License| {
        license.license_key = sealed;
        Ok(())
    })
    .map(drop)
}

/// The seats of a contact or a device, each with its licence.
pub fn of_holder(c: &mut Conn, (contact, asset): (Option<i64>, Option<i64>)) -> Result<Vec<(i64, i64)>> {
    let sql = "SELECT held.id, held.license_id FROM @license_seats held
               WHERE (held.contact_id = ?1 OR held.asset_id = ?2) AND held.retired_at IS NULL ORDER BY held.id";
    c.map(sql, params![contact, asset], |row| Ok((row.get(0)?, row.get(1)?)))
}
