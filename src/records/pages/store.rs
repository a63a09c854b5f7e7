//! What pages ask about many rows at once, so that none asks once for each row.

use std::collections::HashMap;

use crate::{
    companies::{Company, Location},
    compliance::ToldChange,
    contacts::Contact,
    db::Conn,
    error::Result,
    history::Record as _,
    params,
    tickets::Ticket,
    types::fold,
    ui::Page,
    web::encode_segment,
};

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

/// The names of these contacts; to be told by `trail::names`.
pub fn contact_names(c: &mut Conn, ids: Vec<i64>) -> Result<HashMap<i64, String>> {
    let sql = "SELECT contact.id, contact.name FROM @contacts contact WHERE contact.id IN ids(?1)";
    c.all(sql, params![ids])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The names of the records that some changes are about; whoever may be told the changes may read them.
#[derive(Debug, Default)]
pub struct Names(HashMap<(String, i64), (String, String)>);

impl Names {
    /// Reads them, once for each kind of record.
    pub fn of(c: &mut Conn, changes: &[ToldChange]) -> Result<Self> {
        let mut names = Self::default();
        for (entity, sql) in [
            (
                "company",
                "SELECT company.id, company.name, company.account_number FROM @companies company WHERE company.id IN ids(?1)",
            ),
            (
                "contact",
                "SELECT contact.id, contact.name, CAST(contact.id AS TEXT) FROM @contacts contact WHERE contact.id IN ids(?1)",
            ),
            ("asset", "SELECT asset.id, asset.hostname, CAST(asset.id AS TEXT) FROM @assets asset WHERE asset.id IN ids(?1)"),
            (
                "location",
                "SELECT location.id, location.name, company.account_number FROM @locations location
                 JOIN @companies company ON company.id = location.company_id WHERE location.id IN ids(?1)",
            ),
            (
                "ticket",
                "SELECT ticket.id, COALESCE(ticket.subject, ticket.ticket_number), ticket.ticket_number FROM @tickets ticket WHERE ticket.id IN ids(?1)",
            ),
        ] {
            let ids: Vec<i64> = changes.iter().filter(|change| change.entity == entity).map(|change| change.entity_id).collect();
            for row in c.all(sql, params![ids])? {
                names.0.insert((entity.to_owned(), row.get(0)?), (row.get(1)?, row.get(2)?));
            }
        }
        Ok(names)
    }

    /// Where the record of a change is, and its name.
    #[must_use]
    pub fn find(&self, page: &Page, change: &ToldChange) -> Option<(String, String)> {
        let (name, key) = self.0.get(&(change.entity.clone(), change.entity_id))?;
        let room = match change.entity.as_str() {
            Company::ENTITY | Location::ENTITY => "companies",
            Contact::ENTITY => "contacts",
            Ticket::ENTITY => "tickets",
            _ => "assets",
        };
        Some((page.url(&format!("/{room}/{}", encode_segment(key))), name.clone()))
    }
}

/// Live contacts with this name at a company: id and name.
pub fn contacts_named(c: &mut Conn, name: &str, company: i64) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT contact.id, contact.name FROM @contacts contact
               JOIN @contact_companies place ON place.contact_id = contact.id AND place.company_id = ?2
               WHERE contact.name_folded = ?1 AND contact.retired_at IS NULL ORDER BY contact.id LIMIT 5";
    c.all(sql, params![fold(name), company])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
