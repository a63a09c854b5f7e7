//! The Datto sites that belong to a company, with the number that they should carry.

use crate::{
    db::{Conn, Row},
    error::Result,
};

/// A site of a company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Datto's uid.
    pub uid: String,
    pub name: String,
    /// The company.
    pub company_id: i64,
    /// The company's number.
    pub number: String,
    /// The company's name.
    pub company: String,
}

/// Every site that belongs to a company that is not retired, by name.
pub fn linked(c: &mut Conn) -> Result<Vec<Site>> {
    let sql = "SELECT site.uid, site.name, company.id, company.account_number, company.name
               FROM @rmm_sites site JOIN @companies company ON company.id = site.company_id
               WHERE site.gone_at IS NULL AND company.retired_at IS NULL ORDER BY site.name, site.id";
    let site = |row: &Row| {
        Ok(Site { uid: row.get(0)?, name: row.get(1)?, company_id: row.get(2)?, number: row.get(3)?, company: row.get(4)? })
    };
    c.all(sql, &[])?.iter().map(site).collect()
}

/// How many sites there are, and how many of them belong to no company.
pub fn counts(c: &mut Conn) -> Result<(i64, i64)> {
    let sql = "SELECT COUNT(*), COUNT(*) - COUNT(site.company_id) FROM @rmm_sites site WHERE site.gone_at IS NULL";
    let row = c.one(sql, &[])?;
    Ok((row.get(0)?, row.get(1)?))
}
