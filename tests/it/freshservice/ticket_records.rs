//! Tickets and what hangs on them, with every field that the vendor sends.

use serde_json::{Value, json};

use super::{Plan, State, generate};

/// A ticket of this company's requester; `stats` comes only when it is asked for.
pub fn ticket(id: i64, requester: i64, department: Option<i64>, status: i64, created: i64) -> Value {
    let at = |hours: i64| generate::time(created + hours * 3600);
    let closed = (status == 5).then(|| at(30));
    let resolved = (4..=5).contains(&status).then(|| at(20));
    let stats = json!({"ticket_id": id, "created_at": at(0), "updated_at": at(40), "opened_at": null, "group_escalated": false, "inbound_count": 1,
            "status_updated_at": at(20), "outbound_count": 1, "pending_since": null, "resolved_at": resolved, "closed_at": closed,
            "first_assigned_at": at(1), "assigned_at": at(1), "agent_responded_at": at(2), "requester_responded_at": null,
            "first_responded_at": at(2), "first_resp_time_in_secs": 7200, "resolution_time_in_secs": null});
    json!({
        "id": id, "workspace_id": 2, "subject": format!("Ticket {id}: cannot print"), "description": "<div>The printer is <b>off</b>.</div>",
        "description_text": "The printer is off.", "type": "Incident", "status": status, "priority": 1 + id % 4, "source": 1 + id % 4,
        "requester_id": requester, "requested_for_id": requester, "responder_id": null, "group_id": null, "department_id": department,
        "category": null, "sub_category": null, "item_category": null, "due_by": at(72), "fr_due_by": at(8), "is_escalated": false,
        "fr_escalated": false, "deleted": false, "spam": false, "email_config_id": null, "cc_emails": [], "fwd_emails": [],
        "reply_cc_emails": [], "to_emails": null, "custom_fields": {}, "created_at": at(0), "updated_at": at(40), "tags": ["printer"],
        "attachments": [], "urgency": 1, "impact": 1, "resolution_notes": null, "stats": stats,
    })
}

/// A reply (source 0) or a note (source 2).
pub fn conversation(id: i64, ticket: i64, text: &str, private: bool, created: i64) -> Value {
    json!({
        "id": id, "user_id": 21_000_900_001_i64, "ticket_id": ticket, "body": format!("<div>{text}</div>"), "body_text": text,
        "incoming": !private && id % 2 == 0, "private": private, "source": if private { 2 } else { 0 }, "from_email": null, "to_emails": [],
        "cc_emails": [], "bcc_emails": [], "support_email": null, "attachments": [], "created_at": generate::time(created),
        "updated_at": generate::time(created),
    })
}

/// Time that somebody spent, as "hh:mm".
pub fn time_entry(id: i64, spent: &str, created: i64) -> Value {
    json!({
        "id": id, "agent_id": 21_000_900_001_i64, "time_spent": spent, "billable": true, "executed_at": generate::time(created),
        "start_time": generate::time(created), "timer_running": false, "task_id": null, "note": "Looked into it", "custom_fields": {},
        "created_at": generate::time(created), "updated_at": generate::time(created),
    })
}

/// The ticket form, with the statuses that this account added.
pub fn form_fields() -> Vec<Value> {
    let status = |id: i64, name: &str| json!({"id": id, "value": name, "label": name});
    let choices = vec![
        status(2, "Open"),
        status(3, "Pending"),
        status(4, "Resolved"),
        status(5, "Closed"),
        status(8, "Scheduled"),
        status(9, "Waiting on Customer"),
        status(26, "Customer Replied"),
        status(31, "With the Carrier"),
    ];
    vec![
        json!({"id": 1, "name": "subject", "label": "Subject", "field_type": "default_subject", "choices": []}),
        json!({"id": 2, "name": "status", "label": "Status", "field_type": "default_status", "choices": choices}),
        json!({"id": 3, "name": "priority", "label": "Priority", "field_type": "default_priority", "choices": [
            {"id": 1, "value": "Low"}, {"id": 2, "value": "Medium"}, {"id": 3, "value": "High"}, {"id": 4, "value": "Urgent"}]}),
    ]
}

/// A change request.
pub fn change(id: i64, requester: i64, department: Option<i64>, created: i64) -> Value {
    json!({
        "id": id, "subject": format!("Change {id}"), "description": "<p>Move the switch</p>", "description_text": "Move the switch",
        "requester_id": requester, "agent_id": 21_000_900_001_i64, "group_id": null, "department_id": department, "status": 1 + id % 6,
        "priority": 1, "impact": 1, "risk": 1, "change_type": 2, "approval_status": 4, "planned_start_date": generate::time(created + 86_400),
        "planned_end_date": generate::time(created + 90_000), "category": null, "sub_category": null, "item_category": null,
        "custom_fields": {}, "maintenance_window": {}, "blackout_window": {}, "assets": [], "impacted_services": [], "workspace_id": 2,
        "created_at": generate::time(created), "updated_at": generate::time(created),
    })
}

impl Plan {
    /// Puts tickets with their conversations and time entries into a world that has people.
    pub fn ticket_room(&self, state: &mut State) {
        let statuses = [2, 5, 5, 3, 4, 5, 8, 5, 9, 31];
        for number in 0..self.tickets {
            let id = i64::try_from(number).unwrap_or_default() + 1;
            let person = state.requesters.get(number * 7 % state.requesters.len().max(1));
            let requester = person.and_then(|person| person["id"].as_i64()).unwrap_or(39_000_000_001);
            let department = person.and_then(|person| person["department_ids"][0].as_i64());
            // Most are old, as in a real account; the newest fall into the last thirty days.
            let created = state.clock - i64::try_from(self.tickets - number).unwrap_or_default() * 3600 * 9;
            let mut record = ticket(id, requester, department, statuses[number % statuses.len()], created);
            record["responder_id"] = json!((number % 3 == 0).then_some(21_000_900_001_i64));
            match number % 50 {
                11 => record["deleted"] = json!(true),
                12 => record["spam"] = json!(true),
                13 => record["department_id"] = Value::Null,
                14 => record["type"] = json!("Service Request"),
                _ => {}
            }
            state.tickets.push(record);
            let many = if number % 100 == 7 { 65 } else { number % 4 };
            let made = (0..many).map(|at| {
                let at = i64::try_from(at).unwrap_or_default();
                conversation(id * 100 + at, id, &format!("Word {at} on ticket {id}"), at % 3 == 2, created + at * 600)
            });
            state.conversations.insert(id, made.collect());
            if number % 5 == 0 {
                state
                    .time_entries
                    .insert(id, vec![time_entry(id * 10, "01:30", created), time_entry(id * 10 + 1, "00:05", created)]);
            }
        }
        for number in 0..self.tickets / 50 {
            let id = i64::try_from(number).unwrap_or_default() + 1;
            let person = state.requesters.get(number).cloned().unwrap_or_default();
            let requester = person["id"].as_i64().unwrap_or(39_000_000_001);
            state.changes.push(change(id, requester, person["department_ids"][0].as_i64(), state.clock - id * 86_400));
        }
    }
}
