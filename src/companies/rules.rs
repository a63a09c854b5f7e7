//! What a company's fields must be: stated once for JSON, forms and imports.

use super::location::Location;
use super::model::{COMPLIANCE_LEVELS, Company, KINDS};
use crate::error::{Error, Result};
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
    /// Each other field's effect.
    company: Company,
    sent: Vec<&'static str>,
}

/// Reads the fields of a write.
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read(mut fields: Fields, creating: bool) -> Result<CompanyInput> {
    fields.set_creating(creating);
    for (name, other) in [
        ("plan", "billing_plan"),
        ("plan", "plan_selected"),
        ("contract_term", "contract_term_length"),
        ("main_number", "company_main_number"),
        ("start_date", "company_start_date"),
        ("parent_id", "parent"),
    ] {
        fields.alias(name, other);
    }
    // Only a new number is checked: an imported one that is repeated here stays what it is.
    let sent = fields.raw_text("account_number").map(str::to_owned);
    let check = move |number: &String| if creating { check_number(number, sent.as_deref()) } else { Ok(()) };
    let mut input = CompanyInput {
        account_number: fields.key("account_number").max(50).check(check).value(),
        parent: fields.reference("parent_id").max(50).get(),
        company: Company::default(),
        sent: Vec::new(),
    };
    let company = &mut input.company;
    let sent = &mut input.sent;
    let mut keep = |name: &'static str, is_sent: bool| {
        if is_sent {
            sent.push(name);
        }
    };
    macro_rules! take {
        ($($name:ident: $read:expr),+ $(,)?) => {$(
            let value = $read;
            keep(stringify!($name), value.is_sent());
            value.store(&mut company.$name);
        )+};
    }
    let name = fields.text("name").required().max(150).get();
    keep("name", name.is_sent());
    name.store_value(&mut company.name);
    let kind = fields.text("kind").not_null().one_of(KINDS).get();
    keep("kind", kind.is_sent());
    kind.store_value(&mut company.kind);
    let level = fields.text("compliance_level").not_null().one_of(COMPLIANCE_LEVELS).get();
    keep("compliance_level", level.is_sent());
    level.store_value(&mut company.compliance_level);
    take! {
        description: fields.text("description").max(10_000).get(),
        billing_contact_id: fields.int("billing_contact_id").get(),
        plan: fields.text("plan").max(100).get(),
        contract_term: fields.text("contract_term").max(50).get(),
        contract_start_date: fields.text("contract_start_date").date().get(),
        contract_end_date: fields.text("contract_end_date").date().get(),
        support_level: fields.text("support_level").max(100).get(),
        profit_or_non_profit: fields.text("profit_or_non_profit").max(50).get(),
        main_number: fields.text("main_number").max(50).get(),
        start_date: fields.text("start_date").max(100).get(),
        address: fields.text("address").max(2_000).get(),
        phone_system: fields.text("phone_system").max(100).get(),
        email_system: fields.text("email_system").max(100).get(),
        managed_users: fields.text("managed_users").max(100).get(),
        managed_devices: fields.text("managed_devices").max(100).get(),
        managed_network: fields.text("managed_network").max(100).get(),
        head_user_id: fields.int("head_user_id").get(),
        head_name: fields.text("head_name").max(150).get(),
        prime_user_id: fields.int("prime_user_id").get(),
        prime_user_name: fields.text("prime_user_name").max(150).get(),
        primary_contact_name: fields.text("primary_contact_name").max(150).get(),
        datto_portal_url: fields.text("datto_portal_url").max(255).url().get(),
        life_quiet_days: days(&mut fields, "life_quiet_days"),
        life_stale_days: days(&mut fields, "life_stale_days"),
        life_archived_days: days(&mut fields, "life_archived_days"),
        domains: fields
            .text_list("domains")
            .max_items(200)
            .max_each(253)
            .get()
            .map(|list| serde_json::json!(list).to_string()),
    }
    fields.finish()?;
    Ok(input)
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

/// After how many days out of sight a device's stage of life begins.
fn days(fields: &mut Fields, name: &'static str) -> Sent<i64> {
    let range = |days: &i64| if (1..=3650).contains(days) { Ok(()) } else { Err("must be from 1 to 3650 days".to_owned()) };
    fields.int(name).check(range).get()
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

impl CompanyInput {
    /// Whether this field was sent.
    #[must_use]
    pub fn sets(&self, name: &str) -> bool {
        self.sent.contains(&name)
    }

    /// Puts what was sent into a row.
    pub fn apply(&self, to: &mut Company) {
        macro_rules! copy {
            ($($name:ident),+ $(,)?) => {
                for name in &self.sent {
                    match *name {
                        $(stringify!($name) => to.$name.clone_from(&self.company.$name),)+
                        _ => {}
                    }
                }
            };
        }
        copy!(
            name,
            kind,
            compliance_level,
            description,
            billing_contact_id,
            plan,
            contract_term,
            contract_start_date,
            contract_end_date,
            support_level,
            profit_or_non_profit,
            main_number,
            start_date,
            address,
            phone_system,
            email_system,
            managed_users,
            managed_devices,
            managed_network,
            head_user_id,
            head_name,
            prime_user_id,
            prime_user_name,
            primary_contact_name,
            datto_portal_url,
            life_quiet_days,
            life_stale_days,
            life_archived_days,
            domains,
        );
    }
}

/// What was sent for a location, checked.
#[derive(Clone, Debug, Default)]
pub struct LocationInput {
    name: Sent<String>,
    address: Sent<String>,
    phone_number: Sent<String>,
}

/// Reads the fields of a location; a new one needs a name and an address (contract §1.10).
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read_location(mut fields: Fields, creating: bool) -> Result<LocationInput> {
    fields.set_creating(creating);
    let input = LocationInput {
        name: fields.text("name").required().max(150).get(),
        address: fields.text("address").required().max(255).get(),
        phone_number: fields.text("phone_number").max(50).get(),
    };
    fields.finish()?;
    Ok(input)
}

impl LocationInput {
    /// A new location of a company.
    #[must_use]
    pub fn of_company(&self, company_id: i64) -> Location {
        let mut location = Location { company_id, ..Location::default() };
        self.apply(&mut location);
        location
    }

    /// Puts what was sent into a row.
    pub fn apply(&self, to: &mut Location) {
        self.name.clone().store_value(&mut to.name);
        self.address.clone().store(&mut to.address);
        self.phone_number.clone().store(&mut to.phone_number);
    }
}
