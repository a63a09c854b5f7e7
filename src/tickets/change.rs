//! A planned change, where the account keeps them ("change request", so that it is not one of our own changes).

use serde::Serialize;

use super::utc;
use crate::compliance::{Lens, Level, Personal, Protected};
use crate::db::Value;
use crate::types::{SearchText, fold};

crate::entity! {
    /// A planned change.
    pub struct ChangeRequest: "change_request", "Change request", "change_requests" {
        /// The vendor (`freshservice`).
        external_source: String = told("Vendor"),
        /// The vendor's number.
        external_id: i64 = int("Number").told(),
        /// Whose it is.
        company_id: Option<i64> = int("Company").told(),
        /// The vendor's department.
        department_id: Option<i64> = int("Department at the vendor").told(),
        /// What it is about.
        subject: Option<String> = told("Subject"),
        /// The same at length, plain.
        description_text: Option<String> = told("Description"),
        /// The vendor's status in words.
        status: Option<String> = told("Status"),
        /// Its code.
        status_id: Option<i64> = int("Status at the vendor").told(),
        /// `low`, `medium`, `high` or `urgent`.
        priority: Option<String> = told("Priority"),
        /// Its code.
        priority_id: Option<i64> = int("Priority at the vendor").told(),
        /// The vendor's code of how much it affects.
        impact_id: Option<i64> = int("Impact").told(),
        /// The vendor's code of how risky it is.
        risk_id: Option<i64> = int("Risk").told(),
        /// The vendor's code of its kind (1 minor, 2 standard, 3 major, 4 emergency).
        change_type_id: Option<i64> = int("Type").told(),
        /// The vendor's code of whether it is approved.
        approval_status_id: Option<i64> = int("Approval").told(),
        /// The vendor's id of whoever asked.
        requester_id: Option<i64> = int("Requester").told(),
        /// The vendor's id of the agent.
        agent_id: Option<i64> = int("Agent").told(),
        /// The vendor's id of the agents' group.
        group_id: Option<i64> = int("Group").told(),
        /// The vendor's first category.
        category: Option<String> = told("Category"),
        /// The category below it.
        sub_category: Option<String> = told("Sub-category"),
        /// The one below that.
        item_category: Option<String> = told("Item category"),
        /// When it is to begin.
        planned_start_date: Option<String> = told("Planned start"),
        /// When it is to end.
        planned_end_date: Option<String> = told("Planned end"),
        /// When it was opened.
        vendor_created_at: Option<String> = told("Opened"),
        /// When the vendor last changed it.
        vendor_updated_at: String = told("Last changed"),
        /// The vendor's custom fields: a JSON object as text.
        custom_fields: Option<String> = told("Custom fields"),
    }
}

impl ChangeRequest {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        let subject = self.subject.as_deref().unwrap_or_default();
        let key = SearchText::new().number(&self.external_id.to_string()).words([subject]);
        vec![("subject_folded", fold(subject).into()), ("search_text", key.finish().into())]
    }
}

/// A planned change as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeView {
    /// The vendor's number.
    pub id: i64,
    /// The vendor.
    pub source: String,
    /// What it is about.
    pub subject: Option<String>,
    /// The same at length.
    pub description_text: Option<String>,
    /// In words.
    pub status: Option<String>,
    /// The vendor's code.
    pub status_id: Option<i64>,
    /// In words.
    pub priority: Option<String>,
    /// The vendor's code.
    pub priority_id: Option<i64>,
    /// The vendor's code.
    pub impact_id: Option<i64>,
    /// The vendor's code.
    pub risk_id: Option<i64>,
    /// The vendor's code.
    pub change_type_id: Option<i64>,
    /// The vendor's code.
    pub approval_status_id: Option<i64>,
    /// Its company's key.
    pub company_id: Option<String>,
    /// Its company's name.
    pub company_name: Option<String>,
    /// How strictly the company's people are protected.
    pub company_compliance_level: String,
    /// The vendor's id.
    pub requester_id: Option<i64>,
    /// The vendor's id.
    pub agent_id: Option<i64>,
    /// The vendor's id.
    pub group_id: Option<i64>,
    /// The vendor's first category.
    pub category: Option<String>,
    /// The category below it.
    pub sub_category: Option<String>,
    /// The one below that.
    pub item_category: Option<String>,
    /// When it is to begin.
    pub planned_start_date: Option<String>,
    /// When it is to end.
    pub planned_end_date: Option<String>,
    /// When it was opened.
    pub created_at: Option<String>,
    /// When the vendor last changed it.
    pub last_updated_at: String,
    /// When it was retired.
    pub retired_at: Option<String>,
    /// What `If-Match` compares.
    pub rev: i64,
    /// How strictly its people are protected.
    #[serde(skip)]
    pub protection: Level,
    /// Our own id, by which readings are noted.
    #[serde(skip)]
    pub row: i64,
}

impl ChangeView {
    /// The wire shape of a row, with its company's key, name and level.
    #[must_use]
    pub fn new(change: ChangeRequest, company: [Option<String>; 2], protection: Level) -> Self {
        let [company_id, company_name] = company;
        let time = |at: Option<String>| at.and_then(|at| utc(&at));
        Self {
            id: change.external_id,
            source: change.external_source,
            subject: change.subject,
            description_text: change.description_text,
            status: change.status,
            status_id: change.status_id,
            priority: change.priority,
            priority_id: change.priority_id,
            impact_id: change.impact_id,
            risk_id: change.risk_id,
            change_type_id: change.change_type_id,
            approval_status_id: change.approval_status_id,
            company_id,
            company_name,
            company_compliance_level: protection.as_str().to_owned(),
            protection,
            row: change.id,
            requester_id: change.requester_id,
            agent_id: change.agent_id,
            group_id: change.group_id,
            category: change.category,
            sub_category: change.sub_category,
            item_category: change.item_category,
            planned_start_date: time(change.planned_start_date),
            planned_end_date: time(change.planned_end_date),
            created_at: time(change.vendor_created_at),
            last_updated_at: utc(&change.vendor_updated_at).unwrap_or(change.created_at),
            retired_at: change.retired_at,
            rev: change.rev,
        }
    }
}

impl Protected for ChangeView {
    const ENTITY: &'static str = "change_request";
    const TELLS: &'static [Personal] = &[Personal::Subject, Personal::Text];
    type Eyes = Lens;

    fn record(&self) -> i64 {
        self.row
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn redacted(mut self, lens: &Lens) -> Self {
        let level = self.protection;
        let subject = self.subject;
        self.subject = subject
            .map(|line| lens.see(level, Personal::Subject, &line).unwrap_or_else(|| lens.strictness(level).hidden().to_owned()));
        self.description_text = lens.see_option(level, Personal::Text, self.description_text);
        self
    }
}
