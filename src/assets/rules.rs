//! What an asset's fields must be: stated once for JSON, forms and imports.

use serde_json::Value;

use super::model::{Asset, Observation, backup_bytes, type_of_category};
use crate::compliance::Level;
use crate::entity::{Patch, schema};
use crate::error::Result;
use crate::history::protection::LEVELS;
use crate::web::openapi::{Schemas, schema as json};
use crate::web::{Fields, Reference, Sent};

/// What was sent for an asset, checked; references are resolved by the store.
#[derive(Debug)]
pub struct AssetInput {
    /// Its own fields.
    pub asset: Patch<Asset>,
    /// Whose it is.
    pub company: Sent<Reference>,
    /// Replaces the assigned contacts, when sent.
    pub contacts: Sent<Vec<i64>>,
    /// What was seen of it, when the sender watches it: kept without history, as a vendor's sight is.
    pub seen: Patch<Observation>,
    /// How strictly its people's data is to be protected, when a person decides that.
    pub protected_as: Option<Level>,
}

/// Reads the fields of a write.
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read(mut fields: Fields, creating: bool) -> Result<AssetInput> {
    fields.set_creating(creating);
    let mut asset = Patch::<Asset>::read(&mut fields)?;
    if asset.has("backup_usage_tb") {
        asset.set("backup_data_bytes", asset.row().backup_usage_tb.as_deref().map_or(0, backup_bytes))?;
    }
    if creating && !asset.has("kind") {
        asset.set("kind", asset.row().hardware_type.as_deref().map_or("other", type_of_category))?;
    }
    let company = if fields.has("company_account_number") || !fields.has("company_id") {
        fields.key("company_account_number").max(50).required().get().map(Reference::Key)
    } else {
        fields.reference("company_id").max(50).required().get()
    };
    let contacts = fields.int_list("contact_ids").max_items(500).get();
    let seen = Patch::read(&mut fields)?;
    let protected_as = fields.text("protected_as").not_null().one_of(LEVELS).value().as_deref().map(Level::parse);
    fields.finish()?;
    Ok(AssetInput { asset, company, contacts, seen, protected_as })
}

/// What [`read`] takes for a new one, as the API description says it.
pub fn new_body(schemas: &mut Schemas) -> Value {
    json::with_one_of(json::with(schema::new::<Asset>(schemas), &more()), &["company_account_number", "company_id"])
}

/// What [`read`] takes for a change.
pub fn changed_body(schemas: &mut Schemas) -> Value {
    json::with(schema::changed::<Asset>(schemas), &more())
}

/// What may be sent beside the fields of the table.
fn more() -> Vec<(&'static str, Value)> {
    let mut more = vec![
        ("company_account_number", json::company()),
        ("company_id", json::company()),
        ("contact_ids", json::array(json::id_of("contact"))),
        ("protected_as", json::choice(LEVELS)),
    ];
    more.extend(schema::members::<Observation>());
    more
}
