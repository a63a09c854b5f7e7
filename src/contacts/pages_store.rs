//! What the pages of contacts ask of the database.

use std::collections::HashMap;

use crate::{db::Conn, error::Result, params, types::fold};

/// A company as a contact's row mentions it.
#[derive(Clone, Debug)]
pub struct Belongs {
    /// Its key.
    pub account_number: String,
    pub name: String,
}

/// The companies of each of these contacts, where they are primary first.
pub fn companies_of(c: &mut Conn, ids: Vec<i64>) -> Result<HashMap<i64, Vec<Belongs>>> {
    let sql = "SELECT place.contact_id, company.account_number, company.name FROM @contact_companies place
               JOIN @companies company ON company.id = place.company_id WHERE place.contact_id IN ids(?1)
               ORDER BY place.is_primary DESC, company.name_folded, company.id";
    let mut found: HashMap<i64, Vec<Belongs>> = HashMap::new();
    for row in c.all(sql, params![ids])? {
        found.entry(row.get(0)?).or_default().push(Belongs { account_number: row.get(1)?, name: row.get(2)? });
    }
    Ok(found)
}

/// Live contacts with this name at a company: id and name.
pub fn contacts_named(c: &mut Conn, name: &str, company: i64) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT contact.id, contact.name FROM @contacts contact
               JOIN @contact_companies place ON place.contact_id = contact.id AND place.company_id = ?2
               WHERE contact.name_folded = ?1 AND contact.retired_at IS NULL ORDER BY contact.id LIMIT 5";
    c.all(sql, params![fold(name), company])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
