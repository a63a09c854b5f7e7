//! Where the page of a record is, whatever its kind.

use crate::{
    assets::Asset,
    auth::api_key_store as api_keys,
    billing::{FeatureCategory, FeatureOption, Plan},
    companies::{Company, Location},
    contacts::Contact,
    db::Conn,
    error::Result,
    history::{self, Record as _},
    records::entities,
    tickets::Ticket,
    web::encode_segment,
};

/// The page of a record whose address has this key: a company's account number (also for its locations), a ticket's id at
/// the service desk, the id of any other.
#[must_use]
pub fn with_key(entity: &str, key: &str) -> String {
    let key = encode_segment(key);
    match entity {
        Company::ENTITY => format!("/companies/{key}"),
        Location::ENTITY => format!("/companies/{key}#locations"),
        Contact::ENTITY => format!("/contacts/{key}"),
        Asset::ENTITY => format!("/assets/{key}"),
        Ticket::ENTITY => format!("/tickets/{key}"),
        Plan::ENTITY => "/billing-plans/".to_owned(),
        "user" => format!("/admin/users/{key}"),
        api_keys::ENTITY => "/admin/keys".to_owned(),
        FeatureOption::ENTITY | FeatureCategory::ENTITY => "/billing-plans/features/".to_owned(),
        other => match entities::named(other).ok().and_then(|known| known.noun()) {
            Some(noun) => format!("{}/{key}", noun.door().page),
            None => "/".to_owned(),
        },
    }
}

/// The page of a row.
///
/// # Errors
/// `NotFound`.
pub fn of(c: &mut Conn, entity: &str, id: i64) -> Result<String> {
    let key = match entity {
        Company::ENTITY => history::get::<Company>(c, id)?.account_number,
        Location::ENTITY => {
            let company = history::get::<Location>(c, id)?.company_id;
            history::get::<Company>(c, company)?.account_number
        }
        Ticket::ENTITY => history::get::<Ticket>(c, id)?.external_id.to_string(),
        _ => id.to_string(),
    };
    Ok(with_key(entity, &key))
}
