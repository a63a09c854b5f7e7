//! Days that come near, and what waits, as far as notices tell of them.

use crate::{
    db::{Conn, Row},
    error::Result,
    params,
};

/// What ends at a company on a day.
#[derive(Clone, Debug)]
pub struct Ending {
    pub company: i64,
    pub account_number: String,
    pub name: String,
    pub day: String,
    /// How many records.
    pub count: i64,
}

fn ending(row: &Row) -> Result<Ending> {
    Ok(Ending { company: row.get(0)?, account_number: row.get(1)?, name: row.get(2)?, day: row.get(3)?, count: row.get(4)? })
}

/// Warranties that end between two days, by company and day.
pub fn warranties(c: &mut Conn, from: &str, to: &str) -> Result<Vec<Ending>> {
    let sql = "SELECT company.id, company.account_number, company.name, asset.warranty_expires, COUNT(*)
               FROM @assets asset JOIN @companies company ON company.id = asset.company_id AND company.retired_at IS NULL
               WHERE asset.retired_at IS NULL AND asset.warranty_expires >= ?1 AND asset.warranty_expires <= ?2
               GROUP BY company.id, company.account_number, company.name, asset.warranty_expires
               ORDER BY asset.warranty_expires, company.id";
    c.map(sql, params![from, to], ending)
}

/// Contracts that end between two days.
pub fn contracts(c: &mut Conn, from: &str, to: &str) -> Result<Vec<Ending>> {
    let sql = "SELECT company.id, company.account_number, company.name, company.contract_end_date, 1
               FROM @companies company WHERE company.retired_at IS NULL
               AND company.contract_end_date >= ?1 AND company.contract_end_date <= ?2 ORDER BY company.contract_end_date, company.id";
    c.map(sql, params![from, to], ending)
}

/// A licence that ends or renews on a day.
#[derive(Clone, Debug)]
pub struct EndingLicense {
    pub id: i64,
    pub company: String,
    pub product: String,
    pub day: String,
    pub renews: bool,
}

/// Licences that end or renew between two days.
pub fn licenses(c: &mut Conn, from: &str, to: &str) -> Result<Vec<EndingLicense>> {
    let sql = "SELECT license.id, company.name, license.product, license.expires_on, license.auto_renews
               FROM @licenses license JOIN @companies company ON company.id = license.company_id AND company.retired_at IS NULL
               WHERE license.retired_at IS NULL AND license.expires_on >= ?1 AND license.expires_on <= ?2
               ORDER BY license.expires_on, license.id";
    c.map(sql, params![from, to], |row| {
        Ok(EndingLicense { id: row.get(0)?, company: row.get(1)?, product: row.get(2)?, day: row.get(3)?, renews: row.get(4)? })
    })
}

/// How many decisions wait, by the vendor whose they are.
pub fn reviews(c: &mut Conn) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT item.system, COUNT(*) FROM @review_items item WHERE item.state = 'open' GROUP BY item.system ORDER BY item.system";
    c.map(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))
}
