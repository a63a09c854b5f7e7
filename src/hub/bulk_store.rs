//! The one query of the bulk answer that no room has of its own.

use crate::companies::{Location, LocationView};
use crate::db::Conn;
use crate::error::Result;
use crate::history::Record;
use crate::params;

/// The live locations of these companies, as (company id, location), by id.
///
/// # Errors
/// Those of the database.
pub fn locations(conn: &mut Conn, company_ids: Vec<i64>) -> Result<Vec<(i64, LocationView)>> {
    let sql = format!(
        "SELECT {} FROM @locations location WHERE location.company_id IN ids(?1) AND location.retired_at IS NULL ORDER BY location.id",
        Location::SELECT
    );
    conn.map(&sql, params![company_ids], |row| {
        let location = Location::from_row(row, 0)?;
        Ok((location.company_id, location.into()))
    })
}
