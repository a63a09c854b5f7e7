//! What a vendor's agent is: the row and its wire shape.

use crate::{
    db::Value,
    entity::{Holds, Members},
};

crate::entity! {
    /// A person who answers tickets at the vendor.
    pub struct PsaAgent: "psa_agent", "Agent", "psa_agents" {
        /// The vendor (`freshservice`).
        external_source: String = told("Vendor").emitted("source"),
        /// The vendor's id, as its digits.
        external_id: String = told("Number at the vendor").internal(),
        /// Given name.
        first_name: Option<String> = told("First name").internal().synced(),
        /// Family name.
        last_name: Option<String> = told("Last name").internal().synced(),
        email: Option<String> = told("E-mail").synced(),
        /// What it says on the card.
        job_title: Option<String> = told("Job title").synced(),
        /// Whether they still work there.
        active: bool = flag("Active").told().synced(),
        /// The vendor's departments: a JSON array as text.
        department_ids: Option<String> = told("Companies at the vendor").internal().synced(),
        /// The vendor's groups: a JSON array as text.
        group_ids: Option<String> = told("Groups at the vendor").internal().synced(),
        /// When the vendor's record was created.
        vendor_created_at: Option<String> = told("Created at the vendor").format(Format::Moment).internal().synced(),
        /// When the vendor's record was last changed.
        vendor_updated_at: Option<String> = told("Changed at the vendor").format(Format::Moment).internal().synced(),
    }
}

impl PsaAgent {
    #[expect(clippy::unused_self, reason = "the shape that every record has; an agent has no folded columns")]
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// The vendor's id as neighbours read it: an integer.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.external_id.parse().unwrap_or_default()
    }

    /// First and last name, whichever there are, else `Agent` and the row's id.
    #[must_use]
    pub fn name(&self) -> String {
        let parts: Vec<&str> = [&self.first_name, &self.last_name].into_iter().flatten().map(String::as_str).collect();
        if parts.is_empty() { format!("Agent {}", self.id) } else { parts.join(" ") }
    }
}

// The agent object of contract §1.6.6.
crate::shaped! { PsaAgent: Members::first(&["id", "external_id", "source", "name"])
    .part(|agent: &PsaAgent| agent)
    .member("id", Holds::INT, |agent| agent.id.into())
    .member("external_id", Holds::INT.or_null(), |agent| agent.number().into())
    .member("name", Holds::TEXT, |agent| agent.name().into())
}
