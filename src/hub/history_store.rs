//! Which rows have a history that can be asked for by name.

use crate::assets::Asset;
use crate::companies::{Company, Location};
use crate::contacts::Contact;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::history::{self, Record};
use crate::tickets::{ChangeRequest, Ticket};

/// The entity's own word, when such a row exists within the caller's scope.
///
/// # Errors
/// `NotFound`, or those of the engine.
pub fn exists(c: &mut Conn, entity: &str, id: i64) -> Result<&'static str> {
    match entity {
        "company" => history::get::<Company>(c, id).map(|_| Company::ENTITY),
        "contact" => history::get::<Contact>(c, id).map(|_| Contact::ENTITY),
        "asset" => history::get::<Asset>(c, id).map(|_| Asset::ENTITY),
        "ticket" => history::get::<Ticket>(c, id).map(|_| Ticket::ENTITY),
        "change_request" => history::get::<ChangeRequest>(c, id).map(|_| ChangeRequest::ENTITY),
        "location" => history::get::<Location>(c, id).map(|_| Location::ENTITY),
        _ => Err(Error::NotFound { what: "Record" }),
    }
}

/// Whether an entity has a field of this name.
#[must_use]
pub fn has_field(entity: &str, field: &str) -> bool {
    let columns = match entity {
        "company" => Company::COLUMNS,
        "contact" => Contact::COLUMNS,
        "asset" => Asset::COLUMNS,
        "ticket" => Ticket::COLUMNS,
        "change_request" => ChangeRequest::COLUMNS,
        "location" => Location::COLUMNS,
        _ => &[],
    };
    columns.contains(&field) || (entity, field) == (Contact::ENTITY, "companies")
}
