//! A planned change, where the account keeps them ("change request", so that it is not one of our own changes).

use super::{codes::moments_in_utc, utc};
use crate::{
    compliance::{Level, Personal, Protected, RedactionPolicy},
    db::Value,
    entity::{Holds, Members, redact},
    error::Result,
    types::{SearchText, fold},
};

crate::entity! {
    /// A planned change.
    pub struct ChangeRequest: "change_request", "Change request", "change_requests" {
        /// The vendor's name.
        external_source: String = told("Vendor").emitted("source"),
        /// The vendor's number.
        external_id: i64 = int("Number").named("id").told().listed(),
        /// Whose it is.
        company_id: Option<i64> = int("Company").id_of("company").internal().told(),
        /// The vendor's department.
        department_id: Option<i64> = int("Department at the vendor").internal().told(),
        /// What it is about.
        subject: Option<String> = told("Subject").personal(Personal::Subject).folded("change_request.subject_folded"),
        /// The same at length, plain.
        description_text: Option<String> = told("Description").personal(Personal::Text),
        /// The vendor's status in words.
        status: Option<String> = told("Status").format(Format::Word).listed(),
        /// Its code.
        status_id: Option<i64> = int("Status at the vendor").told().listed(),
        /// `low`, `medium`, `high` or `urgent`.
        priority: Option<String> = told("Priority").listed(),
        /// Its code.
        priority_id: Option<i64> = int("Priority at the vendor").told().listed(),
        /// The vendor's code of how much it affects.
        impact_id: Option<i64> = int("Impact").told(),
        /// The vendor's code of how risky it is.
        risk_id: Option<i64> = int("Risk").told(),
        /// The vendor's code of its kind (1 minor, 2 standard, 3 major, 4 emergency).
        change_type_id: Option<i64> = int("Type").told().listed(),
        /// The vendor's code of whether it is approved.
        approval_status_id: Option<i64> = int("Approval").told().listed(),
        /// The vendor's id of whoever asked.
        requester_id: Option<i64> = int("Requester").told(),
        /// The vendor's id of the agent.
        agent_id: Option<i64> = int("Agent").told().listed(),
        /// The vendor's id of the agents' group.
        group_id: Option<i64> = int("Group").told().listed(),
        /// The vendor's first category.
        category: Option<String> = told("Category"),
        /// The category below it.
        sub_category: Option<String> = told("Sub-category"),
        /// The one below that.
        item_category: Option<String> = told("Item category"),
        /// When it is to begin.
        planned_start_date: Option<String> = moment("Planned start", 50).told().listed(),
        /// When it is to end.
        planned_end_date: Option<String> = moment("Planned end", 50).told().listed(),
        /// When it was opened.
        vendor_created_at: Option<String> = moment("Opened", 50).named("created_at").told().listed(),
        /// When the vendor last changed it.
        vendor_updated_at: String = moment("Last changed", 50).named("last_updated_at").told().listed(),
        /// The vendor's custom fields: a JSON object as text.
        custom_fields: Option<String> = told("Custom fields").internal(),
    }
}

impl ChangeRequest {
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        let subject = self.subject.as_deref().unwrap_or_default();
        let key = SearchText::new().number(&self.external_id.to_string()).words([subject]);
        vec![("subject_folded", fold(subject).into()), ("search_text", key.finish().into())]
    }
}

/// A planned change as it is told: the row, and whose it is.
#[derive(Clone, Debug)]
pub struct ChangeView {
    /// The row.
    pub row: ChangeRequest,
    /// Its company's key.
    pub company_id: Option<String>,
    /// Its company's name.
    pub company_name: Option<String>,
    /// How strictly its people are protected.
    pub protection: Level,
}

crate::shaped! { ChangeView: Members::first(&["id"])
    .part(|view: &ChangeView| &view.row)
    .member("company_id", Holds::TEXT.or_null(), |view| (&view.company_id).into())
    .member("company_name", Holds::TEXT.or_null(), |view| (&view.company_name).into())
    .member("company_compliance_level", Holds::TEXT, |view| view.protection.as_str().into())
    .member("retired_at", Holds::TEXT.or_null(), |view| (&view.row.retired_at).into())
    .member("rev", Holds::INT, |view| view.row.rev.into())
}

impl ChangeView {
    /// A row with its times in our one form; when it last changed is at least when we first heard of it.
    ///
    /// # Errors
    /// `Internal` when a time is no text.
    pub fn new(
        mut row: ChangeRequest,
        company_id: Option<String>,
        company_name: Option<String>,
        protection: Level,
    ) -> Result<Self> {
        moments_in_utc(&mut row)?;
        if utc(&row.vendor_updated_at).is_none() {
            row.vendor_updated_at.clone_from(&row.created_at);
        }
        Ok(Self { row, company_id, company_name, protection })
    }
}

impl Protected for ChangeView {
    const ENTITY: &'static str = "change_request";
    const TELLS: &'static [(&'static str, Personal)] = crate::personal_fields![ChangeRequest];
    type Viewer = RedactionPolicy;

    fn record(&self) -> i64 {
        self.row.id
    }

    fn level(&self) -> Level {
        self.protection
    }

    fn redacted(mut self, policy: &RedactionPolicy) -> Self {
        let level = self.protection;
        redact(&mut self.row, |field, text| policy.reveal_or_word(level, field, text));
        self
    }
}
