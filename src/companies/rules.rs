//! What a company's fields must be: stated once for JSON, forms and imports.

use serde_json::Value;

use super::location::Location;
use super::model::Company;
use crate::entity::{Patch, schema};
use crate::error::{Error, Result};
use crate::web::openapi::{Schemas, schema as json};
use crate::web::{Fields, Reference, Sent};

/// Account numbers that are words in our own addresses.
const RESERVED: &[&str] = &["bulk", "new", "api", "search"];

/// What was sent for a company, checked; references are resolved by the store.
#[derive(Debug)]
pub struct CompanyInput {
    /// Wanted or repeated account number.
    pub account_number: Option<String>,
    /// The company above.
    pub parent: Sent<Reference>,
    /// Its other fields.
    pub company: Patch<Company>,
}

/// Reads the fields of a write.
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read(mut fields: Fields, creating: bool) -> Result<CompanyInput> {
    fields.set_creating(creating);
    fields.alias("parent_id", "parent");
    // Only a new number is checked: an imported one that is repeated here stays what it is.
    let sent = fields.raw_text("account_number").map(str::to_owned);
    let check = move |number: &String| if creating { check_number(number, sent.as_deref()) } else { Ok(()) };
    let account_number = fields.key("account_number").max(50).check(check).value();
    let parent = fields.reference("parent_id").max(50).get();
    let company = Patch::read(&mut fields)?;
    fields.finish()?;
    Ok(CompanyInput { account_number, parent, company })
}

/// Whether a new account number can stand in addresses as it is: neighbours put it there unencoded. `sent` is the
/// text before it was cleaned: what cleaning would change is refused, so that nobody gets a number they did not ask for.
fn check_number(number: &str, sent: Option<&str>) -> Result<(), String> {
    if RESERVED.contains(&number.to_ascii_lowercase().as_str()) {
        return Err("must not be a reserved word (bulk, new, api, search)".to_owned());
    }
    if sent.is_some_and(|sent| sent != number) || number.chars().any(char::is_control) {
        return Err("must not begin or end with a blank, or hold invisible characters".to_owned());
    }
    if number.contains(['/', '?', '#', '%', '\\']) || matches!(number, "." | "..") {
        return Err("must not hold / ? # % or \\: it stands in addresses".to_owned());
    }
    Ok(())
}

/// The stages of life follow one another.
///
/// # Errors
/// `Invalid`, naming the stage that would begin too early.
pub fn check_life(company: &Company) -> Result<()> {
    let stages = [
        ("life_quiet_days", company.life_quiet_days),
        ("life_stale_days", company.life_stale_days),
        ("life_archived_days", company.life_archived_days),
    ];
    let set: Vec<(&str, i64)> = stages.into_iter().filter_map(|(name, days)| Some((name, days?))).collect();
    match set.windows(2).find(|pair| matches!(pair, [(_, earlier), (_, later)] if earlier >= later)) {
        Some([(earlier, _), (later, _)]) => Err(Error::field(*later, format!("must be more than {earlier}"))),
        _ => Ok(()),
    }
}

/// Reads the fields of a location; a new one needs a name and an address (contract §1.10).
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read_location(mut fields: Fields, creating: bool) -> Result<Patch<Location>> {
    fields.set_creating(creating);
    let location = Patch::read(&mut fields)?;
    fields.finish()?;
    Ok(location)
}

/// What [`read`] takes for a new one, as the API description says it.
pub fn new_body(schemas: &mut Schemas) -> Value {
    json::with(schema::new::<Company>(schemas), &more())
}

/// What [`read`] takes for a change.
pub fn changed_body(schemas: &mut Schemas) -> Value {
    json::with(schema::changed::<Company>(schemas), &more())
}

/// What may be sent beside the fields of the table.
fn more() -> Vec<(&'static str, Value)> {
    let parent = || json::or_null(json::company());
    vec![("account_number", json::words(50)), ("parent_id", parent()), ("parent", parent())]
}
