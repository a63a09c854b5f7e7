//! What a vendor's agent is: the row and its wire shape.

use serde::Serialize;

use crate::db::Value;

crate::entity! {
    /// A person who answers tickets at the vendor.
    pub struct PsaAgent: "psa_agent", "Agent", "psa_agents" {
        /// The vendor (`freshservice`).
        external_source: String = told("Vendor"),
        /// The vendor's id, as its digits.
        external_id: String = told("Number at the vendor"),
        /// Given name.
        first_name: Option<String> = told("First name").synced(),
        /// Family name.
        last_name: Option<String> = told("Last name").synced(),
        /// E-mail.
        email: Option<String> = told("E-mail").synced(),
        /// What it says on the card.
        job_title: Option<String> = told("Job title").synced(),
        /// Whether they still work there.
        active: bool = flag("Active").told().synced(),
        /// The vendor's departments: a JSON array as text.
        department_ids: Option<String> = told("Companies at the vendor").synced(),
        /// The vendor's groups: a JSON array as text.
        group_ids: Option<String> = told("Groups at the vendor").synced(),
        /// When the vendor's record was created.
        vendor_created_at: Option<String> = told("Created at the vendor").synced(),
        /// When the vendor's record was last changed.
        vendor_updated_at: Option<String> = told("Changed at the vendor").synced(),
    }
}

impl PsaAgent {
    #[expect(clippy::unused_self, reason = "the shape that every record has; an agent has no folded columns")]
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// First and last name, whichever there are, else `Agent` and the row's id.
    #[must_use]
    pub fn name(&self) -> String {
        let parts: Vec<&str> = [&self.first_name, &self.last_name].into_iter().flatten().map(String::as_str).collect();
        if parts.is_empty() { format!("Agent {}", self.id) } else { parts.join(" ") }
    }
}

/// The agent object of contract §1.6.6.
#[derive(Clone, Debug, Serialize)]
pub struct AgentView {
    /// Our id.
    pub id: i64,
    /// The vendor's id, as a JSON integer.
    pub external_id: u64,
    /// The vendor.
    pub source: String,
    /// Never null.
    pub name: String,
    /// E-mail.
    pub email: Option<String>,
    /// What it says on the card.
    pub job_title: Option<String>,
    /// Whether they still work there.
    pub active: bool,
}

impl From<PsaAgent> for AgentView {
    fn from(agent: PsaAgent) -> Self {
        Self {
            id: agent.id,
            external_id: agent.external_id.parse().unwrap_or_default(),
            name: agent.name(),
            source: agent.external_source,
            email: agent.email,
            job_title: agent.job_title,
            active: agent.active,
        }
    }
}
