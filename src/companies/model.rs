//! What a company is: the row, its vocabulary, and its wire shape.

use serde::Serialize;

use crate::compliance::{Lens, Level, Personal, Protected};
use crate::db::Value;
use crate::types::{SearchText, fold};

/// What a company is to the provider.
pub const KINDS: &[&str] = &["client", "vendor", "prospect"];
/// Which rules protect its people's data (contract §1.1.1).
pub use crate::history::protection::LEVELS as COMPLIANCE_LEVELS;

crate::entity! {
    /// A company: a client, a vendor or a prospect.
    pub struct Company: "company", "Company", "companies" {
        /// What neighbours use as the key: unique, never null, always text.
        account_number: String = told("Account number").synced().listed(),
        /// Whether the vendor knows this number; a generated one is written there by `accounts assign`.
        account_number_at_vendor: bool = flag("Account number at the vendor").told().synced().listed(),
        /// Its name.
        name: String = text("Name", 150).required().synced().folded("company.name_folded"),
        /// One of [`KINDS`].
        kind: String = choice("Kind", KINDS).listed(),
        /// Free text.
        description: Option<String> = long("Description", 10_000).synced().listed(),
        /// The company above it in the tree.
        parent_id: Option<i64> = int("Part of").told(),
        /// The contact who gets the invoices.
        billing_contact_id: Option<i64> = int("Billing contact"),
        /// One of [`COMPLIANCE_LEVELS`].
        compliance_level: String = choice("Compliance", COMPLIANCE_LEVELS).listed(),
        /// The billing plan's name.
        plan: Option<String> = text("Plan", 100).also(&["billing_plan", "plan_selected"]).synced(),
        /// How long the contract runs, as the vendor or a person wrote it.
        contract_term: Option<String> = text("Term", 50).also(&["contract_term_length"]).synced().listed(),
        /// `YYYY-MM-DD`.
        contract_start_date: Option<String> = day("Starts").synced().listed(),
        /// `YYYY-MM-DD`.
        contract_end_date: Option<String> = day("Ends").synced().listed(),
        /// Such as `Billed Hourly`.
        support_level: Option<String> = text("Support level", 100).synced().listed(),
        /// The vendor's word for whether it is a profit or a non-profit organisation.
        profit_or_non_profit: Option<String> = text("Profit or non-profit", 50).synced(),
        /// Its main telephone number.
        main_number: Option<String> = phone("Main number", 50).also(&["company_main_number"]).synced(),
        /// Since when it is a client, as the vendor wrote it.
        start_date: Option<String> = text("Client since", 100).also(&["company_start_date"]).synced(),
        /// Its postal address.
        address: Option<String> = long("Address", 2_000).synced(),
        /// Its mail domains: a JSON array as text.
        domains: Option<String> = text_list("Mail domains", 200, 253).synced().listed(),
        /// Such as `Teams Voice`.
        phone_system: Option<String> = text("Phone system", 100).synced().listed(),
        /// Such as `Microsoft 365`.
        email_system: Option<String> = text("E-mail system", 100).synced().listed(),
        /// Whether and how its users are managed.
        managed_users: Option<String> = text("Managed users", 100).synced(),
        /// Whether and how its devices are managed.
        managed_devices: Option<String> = text("Managed devices", 100).synced(),
        /// Whether and how its network is managed.
        managed_network: Option<String> = text("Managed network", 100).synced(),
        /// The vendor's id of its head.
        head_user_id: Option<i64> = int("Head at the vendor").synced(),
        /// Its head's name.
        head_name: Option<String> = text("Head", 150).synced(),
        /// The vendor's id of its prime user.
        prime_user_id: Option<i64> = int("Prime user at the vendor").synced(),
        /// Its prime user's name.
        prime_user_name: Option<String> = text("Prime user", 150).synced(),
        /// Whom to call first, as free text.
        primary_contact_name: Option<String> = text("Call first", 150),
        /// The vendor's workspace.
        workspace_id: Option<i64> = int("Workspace at the vendor").told().synced(),
        /// Its page at Datto.
        datto_portal_url: Option<String> = url("Datto portal", 255).synced(),
        /// After how many days out of sight its devices are quiet; none is the setting's.
        life_quiet_days: Option<i64> = int("Quiet after days").range(1, 3650, "must be from 1 to 3650 days"),
        /// The same for stale.
        life_stale_days: Option<i64> = int("Stale after days").range(1, 3650, "must be from 1 to 3650 days"),
        /// The same for archived.
        life_archived_days: Option<i64> = int("Archived after days").range(1, 3650, "must be from 1 to 3650 days"),
        /// The vendor's custom fields without a column here: a JSON object as text.
        custom_fields: Option<String> = told("Custom fields").synced(),
        /// When the vendor's record was created.
        vendor_created_at: Option<String> = told("Created at the vendor").synced(),
        /// When the vendor's record was last changed.
        vendor_updated_at: Option<String> = told("Changed at the vendor").synced(),
    }
}

impl Company {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        let key = SearchText::new()
            .words([&self.name])
            .ids([&self.account_number])
            .words([&self.description, &self.domains].into_iter().flatten())
            .phones(&self.main_number);
        vec![("name_folded", fold(&self.name).into()), ("search_text", key.finish().into())]
    }

    /// The contract term in the one spelling that Ledger's arithmetic knows (`1-Year`,
    /// `Month to Month`); other words stay as they are (contract §1.8.2).
    #[must_use]
    pub fn term(&self) -> Option<String> {
        self.contract_term.as_deref().map(canonical_term)
    }
}

/// `1 Year`, `1-year`, `12 months` → `1-Year`; `monthly`, `month-to-month` → `Month to Month`.
#[must_use]
pub fn canonical_term(text: &str) -> String {
    let folded = fold(text).replace('-', " ");
    let mut words = folded.split_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let number = first.parse::<u32>().ok();
    match (number, second.trim_end_matches('s'), words.next()) {
        (Some(years @ 1..=9), "year" | "yr", None) => format!("{years}-Year"),
        (Some(months @ (12 | 24 | 36 | 48 | 60)), "month" | "mo", None) => format!("{}-Year", months / 12),
        _ if matches!(folded.as_str(), "monthly" | "month to month" | "m2m" | "month") => "Month to Month".to_owned(),
        _ => text.to_owned(),
    }
}

/// The Company object of contract §1.1.1, with the recommended superset.
#[derive(Clone, Debug, Serialize)]
pub struct CompanyView {
    /// The key that neighbours use.
    pub account_number: String,
    /// Never null.
    pub name: String,
    /// Text or null.
    pub description: Option<String>,
    /// The plan, under the name that Ledger reads; empty without one, never null.
    pub billing_plan: String,
    /// As the vendor wrote it.
    pub profit_or_non_profit: Option<String>,
    /// Telephone.
    pub company_main_number: Option<String>,
    /// Raw text.
    pub company_start_date: Option<String>,
    /// A JSON array inside a string.
    pub domains: Option<String>,
    /// Free text.
    pub phone_system: Option<String>,
    /// Free text.
    pub email_system: Option<String>,
    /// `standard`, `hipaa` or `cjis`.
    pub compliance_level: String,
    /// Canonical (`2-Year`).
    pub contract_term_length: Option<String>,
    /// `YYYY-MM-DD`.
    pub contract_start_date: Option<String>,
    /// `YYYY-MM-DD`.
    pub contract_end_date: Option<String>,
    /// Free text.
    pub support_level: Option<String>,
    /// The row's id.
    pub id: i64,
    /// The company above.
    pub parent_id: Option<i64>,
    /// The contact who gets the invoices.
    pub billing_contact_id: Option<i64>,
    /// `client`, `vendor` or `prospect`.
    pub kind: String,
    /// `active` or `retired`.
    pub status: &'static str,
    /// The first mail domain.
    pub domain: Option<String>,
    /// The Freshservice department.
    pub external_id: Option<i64>,
    /// `freshservice`, or null for a company that people made.
    pub external_source: Option<&'static str>,
    /// The same as `external_id`, under its older name.
    pub freshservice_id: Option<i64>,
    /// The same plan; null without one.
    pub plan_selected: Option<String>,
    /// As the vendor wrote it.
    pub contract_term: Option<String>,
    /// Postal.
    pub address: Option<String>,
    /// Free text.
    pub managed_users: Option<String>,
    /// Free text.
    pub managed_devices: Option<String>,
    /// Free text.
    pub managed_network: Option<String>,
    /// The head's name.
    pub head_name: Option<String>,
    /// The head's vendor id.
    pub head_user_id: Option<i64>,
    /// The prime user's name.
    pub prime_user_name: Option<String>,
    /// The prime user's vendor id.
    pub prime_user_id: Option<i64>,
    /// Free text.
    pub primary_contact_name: Option<String>,
    /// Datto's page.
    pub datto_portal_url: Option<String>,
    /// The vendor's custom fields that have no name here.
    #[serde(serialize_with = "crate::web::json::embedded")]
    pub custom_fields: Option<String>,
    /// After how many days out of sight its devices are quiet; null is the setting's.
    pub life_quiet_days: Option<i64>,
    /// The same for stale.
    pub life_stale_days: Option<i64>,
    /// The same for archived.
    pub life_archived_days: Option<i64>,
    /// Whether the account number is known at the vendor.
    pub account_number_at_vendor: bool,
    /// When it was created at the vendor, or here.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// When it was retired.
    pub retired_at: Option<String>,
    /// What `If-Match` compares.
    pub rev: i64,
    /// Its head, its prime user, and whom to call first, by records of their own.
    #[serde(skip)]
    pub named: [Named; 3],
}

/// One whom a company names, by a record of their own, whosever contact they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named {
    /// How strictly they are protected.
    pub protection: Level,
    /// Whether they are among the people of the companies that the reader's scope holds.
    pub is_met: bool,
}

impl Named {
    /// Who looks at them: a client is nobody's colleague but of their own company's people.
    fn eyes(self, lens: &Lens) -> Lens {
        if self.protection > Level::Standard && !self.is_met { lens.among_strangers() } else { lens.clone() }
    }
}

/// The people whom a company names are protected like its contacts, and as they are themselves when that is stricter.
impl Protected for CompanyView {
    const ENTITY: &'static str = "company";
    const TELLS: &'static [Personal] = &[Personal::Name, Personal::Private];
    type Eyes = Lens;

    fn record(&self) -> i64 {
        self.id
    }

    fn level(&self) -> Level {
        self.named.iter().fold(self.own_level(), |level, named| level.max(named.protection))
    }

    fn is_disclosed_to(&self, lens: &Lens) -> bool {
        let own = self.own_level();
        let bills = [false, false, lens.bills()];
        let names = [&self.head_name, &self.prime_user_name, &self.primary_contact_name];
        let mut people = names.into_iter().zip(self.named).zip(bills);
        people.any(|((name, named), bills)| {
            let level = own.max(named.protection);
            name.is_some() && level > Level::Standard && (bills || named.eyes(lens).shows(level, Personal::Name))
        }) || self.custom_fields.is_some() && own > Level::Standard && lens.shows(own, Personal::Private)
    }

    fn redacted(mut self, lens: &Lens) -> Self {
        let own = self.own_level();
        let bills = [false, false, lens.bills()];
        let places = [&mut self.head_name, &mut self.prime_user_name, &mut self.primary_contact_name];
        for ((place, named), _) in places.into_iter().zip(self.named).zip(bills).filter(|(_, bills)| !bills) {
            *place = named.eyes(lens).see_option(own.max(named.protection), Personal::Name, place.take());
        }
        self.custom_fields = lens.see_option(own, Personal::Private, self.custom_fields).filter(|text| text.starts_with('{'));
        self
    }
}

impl CompanyView {
    /// How strictly its own people are protected.
    fn own_level(&self) -> Level {
        Level::parse(&self.compliance_level)
    }

    /// The wire shape of a row and its Freshservice id.
    #[must_use]
    pub fn new(company: Company, freshservice_id: Option<&str>) -> Self {
        let external_id = freshservice_id.and_then(|text| text.parse().ok());
        let list: Vec<String> = company.domains.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        Self {
            contract_term_length: company.term(),
            billing_plan: company.plan.clone().unwrap_or_default(),
            status: if company.retired_at.is_some() { "retired" } else { "active" },
            domain: list.into_iter().next(),
            external_id,
            external_source: freshservice_id.map(|_| "freshservice"),
            freshservice_id: external_id,
            account_number: company.account_number,
            name: company.name,
            description: company.description,
            profit_or_non_profit: company.profit_or_non_profit,
            company_main_number: company.main_number,
            company_start_date: company.start_date,
            domains: company.domains,
            phone_system: company.phone_system,
            email_system: company.email_system,
            compliance_level: company.compliance_level,
            contract_start_date: company.contract_start_date,
            contract_end_date: company.contract_end_date,
            support_level: company.support_level,
            id: company.id,
            parent_id: company.parent_id,
            billing_contact_id: company.billing_contact_id,
            kind: company.kind,
            plan_selected: company.plan,
            contract_term: company.contract_term,
            address: company.address,
            managed_users: company.managed_users,
            managed_devices: company.managed_devices,
            managed_network: company.managed_network,
            head_name: company.head_name,
            head_user_id: company.head_user_id,
            prime_user_name: company.prime_user_name,
            prime_user_id: company.prime_user_id,
            primary_contact_name: company.primary_contact_name,
            datto_portal_url: company.datto_portal_url,
            custom_fields: company.custom_fields,
            life_quiet_days: company.life_quiet_days,
            life_stale_days: company.life_stale_days,
            life_archived_days: company.life_archived_days,
            account_number_at_vendor: company.account_number_at_vendor,
            created_at: company.vendor_created_at.unwrap_or(company.created_at),
            updated_at: company.updated_at,
            retired_at: company.retired_at,
            rev: company.rev,
            named: [Named::default(); 3],
        }
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
