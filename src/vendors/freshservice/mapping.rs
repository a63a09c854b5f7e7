//! From Freshservice's records to our columns. A field the record does not tell about is not in the
//! map, and what we have stays; a field it says is empty is null.

use serde_json::{Map, Value};

use super::wire::{FieldValue, Fields, id};
use crate::{companies::contract, config::FieldNames, db::Value as Cell, plan::record::SourceRecord};

/// Account numbers that our own addresses need (`/api/companies/bulk`).
const RESERVED_NUMBERS: [&str; 3] = ["bulk", "api", "search"];

impl SourceRecord {
    fn put(&mut self, column: &'static str, told: FieldValue<String>) {
        match told {
            FieldValue::Absent => {}
            FieldValue::Empty => self.values.set(column, Cell::Null),
            FieldValue::Value(text) => self.values.set(column, text),
        }
    }

    /// A calendar day in our one form; what names none, or could name two, is reported and not told.
    fn day(&mut self, column: &str, told: FieldValue<String>) -> FieldValue<String> {
        match told {
            FieldValue::Value(said) => match contract::day(&said) {
                Some(day) => FieldValue::Value(day),
                None => {
                    self.ignored.push(format!("custom_fields.{column} is not a certain day"));
                    FieldValue::Absent
                }
            },
            other => other,
        }
    }

    fn put_id(&mut self, column: &'static str, told: FieldValue<String>) {
        match told {
            FieldValue::Value(digits) => {
                if let Ok(number) = digits.parse::<i64>() {
                    self.values.set(column, number);
                }
            }
            other => self.put(column, other),
        }
    }

    fn put_flag(&mut self, column: &'static str, told: FieldValue<bool>) {
        match told {
            FieldValue::Absent => {}
            FieldValue::Empty => self.values.set(column, false),
            FieldValue::Value(flag) => self.values.set(column, flag),
        }
    }

    fn put_list(&mut self, column: &'static str, told: FieldValue<Vec<String>>) {
        match told {
            FieldValue::Value(list) if !list.is_empty() => self.put(column, FieldValue::Value(Value::from(list).to_string())),
            FieldValue::Value(_) | FieldValue::Empty => self.put(column, FieldValue::Empty),
            FieldValue::Absent => {}
        }
    }
}

/// Whether a value is that of a check box or of a choice of several.
#[must_use]
pub fn is_choice(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::Array(list) => !list.is_empty() && !list.iter().any(|one| one.is_array() || one.is_object()),
        _ => false,
    }
}

/// The longest object of custom fields that is kept, in bytes.
const LONGEST_OBJECT: usize = 100_000;

/// The record's check boxes and choices of several that have no column of their own, as JSON with sorted keys. Other
/// fields stay at the vendor: nobody here knows which of them are secrets.
pub fn custom_fields(record: &Map<String, Value>, is_mapped: impl Fn(&str) -> bool) -> FieldValue<String> {
    let Some(said) = record.get("custom_fields") else { return FieldValue::Absent };
    let Some(object) = said.as_object() else { return FieldValue::Absent };
    let kept: std::collections::BTreeMap<&String, &Value> =
        object.iter().filter(|(name, value)| is_choice(value) && !is_mapped(name)).collect();
    match serde_json::to_string(&kept) {
        _ if kept.is_empty() => FieldValue::Empty,
        Ok(text) if text.len() <= LONGEST_OBJECT => FieldValue::Value(text),
        _ => FieldValue::Absent,
    }
}

/// A department (in "for MSPs": a company). `None` without a usable id.
#[must_use]
pub fn company_from(record: &Map<String, Value>, names: &FieldNames) -> Option<SourceRecord> {
    let mut mapped = SourceRecord { external_id: record.get("id").and_then(id)?, ..SourceRecord::default() };
    let mut fields = Fields::new(record);
    let none = Map::new();
    let mut custom = Fields::custom(record, &none);
    let name = fields.text("name");
    mapped.label = name.clone().value().unwrap_or_else(|| format!("Department {}", mapped.external_id));
    if matches!(name, FieldValue::Value(_)) {
        mapped.put("name", name);
    }
    for column in ["description", "head_name", "prime_user_name"] {
        mapped.put(column, fields.text(column));
    }
    for column in ["head_user_id", "prime_user_id", "workspace_id"] {
        mapped.put_id(column, fields.id(column));
    }
    mapped.put_list("domains", fields.texts("domains"));
    mapped.put("vendor_created_at", fields.text("created_at"));
    if let FieldValue::Value(at) = fields.text("updated_at") {
        mapped.observed.set("vendor_updated_at", at);
    }
    let plan = custom.word(names.vendor_name("plan_selected")).or(custom.word(names.vendor_name("billing_plan")));
    mapped.put("plan", plan);
    for (column, ours) in [
        ("profit_or_non_profit", "profit_or_non_profit"),
        ("main_number", "company_main_number"),
        ("start_date", "company_start_date"),
        ("address", "address"),
        ("support_level", "support_level"),
        ("phone_system", "phone_system"),
        ("email_system", "email_system"),
        ("datto_portal_url", "datto_portal_url"),
        ("managed_users", "managed_users"),
        ("managed_devices", "managed_devices"),
        ("managed_network", "managed_network"),
    ] {
        mapped.put(column, custom.text(names.vendor_name(ours)));
    }
    mapped.put("contract_term", custom.word(names.vendor_name("contract_term")));
    let own = custom_fields(record, |name| names.is_mapped(name));
    mapped.put("custom_fields", own);
    for column in ["contract_start_date", "contract_end_date"] {
        let said = custom.word(names.vendor_name(column));
        let day = mapped.day(column, said);
        mapped.put(column, day);
    }
    mapped.ignored.extend(fields.ignored());
    mapped.account_number = custom.word(names.vendor_name("account_number")).value().and_then(|number| {
        let usable = usable_number(&number);
        if !usable {
            mapped.ignored.push(format!("the account number {number:?} cannot be used"));
        }
        usable.then_some(number)
    });
    mapped.ignored.extend(custom.ignored());
    Some(mapped)
}

/// Whether an account number can stand in an address and in other programs' columns.
fn usable_number(number: &str) -> bool {
    let plain = number.chars().all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '/' | '?' | '#' | '%' | '\\'));
    plain && number.len() <= 50 && !number.starts_with('-') && number != "0" && !RESERVED_NUMBERS.contains(&number)
}

/// A requester (in "for MSPs": a contact). `None` without a usable id.
#[must_use]
pub fn contact_from(record: &Map<String, Value>, names: &FieldNames) -> Option<SourceRecord> {
    let mut mapped = SourceRecord { external_id: record.get("id").and_then(id)?, ..SourceRecord::default() };
    let mut fields = Fields::new(record);
    let none = Map::new();
    let mut custom = Fields::custom(record, &none);
    person(&mut mapped, &mut fields, "Requester");
    for column in ["job_title", "address", "location_name", "language", "time_zone", "time_format", "background_information"] {
        mapped.put(column, fields.text(column));
    }
    let mobile = fields.text("mobile_phone_number").or(fields.text("mobile"));
    mapped.put("mobile_phone_number", mobile);
    let work = fields.text("work_phone_number").or(fields.text("phone"));
    mapped.put("work_phone_number", work);
    for column in ["reporting_manager_id", "location_id", "work_schedule_id"] {
        mapped.put_id(column, fields.id(column));
    }
    mapped.put_list("secondary_emails", fields.texts("secondary_emails"));
    if let FieldValue::Value(active) = fields.flag("active") {
        mapped.values.set("active", active);
    }
    for (column, theirs) in [
        ("vip_user", "vip_user"),
        ("can_see_all_tickets", "can_see_all_tickets_from_associated_departments"),
        ("can_see_all_changes", "can_see_all_changes_from_associated_departments"),
    ] {
        mapped.put_flag(column, fields.flag(theirs));
    }
    mapped.put("vendor_reference", fields.text("external_id"));
    mapped.put("vendor_created_at", fields.text("created_at"));
    if let FieldValue::Value(at) = fields.text("updated_at") {
        mapped.observed.set("vendor_updated_at", at);
    }
    if let FieldValue::Value(flag) = fields.flag("has_logged_in") {
        mapped.observed.set("has_logged_in", flag);
    }
    mapped.put("custom_fields", custom_fields(record, |name| names.is_mapped(name)));
    mapped.put("user_number", custom.text(names.vendor_name("user_number")));
    mapped.companies = companies(&mut fields);
    mapped.ignored.extend(fields.ignored());
    mapped.ignored.extend(custom.ignored());
    Some(mapped)
}

/// Whether a record of the requesters' list is really an agent.
#[must_use]
pub fn is_agent(record: &Map<String, Value>) -> bool {
    Fields::new(record).flag("is_agent") == FieldValue::Value(true)
}

/// The companies of a person, whichever of the four spellings the product uses.
fn companies(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let many = fields.ids("department_ids").or(fields.ids("company_ids"));
    let told = match many {
        FieldValue::Absent => match fields.id("department_id").or(fields.id("company_id")) {
            FieldValue::Value(id) => FieldValue::Value(vec![id]),
            FieldValue::Empty => FieldValue::Empty,
            FieldValue::Absent => FieldValue::Absent,
        },
        told => told,
    };
    match told {
        FieldValue::Absent => None,
        FieldValue::Empty => Some(Vec::new()),
        FieldValue::Value(mut ids) => {
            let mut seen = std::collections::HashSet::new();
            ids.retain(|id| seen.insert(id.clone()));
            Some(ids)
        }
    }
}

/// A vendor's agent. `None` without a usable id.
#[must_use]
pub fn agent_from(record: &Map<String, Value>) -> Option<SourceRecord> {
    let mut mapped = SourceRecord { external_id: record.get("id").and_then(id)?, ..SourceRecord::default() };
    let mut fields = Fields::new(record);
    person(&mut mapped, &mut fields, "Agent");
    mapped.values.remove("name");
    mapped.put("job_title", fields.text("job_title"));
    if let FieldValue::Value(active) = fields.flag("active") {
        mapped.values.set("active", active);
    }
    mapped.put_list("department_ids", fields.ids("department_ids"));
    let groups = fields.ids("group_ids").or(fields.ids("member_of"));
    mapped.put_list("group_ids", groups);
    mapped.put("vendor_created_at", fields.text("created_at"));
    if let FieldValue::Value(at) = fields.text("updated_at") {
        mapped.observed.set("vendor_updated_at", at);
    }
    mapped.ignored.extend(fields.ignored());
    Some(mapped)
}

/// Names and e-mail, which every kind of person has, and the label made of them.
fn person(mapped: &mut SourceRecord, fields: &mut Fields<'_>, what: &str) {
    let (first, last, whole) = (fields.text("first_name"), fields.text("last_name"), fields.text("name"));
    let email = match fields.text("primary_email").or(fields.text("email")) {
        FieldValue::Value(email) if !usable_email(&email) => {
            mapped.ignored.push(format!("{email:?} is no e-mail address"));
            FieldValue::Absent
        }
        told => told,
    };
    let parts: Vec<String> = [&first, &last].into_iter().filter_map(|told| told.clone().value()).collect();
    let local = |email: &FieldValue<String>| email.clone().value().and_then(|e| Some(e.split_once('@')?.0.to_owned()));
    let name = if parts.is_empty() { whole.value().or_else(|| local(&email)) } else { Some(parts.join(" ")) };
    mapped.label = match (&name, &email) {
        (Some(name), FieldValue::Value(email)) => format!("{name} <{email}>"),
        (Some(name), _) => name.clone(),
        (None, _) => format!("{what} {}", mapped.external_id),
    };
    let doubtful = fields.is_odd("first_name") || fields.is_odd("last_name");
    if let (Some(name), false) = (name, doubtful) {
        mapped.values.set("name", name);
    }
    mapped.put("first_name", first);
    mapped.put("last_name", last);
    match email {
        FieldValue::Absent => {}
        FieldValue::Empty => mapped.values.set("email", ""),
        FieldValue::Value(email) => mapped.values.set("email", email),
    }
}

fn usable_email(email: &str) -> bool {
    let parts = email.split_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
    parts.is_some() && email.len() <= 320 && !email.contains(char::is_whitespace)
}
