//! What a company is: the row, its vocabulary, and its wire shape.

use crate::{
    compliance::{Level, Personal, Protected, RedactionPolicy},
    db::Value,
    entity::{Holds, Members},
    types::{SearchText, fold},
};

/// What a company is to the provider.
pub const KINDS: &[&str] = &["client", "vendor", "prospect"];
/// Which rules protect its people's data (contract §1.1.1).
pub use crate::history::protection::LEVELS as COMPLIANCE_LEVELS;
/// The terms that billing knows (contract §1.8.2); whoever says none pays by the month.
pub const TERMS: [&str; 4] = ["Month to Month", "1-Year", "2-Year", "3-Year"];
/// What stands in the place of a plan for a company that is no client any more (contract §2.1).
pub const INACTIVE: &str = "Inactive";

crate::entity! {
    /// A company: a client, a vendor or a prospect.
    pub struct Company: "company", "Company", "companies" {
        /// What neighbours use as the key: unique, never null, always text.
        account_number: String = told("Account number").on_page("Company").synced().listed(),
        /// Whether the vendor knows this number; a generated one is written there by `accounts assign`.
        account_number_at_vendor: bool = flag("Account number at the vendor").told().synced().listed(),
        name: String = text("Name", 150).in_form("Company").required().synced().folded("company.name_folded"),
        /// One of [`KINDS`].
        kind: String = choice("Kind", KINDS).section("Company").listed(),
        /// The company above it in the tree.
        parent_id: Option<i64> = int("Part of").id_of("company").in_form("Company").told(),
        /// Its main telephone number.
        main_number: Option<String> = phone("Main number", 50).section("Company").emitted("company_main_number").also(&["company_main_number"]).synced(),
        /// Its postal address.
        address: Option<String> = long("Address", 2_000).section("Company").synced(),
        /// Its mail domains: a JSON array as text.
        domains: Option<String> = text_list("E-mail domains", 200, 253).section("Company").synced().listed(),
        description: Option<String> = long("Description", 10_000).section("Company").synced().listed(),
        /// The billing plan's name.
        plan: Option<String> = text("Plan", 100).section("Contract").emitted("plan_selected").also(&["billing_plan", "plan_selected"]).synced(),
        /// Such as `Billed Hourly`; none is its plan's.
        support_level: Option<String> = text("Support level", 100).section("Contract").synced(),
        /// How long the contract runs, as the vendor or a person wrote it.
        contract_term: Option<String> = text("Term", 50).section("Contract").also(&["contract_term_length"]).synced().listed(),
        /// `YYYY-MM-DD`.
        contract_start_date: Option<String> = day("Starts").section("Contract").synced().listed(),
        /// `YYYY-MM-DD`.
        contract_end_date: Option<String> = day("Ends").section("Contract").synced().listed(),
        /// Since when it is a client, as the vendor wrote it.
        start_date: Option<String> = text("Client since", 100).format(Format::Day).section("Contract").emitted("company_start_date").also(&["company_start_date"]).synced(),
        /// One of [`COMPLIANCE_LEVELS`].
        compliance_level: String = choice("Compliance", COMPLIANCE_LEVELS).section("Contract").listed(),
        /// The contact who gets the invoices.
        billing_contact_id: Option<i64> = int("Billing contact").id_of("contact").section("Contract"),
        /// Whom to call first, as free text.
        primary_contact_name: Option<String> = text("Primary contact", 150).section("People and systems").personal(Personal::Name),
        /// Its head's name.
        head_name: Option<String> = text("Decision maker", 150).section("People and systems").personal(Personal::Name).synced(),
        /// Its prime user's name.
        prime_user_name: Option<String> = text("Main user", 150).section("People and systems").personal(Personal::Name).synced(),
        /// Such as `Microsoft 365`.
        email_system: Option<String> = text("E-mail system", 100).section("People and systems").synced().listed(),
        /// Such as `Teams Voice`.
        phone_system: Option<String> = text("Phone system", 100).section("People and systems").synced().listed(),
        /// The vendor's word for whether it is a profit or a non-profit organisation.
        profit_or_non_profit: Option<String> = text("Profit or non-profit", 50).section("People and systems").synced(),
        /// Whether and how its users are managed.
        managed_users: Option<String> = text("Managed users", 100).section("People and systems").synced(),
        /// Whether and how its devices are managed.
        managed_devices: Option<String> = text("Managed devices", 100).section("People and systems").synced(),
        /// Whether and how its network is managed.
        managed_network: Option<String> = text("Managed network", 100).section("People and systems").synced(),
        /// The vendor's id of its head.
        head_user_id: Option<i64> = int("Decision maker at the vendor").synced(),
        /// The vendor's id of its prime user.
        prime_user_id: Option<i64> = int("Main user at the vendor").synced(),
        /// The vendor's workspace.
        workspace_id: Option<i64> = int("Workspace at the vendor").internal().told().synced(),
        /// Its page at Datto.
        datto_portal_url: Option<String> = url("Datto portal", 255).section("People and systems").synced(),
        /// After how many days out of sight its devices are quiet; none is the setting's.
        life_quiet_days: Option<i64> = int("Quiet after days").in_form("Inactive devices").range(1, 3650, "must be from 1 to 3650 days"),
        /// The same for stale.
        life_stale_days: Option<i64> = int("Stale after days").in_form("Inactive devices").range(1, 3650, "must be from 1 to 3650 days"),
        /// The same for archived.
        life_archived_days: Option<i64> = int("Archived after days").in_form("Inactive devices").range(1, 3650, "must be from 1 to 3650 days"),
        /// The vendor's custom fields without a column here: a JSON object as text.
        custom_fields: Option<String> = json("Custom fields", Layout::Choices).personal(Personal::Private).synced(),
        /// When the vendor's record was created.
        vendor_created_at: Option<String> = told("Created at the vendor").format(Format::Moment).internal().synced(),
        /// When the vendor's record was last changed.
        vendor_updated_at: Option<String> = told("Changed at the vendor").format(Format::Moment).internal().synced(),
    }
}

impl Company {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        let key = SearchText::new()
            .words([&self.name])
            .ids([&self.account_number])
            .words([&self.description, &self.domains].into_iter().flatten())
            .phones(&self.main_number);
        let plan = self.plan.as_deref().map(plan_key).filter(|key| !key.is_empty() && *key != fold(INACTIVE));
        vec![
            ("name_folded", fold(&self.name).into()),
            ("search_text", key.finish().into()),
            ("plan_key", plan.into()),
            ("term_key", term_key(self.contract_term.as_deref()).into()),
        ]
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

/// By what the names of plans are compared: case does not matter, and a plus is the blank that it becomes in addresses.
#[must_use]
pub fn plan_key(name: &str) -> String {
    fold(&name.replace('+', " "))
}

/// By what the terms of plans and companies are compared.
#[must_use]
pub fn term_key(term: Option<&str>) -> String {
    fold(&canonical_term(term.map(str::trim).filter(|term| !term.is_empty()).unwrap_or(TERMS[0])))
}

/// A company as it is told: the row, with no more of other rows than the reader may know of.
#[derive(Clone, Debug)]
pub struct CompanyView {
    /// The row.
    pub row: Company,
    /// The Freshservice department.
    pub external_id: Option<i64>,
    /// `freshservice`, or none for a company that people made.
    pub external_source: Option<&'static str>,
    /// Its head, its prime user, and whom to call first, by records of their own.
    pub named: [Named; 3],
    /// The support level of its plan, where its plan and term name one.
    pub plan_support_level: Option<String>,
}

crate::shaped! { CompanyView: Members::first(CONTRACT)
    .record(|view: &CompanyView| &view.row)
    .member("created_at", Holds::TEXT, |view| view.created_at().into())
    // The plan, under the name that Ledger reads; empty without one, never null.
    .member("billing_plan", Holds::TEXT, |view| view.row.plan.as_deref().unwrap_or_default().into())
    .member("contract_term_length", Holds::TEXT.or_null(), |view| view.row.term().into())
    .member("support_level", Holds::TEXT.or_null(), |view| view.support_level().into())
    .member("status", Holds::TEXT, |view| view.status().into())
    .member("domain", Holds::TEXT.or_null(), |view| view.domain().into())
    .member("external_id", Holds::INT.or_null(), |view| view.external_id.into())
    .member("external_source", Holds::TEXT.or_null(), |view| view.external_source.into())
    .member("freshservice_id", Holds::INT.or_null(), |view| view.external_id.into())
}

/// The order of contract §1.1.1.
const CONTRACT: &[&str] = &[
    "account_number",
    "name",
    "description",
    "billing_plan",
    "profit_or_non_profit",
    "company_main_number",
    "company_start_date",
    "domains",
    "phone_system",
    "email_system",
    "compliance_level",
    "contract_term_length",
    "contract_start_date",
    "contract_end_date",
    "support_level",
];

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
    fn policy_for(self, policy: &RedactionPolicy) -> RedactionPolicy {
        if self.protection > Level::Standard && !self.is_met { policy.among_strangers() } else { policy.clone() }
    }
}

/// The people whom a company names are protected like its contacts, and as they are themselves when that is stricter.
impl Protected for CompanyView {
    const ENTITY: &'static str = "company";
    const TELLS: &'static [(&'static str, Personal)] = crate::personal_fields![Company];
    type Viewer = RedactionPolicy;

    fn record(&self) -> i64 {
        self.row.id
    }

    fn level(&self) -> Level {
        self.named.iter().fold(self.own_level(), |level, named| level.max(named.protection))
    }

    fn is_disclosed_to(&self, policy: &RedactionPolicy) -> bool {
        let own = self.own_level();
        let bills = [false, false, policy.bills()];
        let names = [&self.row.head_name, &self.row.prime_user_name, &self.row.primary_contact_name];
        let mut people = names.into_iter().zip(self.named).zip(bills);
        people.any(|((name, named), bills)| {
            let level = own.max(named.protection);
            name.is_some() && level > Level::Standard && (bills || named.policy_for(policy).shows(level, Personal::Name))
        }) || self.row.custom_fields.is_some() && own > Level::Standard && policy.shows(own, Personal::Private)
    }

    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        let own = self.own_level();
        let bills = [false, false, policy.bills()];
        let places = [&mut self.row.head_name, &mut self.row.prime_user_name, &mut self.row.primary_contact_name];
        for ((place, named), _) in places.into_iter().zip(self.named).zip(bills).filter(|(_, bills)| !bills) {
            *place = named.policy_for(policy).reveal_option(own.max(named.protection), Personal::Name, place.take());
        }
        self.row.custom_fields = policy.reveal_option(own, Personal::Private, self.row.custom_fields);
        self.row.description = self.row.description.map(|text| policy.screen(&text));
        self
    }
}

/// A contact as their company's page mentions them: who gets the invoices, or could.
#[derive(Clone, Debug)]
pub struct BilledContact {
    /// The contact's row.
    pub id: i64,
    pub name: String,
    /// Maybe empty.
    pub email: String,
    /// The strictest level among their companies.
    pub protection: Level,
}

impl Protected for BilledContact {
    const ENTITY: &'static str = "contact";
    const TELLS: &'static [(&'static str, Personal)] = &[("name", Personal::Name), ("email", Personal::Email)];
    type Viewer = RedactionPolicy;

    fn record(&self) -> i64 {
        self.id
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn is_disclosed_to(&self, policy: &RedactionPolicy) -> bool {
        policy.bills() || policy.shows_any(self.protection, Self::TELLS)
    }

    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        if !policy.bills() {
            self.name = policy.reveal(self.protection, Personal::Name, &self.name).unwrap_or_default();
            self.email = policy.reveal(self.protection, Personal::Email, &self.email).unwrap_or_default();
        }
        self
    }
}

impl CompanyView {
    /// How strictly its own people are protected.
    fn own_level(&self) -> Level {
        Level::parse(&self.row.compliance_level)
    }

    /// A row and its Freshservice id.
    #[must_use]
    pub fn new(row: Company, freshservice_id: Option<&str>) -> Self {
        let external_id = freshservice_id.and_then(|text| text.parse().ok());
        Self {
            row,
            external_id,
            external_source: freshservice_id.map(|_| crate::config::freshservice::SYSTEM),
            named: [Named::default(); 3],
            plan_support_level: None,
        }
    }

    /// Its own support level, or its plan's.
    #[must_use]
    pub fn support_level(&self) -> Option<&str> {
        self.row.support_level.as_deref().or(self.plan_support_level.as_deref())
    }

    /// `active` or `retired`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        if self.row.retired_at.is_some() { "retired" } else { "active" }
    }

    /// The first mail domain.
    #[must_use]
    pub fn domain(&self) -> Option<String> {
        let domains: Vec<String> = serde_json::from_str(self.row.domains.as_deref()?).ok()?;
        domains.into_iter().next()
    }

    /// When it was created at the vendor, or here.
    #[must_use]
    pub fn created_at(&self) -> &str {
        self.row.vendor_created_at.as_deref().unwrap_or(&self.row.created_at)
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
