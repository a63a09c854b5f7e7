//! What clients pay for and get: plans, and the features that plans are made of.

use std::collections::BTreeMap;

use crate::{
    companies::model::{canonical_term, plan_key, term_key},
    db::Value,
    entity::{Cell, Holds, Members},
    types::{SearchText, decimal, fold},
};

/// What a plan without any says of a feature.
pub const NOT_INCLUDED: &str = "Not Included";
/// The support level of a plan that says none.
pub const BILLED_HOURLY: &str = "Billed Hourly";
/// The categories of features that every plan tells, as its own members (contract §1.8.1).
pub const CATEGORIES: [(&str, &str); 6] = [
    ("antivirus", "Antivirus"),
    ("soc", "SOC"),
    ("password_manager", "Password manager"),
    ("sat", "Security awareness training"),
    ("email_security", "E-mail security"),
    ("network_management", "Network management"),
];

crate::entity! {
    /// What a client pays for and gets, for one term of contract.
    pub struct Plan: "billing_plan", "Plan", "billing_plans" {
        /// What the plan is called, whatever the term.
        name: String = text("Plan", 100).named("plan_name").also(&["billing_plan"]).section("Plan").required().listed(),
        /// For how long a client signs, in its canonical spelling.
        term: String = text("Term", 50).named("term_length").section("Plan").required().listed(),
        support_level: String = text("Support level", 100).section("Plan").emptied(BILLED_HOURLY).listed(),
        per_user_cents: i64 = money("Per user").named("per_user_cost").section("Monthly costs"),
        per_workstation_cents: i64 = money("Per workstation").named("per_workstation_cost").section("Monthly costs"),
        per_server_cents: i64 = money("Per server").named("per_server_cost").section("Monthly costs"),
        per_vm_cents: i64 = money("Per virtual machine").named("per_vm_cost").section("Monthly costs"),
        per_switch_cents: i64 = money("Per switch").named("per_switch_cost").section("Monthly costs"),
        per_firewall_cents: i64 = money("Per firewall").named("per_firewall_cost").section("Monthly costs"),
        per_hour_ticket_cents: i64 = money("Per ticket hour").named("per_hour_ticket_cost").section("Monthly costs"),
        backup_workstation_cents: i64 = money("Backup, per workstation").named("backup_base_fee_workstation").section("Backup"),
        backup_server_cents: i64 = money("Backup, per server").named("backup_base_fee_server").section("Backup"),
        /// None is one terabyte.
        backup_included_milli_tb: Option<i64> = decimal("Backup included, in TB", 3).named("backup_included_tb").section("Backup"),
        backup_per_tb_cents: i64 = money("Backup, per further TB").named("backup_per_tb_fee").section("Backup"),
        /// None is what a further terabyte costs, by its gigabytes.
        backup_per_gb_workstation_micros: Option<i64> = decimal("Backup, per GB of a workstation", 6).named("backup_cost_per_gb_workstation"),
        /// The same.
        backup_per_gb_server_micros: Option<i64> = decimal("Backup, per GB of a server", 6).named("backup_cost_per_gb_server"),
        /// Category → what the plan has of it: a JSON object as text.
        features: String = json("Features", Layout::NamedTexts),
    }
}

/// The columns of a plan's amounts, in the order of its page.
pub fn costs() -> impl Iterator<Item = &'static crate::entity::Field<Plan>> {
    use crate::entity::{Fielded as _, Kind};
    Plan::FIELDS.iter().filter(|field| matches!(field.spec.kind, Kind::Decimal(_)) && field.spec.section.is_some())
}

impl Plan {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        let key = SearchText::new().words([&self.name, &self.term, &self.support_level]).words(self.features().values());
        vec![
            ("name_key", plan_key(&self.name).into()),
            ("term_key", term_key(Some(&self.term)).into()),
            ("search_text", key.finish().into()),
        ]
    }

    /// Its features by category.
    #[must_use]
    pub fn features(&self) -> BTreeMap<String, String> {
        serde_json::from_str(&self.features).unwrap_or_default()
    }

    /// What it has of a feature.
    #[must_use]
    pub fn feature(&self, category: &str) -> String {
        self.features().remove(category).unwrap_or_else(|| NOT_INCLUDED.to_owned())
    }

    /// How much backup is included, in thousandths of a terabyte.
    #[must_use]
    pub fn included_milli_tb(&self) -> i64 {
        self.backup_included_milli_tb.unwrap_or(1_000)
    }

    /// What a gigabyte costs in millionths, where the plan says none for it: its part of a further terabyte.
    #[must_use]
    pub fn per_gb_micros(&self, own: Option<i64>) -> i64 {
        own.unwrap_or(self.backup_per_tb_cents * 10_000 / 1_024)
    }

    /// Where it stands among the terms of its name: by the month first, then by years.
    #[must_use]
    pub fn place(&self) -> (String, usize, String) {
        let terms = crate::companies::model::TERMS;
        let at = terms.iter().position(|term| *term == self.term).unwrap_or(terms.len());
        (plan_key(&self.name), at, self.term.clone())
    }
}

crate::shaped! { Plan: Members::first(CONTRACT)
    .record(|plan: &Plan| plan)
    .member("billing_plan", Holds::TEXT, |plan| (&plan.name).into())
    .member("backup_included_tb", Holds::REAL, |plan| Cell::Real(decimal::number(plan.included_milli_tb(), 3)))
    .member("backup_cost_per_gb_workstation", Holds::REAL, |plan| per_gb(plan, plan.backup_per_gb_workstation_micros))
    .member("backup_cost_per_gb_server", Holds::REAL, |plan| per_gb(plan, plan.backup_per_gb_server_micros))
    .member("antivirus", Holds::TEXT.or_null(), |plan| plan.feature("antivirus").into())
    .member("soc", Holds::TEXT.or_null(), |plan| plan.feature("soc").into())
    .member("password_manager", Holds::TEXT.or_null(), |plan| plan.feature("password_manager").into())
    .member("sat", Holds::TEXT.or_null(), |plan| plan.feature("sat").into())
    .member("email_security", Holds::TEXT.or_null(), |plan| plan.feature("email_security").into())
    .member("network_management", Holds::TEXT.or_null(), |plan| plan.feature("network_management").into())
}

fn per_gb(plan: &Plan, own: Option<i64>) -> Cell<'static> {
    Cell::Real(decimal::number(plan.per_gb_micros(own), 6))
}

/// The order of contract §1.8.1.
const CONTRACT: &[&str] = &[
    "id",
    "plan_name",
    "billing_plan",
    "term_length",
    "support_level",
    "per_user_cost",
    "per_workstation_cost",
    "per_server_cost",
    "per_vm_cost",
    "per_switch_cost",
    "per_firewall_cost",
    "per_hour_ticket_cost",
    "backup_base_fee_workstation",
    "backup_base_fee_server",
    "backup_included_tb",
    "backup_per_tb_fee",
    "backup_cost_per_gb_workstation",
    "backup_cost_per_gb_server",
    "antivirus",
    "soc",
    "password_manager",
    "sat",
    "email_security",
    "network_management",
    "features",
];

crate::entity! {
    /// A kind of feature: what plans have something of, or nothing.
    pub struct FeatureCategory: "feature_category", "Feature category", "feature_categories" {
        /// Its key in JSON.
        category: String = text("Category", 100).also(&["feature_type", "feature_category", "feature_key"]).required(),
        /// What people call it.
        name: String = text("Name", 150).named("display_name").required(),
        description: Option<String> = text("Description", 1_000),
    }
}

impl FeatureCategory {
    #[expect(clippy::unused_self, reason = "the shape that every record has")]
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

crate::entity! {
    /// One of the things that a plan can have of a feature.
    pub struct FeatureOption: "feature_option", "Feature option", "feature_options" {
        /// The key of its category.
        category: String = text("Category", 100).named("feature_category").also(&["feature_type", "category"]).required().listed(),
        /// What plans say then.
        name: String = text("Option", 100).named("option_value").also(&["value", "display_name"]).required().listed(),
        description: Option<String> = text("Description", 1_000).listed(),
    }
}

impl FeatureOption {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        let key = SearchText::new().words([&self.category, &self.name]).words(&self.description);
        vec![("name_key", fold(&self.name).into()), ("search_text", key.finish().into())]
    }
}

// The names of both generations of the service that this one replaces (contract §1.8.3).
crate::shaped! { FeatureOption: Members::first(&["id", "feature_type", "feature_category", "display_name", "option_value", "description"])
    .record(|option: &FeatureOption| option)
    .member("feature_type", Holds::TEXT, |option| (&option.category).into())
    .member("display_name", Holds::TEXT, |option| (&option.name).into())
    .member("category", Holds::TEXT, |option| (&option.category).into())
    .member("value", Holds::TEXT, |option| (&option.name).into())
}

/// The key of a category, however people write it: `E-mail security` is `e_mail_security`.
#[must_use]
pub fn category_key(text: &str) -> String {
    let folded = fold(text);
    let words = folded.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// What people call a category of which nobody has said it.
#[must_use]
pub fn category_words(key: &str) -> String {
    let known = CATEGORIES.iter().find(|(known, _)| *known == key);
    known.map_or_else(|| crate::ui::capitalised(&key.replace('_', " ")), |(_, words)| (*words).to_owned())
}

/// A term in its one spelling; a blank one is by the month.
#[must_use]
pub fn term(text: &str) -> String {
    if text.trim().is_empty() { crate::companies::model::TERMS[0].to_owned() } else { canonical_term(text.trim()) }
}
