//! Which of our columns can be written to which field of a Freshservice record, and how each is spelled there.

use serde_json::{Map, Value};

use super::model::{Operation, Values};
use crate::{
    companies::Company,
    config::FieldNames,
    contacts::Contact,
    error::{Error, Result},
    history::Record,
    vendors::freshservice::wire::Fields,
};

/// Where a value is in the vendor's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A member of the record.
    Plain(&'static str),
    /// A custom field, by our name for it.
    Custom(&'static str),
}

/// What kind of value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Text,
    /// Text here, an integer there when it is one.
    Number,
    Id,
    Flag,
    Texts,
}

/// A column that the vendor has, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Our column.
    pub column: &'static str,
    place: Place,
    shape: Shape,
}

const fn plain(column: &'static str, shape: Shape) -> Field {
    Field { column, place: Place::Plain(column), shape }
}

const fn called(column: &'static str, theirs: &'static str, shape: Shape) -> Field {
    Field { column, place: Place::Plain(theirs), shape }
}

const fn custom(column: &'static str, name: &'static str) -> Field {
    Field { column, place: Place::Custom(name), shape: Shape::Text }
}

/// The account number of a company.
pub const ACCOUNT_NUMBER: Field =
    Field { column: "account_number", place: Place::Custom("account_number"), shape: Shape::Number };

const COMPANY: &[Field] = &[
    ACCOUNT_NUMBER,
    plain("name", Shape::Text),
    plain("description", Shape::Text),
    plain("head_user_id", Shape::Id),
    plain("prime_user_id", Shape::Id),
    plain("domains", Shape::Texts),
    custom("plan", "plan_selected"),
    custom("contract_term", "contract_term"),
    custom("contract_start_date", "contract_start_date"),
    custom("contract_end_date", "contract_end_date"),
    custom("support_level", "support_level"),
    custom("profit_or_non_profit", "profit_or_non_profit"),
    custom("main_number", "company_main_number"),
    custom("start_date", "company_start_date"),
    custom("address", "address"),
    custom("phone_system", "phone_system"),
    custom("email_system", "email_system"),
    custom("datto_portal_url", "datto_portal_url"),
    custom("managed_users", "managed_users"),
    custom("managed_devices", "managed_devices"),
    custom("managed_network", "managed_network"),
];

const CONTACT: &[Field] = &[
    plain("first_name", Shape::Text),
    plain("last_name", Shape::Text),
    called("email", "primary_email", Shape::Text),
    plain("secondary_emails", Shape::Texts),
    plain("job_title", Shape::Text),
    plain("mobile_phone_number", Shape::Text),
    plain("work_phone_number", Shape::Text),
    plain("address", Shape::Text),
    plain("reporting_manager_id", Shape::Id),
    plain("location_id", Shape::Id),
    plain("language", Shape::Text),
    plain("time_zone", Shape::Text),
    plain("time_format", Shape::Text),
    called("can_see_all_tickets", "can_see_all_tickets_from_associated_departments", Shape::Flag),
    called("can_see_all_changes", "can_see_all_changes_from_associated_departments", Shape::Flag),
    plain("background_information", Shape::Text),
    custom("user_number", "user_number"),
];

const TICKET: &[Field] = &[plain("status", Shape::Id), plain("priority", Shape::Id)];

/// The fields that an operation can write.
fn of(operation: Operation) -> &'static [Field] {
    match operation {
        Operation::Department => COMPANY,
        Operation::Requester => CONTACT,
        Operation::Ticket => TICKET,
        Operation::TicketNote | Operation::SiteVariable => &[],
    }
}

/// The field of a column; `None` when the vendor has none that can be written.
#[must_use]
pub fn find(operation: Operation, column: &str) -> Option<Field> {
    of(operation).iter().copied().find(|field| field.column == column)
}

/// The columns that a person's edit of `column` touches at the vendor: a contact's name is two fields there.
#[must_use]
pub fn behind(operation: Operation, column: &str) -> Vec<&'static str> {
    match (operation, column) {
        (Operation::Requester, "name") => vec!["first_name", "last_name"],
        _ => find(operation, column).map(|field| vec![field.column]).unwrap_or_default(),
    }
}

impl Field {
    /// The vendor's key, and whether it is among the custom fields.
    fn key<'n>(&self, record: &Map<String, Value>, names: &'n FieldNames) -> (&'n str, bool)
    where
        'static: 'n,
    {
        match self.place {
            Place::Plain(key) => (key, false),
            // Some tenants keep the plan under the other of its two names.
            Place::Custom("plan_selected") => {
                let (first, second) = (names.vendor_name("plan_selected"), names.vendor_name("billing_plan"));
                let has = |key: &str| record.get("custom_fields").is_some_and(|custom| custom.get(key).is_some());
                (if !has(first) && has(second) { second } else { first }, true)
            }
            Place::Custom(name) => (names.vendor_name(name), true),
        }
    }

    /// What the vendor's record says, in our words.
    #[must_use]
    pub fn read(&self, record: &Map<String, Value>, names: &FieldNames) -> Value {
        let none = Map::new();
        let (key, is_custom) = self.key(record, names);
        let mut fields = if is_custom { Fields::custom(record, &none) } else { Fields::new(record) };
        match self.shape {
            Shape::Text | Shape::Number => fields.text(key).value().into(),
            Shape::Id => fields.id(key).value().and_then(|id| id.parse::<i64>().ok()).into(),
            Shape::Flag => fields.flag(key).value().unwrap_or_default().into(),
            Shape::Texts => fields.texts(key).value().into(),
        }
    }

    /// Our stored value, in the form that [`Field::read`] gives.
    #[must_use]
    pub fn ours(&self, stored: &Value) -> Value {
        match (self.shape, stored) {
            (Shape::Texts, Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            (Shape::Text | Shape::Number, Value::String(text)) => {
                let text = text.trim();
                if text.is_empty() { Value::Null } else { text.into() }
            }
            // SQLite keeps flags as numbers.
            (Shape::Flag, Value::Number(number)) => (number.as_i64() == Some(1)).into(),
            _ => stored.clone(),
        }
    }

    /// Puts a value into the body of a write, as the vendor spells it.
    pub fn put(&self, wanted: &Value, record: &Map<String, Value>, names: &FieldNames, body: &mut Map<String, Value>) {
        let (key, is_custom) = self.key(record, names);
        let now = if is_custom { record.get("custom_fields").and_then(|custom| custom.get(key)) } else { record.get(key) };
        let spelled = self.spell(wanted, now);
        if !is_custom {
            body.insert(key.to_owned(), spelled);
            return;
        }
        let custom = body.entry("custom_fields").or_insert_with(|| Value::Object(Map::new()));
        if !custom.is_object() {
            *custom = Value::Object(Map::new());
        }
        if let Some(custom) = custom.as_object_mut() {
            custom.insert(key.to_owned(), spelled);
        }
    }

    /// A number where the vendor has a number, or where our number is one that keeps its digits.
    fn spell(&self, wanted: &Value, now: Option<&Value>) -> Value {
        match (self.shape, wanted) {
            (Shape::Texts, Value::Null) => Value::Array(Vec::new()),
            (Shape::Text | Shape::Number, Value::String(text))
                if self.shape == Shape::Number || matches!(now, Some(Value::Number(_))) =>
            {
                text.parse::<i64>().ok().filter(|number| number.to_string() == *text).map_or_else(|| wanted.clone(), Value::from)
            }
            _ => wanted.clone(),
        }
    }
}

/// What a record says of these fields, in our words.
#[must_use]
pub fn read(operation: Operation, wanted: &Values, record: &Map<String, Value>, names: &FieldNames) -> Values {
    let told = |column: &String| Some((column.clone(), find(operation, column)?.read(record, names)));
    wanted.keys().filter_map(told).collect()
}

/// Our row's values of these columns, as they are wanted at the vendor.
///
/// # Errors
/// `Invalid` for a column that the vendor has no field for.
pub fn wanted<R: Record>(operation: Operation, row: &R, columns: &[&str]) -> Result<Values> {
    let stored = row.values();
    let mut wanted = Values::new();
    for column in columns {
        let field = find(operation, column)
            .ok_or_else(|| Error::field("fields", format!("Freshservice has no field for {column} that can be written")))?;
        let at = R::COLUMNS.iter().position(|name| name == column);
        let value = at.and_then(|at| stored.get(at)).map(crate::db::Value::to_json).unwrap_or_default();
        wanted.insert((*column).to_owned(), field.ours(&value));
    }
    Ok(wanted)
}

/// What a person's edit of these columns wants at the vendor, for a company or a contact.
///
/// # Errors
/// As [`wanted`].
pub fn of_company(company: &Company, column: &str) -> Result<Values> {
    wanted(Operation::Department, company, &[column])
}

/// As [`of_company`], for a contact: their name is written as first and last name.
///
/// # Errors
/// As [`wanted`].
pub fn of_contact(contact: &Contact, column: &str) -> Result<Values> {
    if column != "name" {
        return wanted(Operation::Requester, contact, &[column]);
    }
    let parts = [contact.first_name.as_deref(), contact.last_name.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    if parts == contact.name {
        return wanted(Operation::Requester, contact, &["first_name", "last_name"]);
    }
    let (first, last) = contact.name.rsplit_once(' ').unwrap_or((contact.name.as_str(), ""));
    let some = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    Ok([("first_name".to_owned(), some(first)), ("last_name".to_owned(), some(last))].into_iter().collect())
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
