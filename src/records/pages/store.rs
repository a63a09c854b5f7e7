//! What pages ask about many rows at once, so that none asks once for each row.

use std::collections::HashMap;

use super::address;
use crate::{auth::api_key_store as api_keys, compliance::RedactedChange, db::Conn, error::Result, params, ui::Page};

/// The names of the records that some changes are about; whoever may be told the changes may read them.
#[derive(Debug, Default)]
pub struct Names(HashMap<(String, i64), (String, String)>);

impl Names {
    /// Reads them, once for each kind of record.
    pub fn of(c: &mut Conn, changes: &[RedactedChange]) -> Result<Self> {
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
                "SELECT ticket.id, COALESCE(ticket.subject, ticket.ticket_number), CAST(ticket.external_id AS TEXT) FROM @tickets ticket WHERE ticket.id IN ids(?1)",
            ),
            (api_keys::ENTITY, "SELECT id, name, CAST(id AS TEXT) FROM api_keys WHERE id IN ids(?1)"),
            ("user", "SELECT id, COALESCE(NULLIF(name, ''), username), CAST(id AS TEXT) FROM users WHERE id IN ids(?1)"),
        ] {
            let ids: Vec<i64> = changes.iter().filter(|change| change.entity == entity).map(|change| change.entity_id).collect();
            if ids.is_empty() {
                continue;
            }
            for row in c.all(sql, params![ids])? {
                names.0.insert((entity.to_owned(), row.get(0)?), (row.get(1)?, row.get(2)?));
            }
        }
        Ok(names)
    }

    /// Where the record of a change is, and its name.
    #[must_use]
    pub fn find(&self, page: &Page, change: &RedactedChange) -> Option<(String, String)> {
        let (name, key) = self.0.get(&(change.entity.clone(), change.entity_id))?;
        Some((page.url(&address::with_key(&change.entity, key)), name.clone()))
    }
}
