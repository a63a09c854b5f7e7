//! What a contact's fields must be: stated once for JSON, forms and imports.

use serde_json::Value;

use super::model::{Contact, DESIGNATIONS, ROLES};
use crate::compliance::Level;
use crate::entity::{Patch, schema};
use crate::error::Result;
use crate::history::protection::LEVELS;
use crate::web::openapi::{Schemas, schema as json};
use crate::web::{Fields, Reference, Sent};

/// A wish for a contact's place in one company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceInput {
    /// What an error about the company names.
    pub field: String,
    /// The company; none means the only one that the contact is in.
    pub company: Option<Reference>,
    /// What they do there.
    pub role: Sent<String>,
    /// Whom to call first, whom then.
    pub designation: Sent<String>,
    /// Whether they are the company's one primary contact.
    pub is_primary: Sent<bool>,
}

/// What was sent for a contact, checked; references are resolved by the store.
#[derive(Debug)]
pub struct ContactInput {
    /// Its own fields.
    pub contact: Patch<Contact>,
    /// Replaces the companies, when sent.
    pub places: Sent<Vec<PlaceInput>>,
    /// Replaces the assigned assets, when sent (by asset id).
    pub assets: Sent<Vec<i64>>,
    /// How strictly its data is to be protected, when a person decides that.
    pub protected_as: Option<Level>,
}

/// Reads the fields of a write. A name can be made of first and last names ([`ContactInput::apply`]); without them a new
/// contact needs one.
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read(mut fields: Fields, creating: bool) -> Result<ContactInput> {
    fields.set_creating(creating);
    let contact = Patch::<Contact>::read(&mut fields)?;
    if creating && !fields.has("name") && contact.row().composed_name().is_empty() {
        fields.refuse("name", "is required");
    }
    let places = read_places(&mut fields);
    let assets = fields.int_list("asset_ids").max_items(500).get();
    let protected_as = fields.text("protected_as").not_null().one_of(LEVELS).value().as_deref().map(Level::parse);
    fields.finish()?;
    Ok(ContactInput { contact, places, assets, protected_as })
}

/// Companies in any of the ways clients name them: `companies` (objects), `company_account_numbers`
/// (keys), or one `company_id` with `role`, `designation` and `is_primary` beside it, or these three alone.
fn read_places(fields: &mut Fields) -> Sent<Vec<PlaceInput>> {
    let list = fields.array("companies").max_items(200).get();
    if let Sent::Value(items) = list {
        let mut places = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let serde_json::Value::Object(map) = item else {
                fields.refuse(format!("companies[{index}]"), "must be an object with account_number");
                continue;
            };
            let mut inner = Fields::new(map);
            let place = read_place(&mut inner, true);
            if let Err(crate::error::Error::Invalid(errors)) = inner.finish() {
                for error in errors {
                    fields.refuse(format!("companies[{index}].{}", error.field), error.message);
                }
            }
            places.extend(place.map(|place| PlaceInput { field: format!("companies[{index}].account_number"), ..place }));
        }
        return Sent::Value(places);
    }
    if fields.has("company_account_numbers") {
        return fields.key_list("company_account_numbers").max_items(200).get().map(|keys| {
            let plain = |(index, company)| PlaceInput {
                field: format!("company_account_numbers[{index}]"),
                company: Some(Reference::Key(company)),
                role: Sent::Absent,
                designation: Sent::Absent,
                is_primary: Sent::Absent,
            };
            keys.into_iter().enumerate().map(plain).collect()
        });
    }
    read_place(fields, false).map_or(Sent::Absent, |place| Sent::Value(vec![place]))
}

/// One place: the company as `account_number` (in a list) or `company_id`, with what they are there.
fn read_place(fields: &mut Fields, in_list: bool) -> Option<PlaceInput> {
    let key =
        if in_list && (fields.has("account_number") || !fields.has("company_id")) { "account_number" } else { "company_id" };
    let company = if key == "account_number" {
        fields.key(key).max(50).value().map(Reference::Key)
    } else {
        fields.reference(key).max(50).value()
    };
    if company.is_none() && in_list {
        fields.refuse(key, "is required");
    }
    let place = PlaceInput {
        field: key.to_owned(),
        company,
        role: fields.text("role").one_of(ROLES).get(),
        designation: fields.text("designation").one_of(DESIGNATIONS).get(),
        is_primary: fields.bool("is_primary").get(),
    };
    let says = place.role.is_sent() || place.designation.is_sent() || place.is_primary.is_sent();
    (place.company.is_some() || says && !in_list).then_some(place)
}

impl PlaceInput {
    /// Whether there is anything to be in a company, beyond nothing.
    #[must_use]
    pub fn is_something(&self) -> bool {
        let value = |sent: &Sent<String>| matches!(sent, Sent::Value(_));
        value(&self.role) || value(&self.designation) || matches!(self.is_primary, Sent::Value(true))
    }
}

impl ContactInput {
    /// Puts what was sent into a row. A name that was made of first and last name follows them.
    ///
    /// # Errors
    /// Those of [`Patch::apply`].
    pub fn apply(&self, to: &mut Contact) -> Result<()> {
        let before = to.composed_name();
        let whole = |contact: &Contact| contact.first_name.is_some() && contact.last_name.is_some();
        let follows = !self.contact.has("name")
            && (to.name.is_empty() || to.name == before || before.is_empty() && whole(self.contact.row()));
        self.contact.apply(to)?;
        let composed = to.composed_name();
        if follows && !composed.is_empty() {
            to.name = composed;
        }
        Ok(())
    }
}

/// What [`read`] takes for a new one, as the API description says it.
pub fn new_body(schemas: &mut Schemas) -> Value {
    let body = json::with(schema::new::<Contact>(schemas), &more());
    json::with_one_of(body, &["name", "full_name", "first_name", "last_name"])
}

/// What [`read`] takes for a change.
pub fn changed_body(schemas: &mut Schemas) -> Value {
    json::with(schema::changed::<Contact>(schemas), &more())
}

fn role() -> Value {
    json::or_null(json::choice(ROLES))
}

fn designation() -> Value {
    json::or_null(json::choice(DESIGNATIONS))
}

/// What may be sent beside the fields of the table.
fn more() -> Vec<(&'static str, Value)> {
    let place = json::with(
        json::object(&[("account_number", json::company())]),
        &[("role", role()), ("designation", designation()), ("is_primary", json::flag())],
    );
    vec![
        ("companies", json::array(place)),
        ("company_account_numbers", json::array(json::company())),
        ("company_id", json::company()),
        ("role", role()),
        ("designation", designation()),
        ("is_primary", json::flag()),
        ("asset_ids", json::array(json::id_of("asset"))),
        ("protected_as", json::choice(LEVELS)),
    ]
}
