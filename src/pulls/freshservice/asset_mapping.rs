//! From Freshservice's assets to our columns. The fields of a type carry the number of the type that
//! defines them (`serial_number_21000380001`), which is taken off.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::{
    assets::model::type_of_category,
    companies::contract,
    db::Value as Cell,
    reconcile::assets::{DeviceRecord, device_identifiers},
    types::clean,
    vendors::freshservice::{
        mapping::{custom_fields, is_choice},
        wire::{FieldValue, Fields, id},
    },
};

/// What the numbers in a record mean here.
#[derive(Clone, Debug, Default)]
pub struct References {
    /// Names of types, and the types they stand below.
    pub types: HashMap<String, (String, Option<String>)>,
    /// Our companies by department.
    pub companies: HashMap<String, i64>,
    /// Our contacts by requester.
    pub contacts: HashMap<String, i64>,
}

/// Types at the root of the tree that are no devices.
const NO_DEVICES: &[&str] =
    &["software", "saas", "services", "service", "business service", "it service", "document", "documents"];

/// Fields of types that have a place of their own here.
const KNOWN: [&str; 14] = [
    "hostname",
    "computer_name",
    "serial_number",
    "os",
    "os_version",
    "domain",
    "warranty_expiry_date",
    "vendor",
    "product",
    "mac_addresses",
    "mac_address",
    "asset_state",
    "acquisition_date",
    "last_login_by",
];

/// How deep the tree of types may be.
const DEPTH: usize = 20;

impl References {
    fn type_name(&self, id: &str) -> Option<&str> {
        self.types.get(id).map(|(name, _)| name.as_str())
    }

    /// The normalised type: of the type itself, else of the nearest one above that says something.
    fn kind(&self, id: &str) -> &'static str {
        self.line(id).map(type_of_category).find(|kind| *kind != "other").unwrap_or("other")
    }

    /// Whether records of this type are things that somebody uses.
    fn is_device(&self, id: &str) -> bool {
        !self.line(id).last().is_some_and(|root| NO_DEVICES.contains(&root.to_lowercase().as_str()))
    }

    fn line<'k>(&'k self, id: &str) -> impl Iterator<Item = &'k str> {
        let first = self.types.get(id);
        std::iter::successors(first, |(_, parent)| self.types.get(parent.as_deref()?)).take(DEPTH).map(|(name, _)| name.as_str())
    }
}

/// A type's id, name and parent.
#[must_use]
pub fn asset_type(record: &Map<String, Value>) -> Option<(String, (String, Option<String>))> {
    let name = clean(record.get("name").and_then(Value::as_str)?);
    Some((record.get("id").and_then(id)?, (name, record.get("parent_asset_type_id").and_then(id))))
}

/// The members of a type's fields that are used. Others may be secrets (licence and product keys) and are not
/// even staged.
const USED: &[&str] = &[
    "hostname",
    "computer_name",
    "serial_number",
    "os",
    "os_version",
    "domain",
    "warranty_expiry_date",
    "vendor",
    "product",
    "mac_address",
    "mac_addresses",
    "asset_state",
    "acquisition_date",
];

/// A record as it is staged.
#[must_use]
pub fn short(record: &Map<String, Value>) -> Map<String, Value> {
    let mut short = record.clone();
    if let Some(Value::Object(fields)) = short.get_mut("type_fields") {
        fields.retain(|name, value| USED.contains(&bare(name)) || is_choice(value));
    }
    short
}

fn bare(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((bare, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => bare,
        _ => name,
    }
}

/// The members of a type's fields without the number at their end.
fn plain(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut plain = Map::new();
    for (name, value) in fields {
        let bare = bare(name);
        if plain.get(bare).is_none_or(Value::is_null) {
            plain.insert(bare.to_owned(), value.clone());
        }
    }
    plain
}

/// One asset in our words; `None` without a usable id, or when it is no device. One without a name goes by its number.
#[must_use]
pub fn asset_from(record: &Map<String, Value>, known: &References) -> Option<DeviceRecord> {
    let external_id = record.get("id").and_then(id)?;
    let none = Map::new();
    let typed = plain(record.get("type_fields").and_then(Value::as_object).unwrap_or(&none));
    let (mut fields, mut inner) = (Fields::new(record), Fields::new(&typed));
    let kind = fields.id("asset_type_id").value();
    if kind.as_deref().is_some_and(|kind| !known.is_device(kind)) {
        return None;
    }
    let name =
        inner.text("hostname").value().or_else(|| inner.text("computer_name").value()).or_else(|| fields.text("name").value());
    let mut told = DeviceRecord::default();
    match name {
        Some(name) => {
            let hostname: String = name.chars().take(150).collect();
            told.label.clone_from(&hostname);
            told.values.set("hostname", hostname);
        }
        None => {
            told.label = format!("Asset {}", record.get("display_id").and_then(id).unwrap_or_else(|| external_id.clone()));
            told.ignored.push("it has no usable name".to_owned());
        }
    }
    told.external_id = external_id;
    if let Some(kind) = kind {
        told.values.set("kind", known.kind(&kind));
        told.values.set("hardware_type", known.type_name(&kind).map(str::to_owned));
    }
    for (column, said) in [
        ("asset_tag", fields.text("asset_tag")),
        ("description", fields.text("description")),
        ("serial_number", inner.text("serial_number")),
        ("operating_system", inner.text("os")),
        ("os_version", inner.text("os_version")),
        ("domain", inner.text("domain")),
        ("purchase_date", day(inner.text("acquisition_date"))),
        ("warranty_expires", day(inner.text("warranty_expiry_date"))),
    ] {
        put(&mut told, column, said);
    }
    // What a maker's contractor left is no serial number.
    if told.values.get("serial_number").is_some() && device_identifiers::is_placeholder(told.values.text("serial_number")) {
        told.values.set("serial_number", Cell::Null);
    }
    for (column, member) in [("manufacturer", "vendor"), ("model", "product")] {
        // Often the number of another record, which means nothing here.
        if let Some(Value::String(name)) = typed.get(member) {
            put(&mut told, column, FieldValue::Value(clean(name)));
        }
    }
    told.macs = macs(typed.get("mac_addresses").or_else(|| typed.get("mac_address")));
    // The list has no order that means anything: an address of a maker's before one that wanders or is made up.
    let best = told.macs.iter().filter_map(|mac| device_identifiers::address(mac)).min_by_key(|(_, standing)| *standing);
    if let Some((mac, _)) = best {
        told.values.set("mac_address", device_identifiers::spelled(&mac));
    }
    match fields.id("department_id") {
        FieldValue::Value(department) => {
            if let Some(company) = known.companies.get(&department) {
                told.values.set("company_id", *company);
            }
        }
        FieldValue::Empty => told.values.set("company_id", Cell::Null),
        FieldValue::Absent => {}
    }
    told.users = match fields.id("user_id") {
        FieldValue::Value(user) => known.contacts.get(&user).map(|contact| vec![*contact]),
        FieldValue::Empty => Some(Vec::new()),
        FieldValue::Absent => None,
    };
    for (name, said) in [
        ("display_id", fields.id("display_id")),
        ("location_id", fields.id("location_id")),
        ("usage_type", fields.text("usage_type")),
        ("end_of_life", day(fields.text("end_of_life"))),
        ("asset_state", inner.text("asset_state")),
    ] {
        if let FieldValue::Value(value) = said {
            told.extras.set(name, value);
        }
    }
    let more: std::collections::BTreeMap<&String, &Value> =
        typed.iter().filter(|(name, value)| is_choice(value) && !KNOWN.contains(&name.as_str())).collect();
    let own = custom_fields(record, |_| false).value();
    for (name, text) in
        [("type_fields", (!more.is_empty()).then(|| serde_json::to_string(&more).unwrap_or_default())), ("custom_fields", own)]
    {
        if let Some(text) = text.filter(|text| text.len() <= 20_000) {
            told.extras.set(name, text);
        }
    }
    told.ignored.extend(fields.ignored());
    told.ignored.extend(inner.ignored());
    Some(told)
}

fn put(told: &mut DeviceRecord, column: &'static str, said: FieldValue<String>) {
    match said {
        FieldValue::Absent => {}
        FieldValue::Empty => told.values.set(column, Cell::Null),
        FieldValue::Value(text) => told.values.set(column, text),
    }
}

/// The day of a date or a time; what is neither says nothing.
fn day(said: FieldValue<String>) -> FieldValue<String> {
    match said {
        FieldValue::Value(text) => contract::day(&text).map_or(FieldValue::Absent, FieldValue::Value),
        other => other,
    }
}

/// Addresses in one text or a list of them.
fn macs(value: Option<&Value>) -> Vec<String> {
    let texts: Vec<&str> = match value {
        Some(Value::String(text)) => text.split([',', ';', '|', '\n']).collect(),
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    // Blanks stand between addresses, or within one.
    let apart = |text| if device_identifiers::address(text).is_some() { vec![text] } else { text.split_whitespace().collect() };
    texts
        .into_iter()
        .flat_map(apart)
        .map(str::trim)
        .filter(|text| !text.is_empty() && text.len() <= 50)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn known() -> References {
        let kind = |name: &str, parent: Option<&str>| (name.to_owned(), parent.map(str::to_owned));
        References {
            types: [
                ("1".to_owned(), kind("Hardware", None)),
                ("2".to_owned(), kind("Laptop", Some("1"))),
                ("3".to_owned(), kind("Software", None)),
            ]
            .into(),
            companies: [("70".to_owned(), 7)].into(),
            contacts: [("80".to_owned(), 8)].into(),
        }
    }

    #[test]
    fn what_is_not_used_is_not_staged() {
        let record = json!({"id": 1, "name": "x", "type_fields": {"hostname_2": "LT-1", "product_key_3": "CANARY", "license_key": "CANARY", "os_2": "Windows"}});
        let short = Value::Object(short(record.as_object().unwrap()));
        assert_eq!(short, json!({"id": 1, "name": "x", "type_fields": {"hostname_2": "LT-1", "os_2": "Windows"}}));
    }

    #[test]
    fn fields_of_types_lose_their_numbers() {
        let record = json!({"id": 21_000_700_001_i64, "display_id": 4, "name": "Reception", "asset_type_id": 2, "asset_tag": "A-4",
            "department_id": 70, "user_id": 80, "end_of_life": "2029-05-01", "type_fields": {"hostname_2": "LT-1", "serial_number_1": "SN7",
            "mac_addresses_2": "D8:BB:C1:AB:CD:EF, 00:50:B6:00:00:01", "warranty_expiry_date_1": "2027-05-01T00:00:00Z", "product_1": 17, "vendor_1": "Maker"}});
        let told = asset_from(record.as_object().unwrap(), &known()).unwrap();
        assert_eq!((told.values.text("hostname"), told.values.text("serial_number")), ("LT-1", "SN7"));
        assert_eq!((told.values.text("kind"), told.values.text("hardware_type")), ("laptop", "Laptop"));
        assert_eq!((told.values.text("warranty_expires"), told.values.text("manufacturer")), ("2027-05-01", "Maker"));
        assert_eq!((told.company(), told.users, told.values.get("model")), (Some(7), Some(vec![8]), None));
        assert_eq!((told.extras.text("display_id"), told.extras.text("end_of_life"), told.macs.len()), ("4", "2029-05-01", 2));
    }

    #[test]
    fn a_makers_address_is_told_whatever_the_order_and_the_spelling() {
        for (said, count) in [
            (json!("da:a1:19:5c:00:17, 00:50:B6:00:00:01, d8-bb-c1-ab-cd-ef"), 3),
            (json!("D8 BB C1 AB CD EF"), 1),
            (json!("00:50:B6:00:00:01 D8:BB:C1:AB:CD:EF"), 2),
            (json!(["20:41:53:59:4e:ff", "d8bb.c1ab.cdef"]), 2),
        ] {
            let record = json!({"id": 1, "name": "LT-1", "asset_type_id": 2, "type_fields": {"mac_addresses_2": said}});
            let told = asset_from(record.as_object().unwrap(), &known()).unwrap();
            assert_eq!((told.values.text("mac_address"), told.macs.len()), ("D8:BB:C1:AB:CD:EF", count), "{said}");
        }
    }

    #[test]
    fn software_is_no_device_and_a_record_without_an_id_is_none() {
        for none in
            [json!({"id": 1, "name": "Editor", "asset_type_id": 3}), json!({"name": "x"}), json!({"id": null, "name": "y"})]
        {
            assert!(asset_from(none.as_object().unwrap(), &known()).is_none(), "{none}");
        }
    }
}
