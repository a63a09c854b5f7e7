//! The queries of the bulk answer that no room has of its own.

use crate::{companies::Location, db::Conn, error::Result, history::Record, params};

/// Whether these companies have fewer assets, contacts and locations, of each kind, than so many; retired ones count,
/// so that an index is enough to tell.
pub fn have_few(conn: &mut Conn, company_ids: Vec<i64>, most: i64) -> Result<bool> {
    let sql = "SELECT (SELECT count(*) FROM (SELECT 1 FROM @assets asset
            WHERE asset.company_id IN ids(?1) LIMIT ?2) AS assets),
        (SELECT count(*) FROM (SELECT 1 FROM @contact_companies place WHERE place.company_id IN ids(?1) LIMIT ?2) AS contacts),
        (SELECT count(*) FROM (SELECT 1 FROM @locations location WHERE location.company_id IN ids(?1) LIMIT ?2) AS locations)";
    let row = conn.one(sql, params![company_ids, most])?;
    Ok([row.get::<i64>(0)?, row.get(1)?, row.get(2)?].into_iter().all(|count| count < most))
}

/// The live locations of these companies, as (company id, location), by id.
pub fn locations(conn: &mut Conn, company_ids: Vec<i64>) -> Result<Vec<(i64, Location)>> {
    let sql = format!(
        "SELECT {} FROM @locations location WHERE location.company_id IN ids(?1) AND location.retired_at IS NULL ORDER BY location.id",
        Location::SELECT
    );
    conn.map(&sql, params![company_ids], |row| {
        let location = Location::from_row(row, 0)?;
        Ok((location.company_id, location))
    })
}
