//! From the vendor's record of a change request to our row.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{SYSTEM, text};
use crate::{
    tickets::{ChangeRequest, codes, utc},
    vendors::freshservice::wire::{self, FieldValue, Fields},
};

/// The statuses that every account has.
const STATUSES: [&str; 6] = ["open", "planning", "awaiting_approval", "pending_release", "pending_review", "closed"];

/// What a record tells of one change request, and how that becomes a row.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The vendor's number.
    pub id: i64,
    record: Map<String, Value>,
    updated_at: Option<String>,
}

impl Planned {
    /// Reads a record; `None` without a usable id.
    #[must_use]
    pub fn read(record: &Value, now: &str) -> Option<Self> {
        let record = record.as_object()?;
        let id = record.get("id").and_then(wire::id)?.parse().ok()?;
        let updated_at = record.get("updated_at").and_then(Value::as_str).and_then(utc).filter(|at| at.as_str() <= now);
        Some(Self { id, record: record.clone(), updated_at })
    }

    /// The vendor's department: `Some(None)` for none, `None` when it does not tell.
    #[must_use]
    #[expect(clippy::option_option, reason = "no department and not told are different things")]
    pub fn department(&self) -> Option<Option<i64>> {
        match Fields::new(&self.record).id("department_id") {
            FieldValue::Absent => None,
            FieldValue::Empty => Some(None),
            FieldValue::Value(id) => Some(id.parse().ok()),
        }
    }

    /// A new row, before [`Planned::apply`].
    #[must_use]
    pub fn blank(&self, now: &str) -> ChangeRequest {
        let created = self.record.get("created_at").and_then(Value::as_str).and_then(utc);
        ChangeRequest {
            external_source: SYSTEM.to_owned(),
            external_id: self.id,
            vendor_updated_at: created.unwrap_or_else(|| now.to_owned()),
            ..ChangeRequest::default()
        }
    }

    /// Sets what the record tells; `company` is what our companies make of its department.
    pub fn apply(&self, change: &mut ChangeRequest, company: Option<i64>) {
        let mut fields = Fields::new(&self.record);
        if let Some(at) = &self.updated_at {
            change.vendor_updated_at.clone_from(at);
        }
        if let Some(department) = self.department() {
            (change.department_id, change.company_id) = (department, company);
        }
        for (slot, key) in [
            (&mut change.subject, "subject"),
            (&mut change.category, "category"),
            (&mut change.sub_category, "sub_category"),
            (&mut change.item_category, "item_category"),
        ] {
            put(slot, fields.text(key));
        }
        for (slot, key) in [
            (&mut change.status_id, "status"),
            (&mut change.priority_id, "priority"),
            (&mut change.impact_id, "impact"),
            (&mut change.risk_id, "risk"),
            (&mut change.change_type_id, "change_type"),
            (&mut change.approval_status_id, "approval_status"),
            (&mut change.requester_id, "requester_id"),
            (&mut change.agent_id, "agent_id"),
            (&mut change.group_id, "group_id"),
        ] {
            put(slot, number(fields.id(key)));
        }
        for (slot, key) in [
            (&mut change.planned_start_date, "planned_start_date"),
            (&mut change.planned_end_date, "planned_end_date"),
            (&mut change.vendor_created_at, "created_at"),
        ] {
            put(slot, time(fields.text(key)));
        }
        let word = |code: i64| {
            usize::try_from(code).ok().and_then(|code| STATUSES.get(code.checked_sub(1)?)).map(|word| (*word).to_owned())
        };
        change.status = change.status_id.and_then(word);
        change.priority = change.priority_id.and_then(codes::priority_word).map(str::to_owned);
        self.apply_texts(change);
    }

    fn apply_texts(&self, change: &mut ChangeRequest) {
        let said = |key: &str| self.record.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let told = self.record.contains_key("description_text") || self.record.contains_key("description");
        if told {
            change.description_text =
                said("description_text").map(text::clean).or_else(|| said("description").map(|html| text::plain(html, None)));
        }
        if let Some(Value::Object(map)) = self.record.get("custom_fields") {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            change.custom_fields = if sorted.is_empty() { None } else { serde_json::to_string(&sorted).ok() };
        }
    }
}

fn put<T>(slot: &mut Option<T>, told: FieldValue<T>) {
    match told {
        FieldValue::Absent => {}
        FieldValue::Empty => *slot = None,
        FieldValue::Value(value) => *slot = Some(value),
    }
}

fn number(told: FieldValue<String>) -> FieldValue<i64> {
    match told {
        FieldValue::Value(digits) => digits.parse().map_or(FieldValue::Absent, FieldValue::Value),
        FieldValue::Empty => FieldValue::Empty,
        FieldValue::Absent => FieldValue::Absent,
    }
}

fn time(told: FieldValue<String>) -> FieldValue<String> {
    match told {
        FieldValue::Value(text) => utc(&text).map_or(FieldValue::Absent, FieldValue::Value),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_request_becomes_a_row() {
        let now = "2026-11-21T12:00:00Z";
        let record = json!({"id": 9, "subject": "New switch", "description": "<p>All <b>floors</b></p>", "status": 3, "priority": 2, "impact": 1,
            "risk": 4, "change_type": 2, "approval_status": 1, "department_id": 7, "planned_start_date": "2026-12-01T08:00:00+01:00",
            "created_at": "2026-11-01T08:00:00Z", "updated_at": "2026-11-02T08:00:00Z", "custom_fields": {}, "agent_id": null});
        let told = Planned::read(&record, now).unwrap();
        let mut change = told.blank(now);
        told.apply(&mut change, Some(4));
        assert_eq!(
            (change.status.as_deref(), change.priority.as_deref(), change.company_id),
            (Some("awaiting_approval"), Some("medium"), Some(4))
        );
        assert_eq!(
            (change.description_text.as_deref(), change.planned_start_date.as_deref()),
            (Some("All floors"), Some("2026-12-01T07:00:00Z"))
        );
        assert_eq!((change.vendor_updated_at.as_str(), change.approval_status_id), ("2026-11-02T08:00:00Z", Some(1)));
        let odd =
            Planned::read(&json!({"id": 9, "status": [], "subject": {}, "updated_at": "2099-01-01T00:00:00Z"}), now).unwrap();
        let before = change.clone();
        odd.apply(&mut change, None);
        assert_eq!(change, before);
        assert!(Planned::read(&json!({"id": "x"}), now).is_none());
    }
}
