//! What becomes of Freshservice's records, the odd ones above all.

use serde_json::{Map, Value, json};

use super::mapping::{agent_from, company_from, contact_from, is_agent};
use crate::{
    config::{Config, FieldNames},
    db::Value as Cell,
    plan::cells::Cells,
    reconcile::planner::companies::complete_contract,
};

fn names() -> FieldNames {
    Config::for_instance(std::path::Path::new("/nonexistent")).unwrap().freshservice.fields
}

fn told(cells: &Cells, column: &str) -> Value {
    cells.get(column).unwrap().to_json()
}

fn record(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn a_department_becomes_a_company() {
    let department = record(json!({
        "id": 9_007_199_254_740_993_i64, "name": "Acme Dental", "description": null, "head_user_id": 21_000_500_007_i64,
        "domains": ["acme.example"], "workspace_id": 2, "created_at": "2023-02-03T19:05:39Z", "updated_at": "2026-02-03T19:05:39Z",
        "custom_fields": { "account_number": 204_729, "plan_selected": "Gold", "contract_term": "2 years", "contract_start_date": "2024-01-15",
            "company_main_number": 15_551_234 }
    }));
    let mut mapped = company_from(&department, &names()).unwrap();
    complete_contract(&mut mapped.values, None, &std::collections::HashSet::new());
    assert_eq!(mapped.external_id, "9007199254740993");
    assert_eq!(mapped.account_number.as_deref(), Some("204729"));
    assert_eq!(told(&mapped.values, "name"), "Acme Dental");
    assert_eq!(told(&mapped.values, "description"), Value::Null);
    assert_eq!(told(&mapped.values, "head_user_id"), 21_000_500_007_i64);
    assert_eq!(told(&mapped.values, "domains"), "[\"acme.example\"]");
    assert_eq!(told(&mapped.values, "plan"), "Gold");
    assert_eq!(told(&mapped.values, "contract_end_date"), "2026-01-14");
    assert_eq!(told(&mapped.values, "main_number"), "15551234");
    assert!(mapped.values.get("support_level").is_none(), "what the record does not tell stays as it is");
    assert_eq!(told(&mapped.observed, "vendor_updated_at"), "2026-02-03T19:05:39Z");
    assert!(mapped.ignored.is_empty());
}

#[test]
fn wrong_types_are_ignored_one_by_one() {
    for odd in [json!([]), json!({ "a": 1 }), json!(true)] {
        let mapped = company_from(
            &record(json!({ "id": "17", "name": odd, "domains": "acme.example", "custom_fields": { "account_number": odd, "plan_selected": odd } })),
            &names(),
        )
        .unwrap();
        assert_eq!(mapped.label, "Department 17");
        assert_eq!(mapped.account_number, None);
        let told: Vec<&str> = mapped.values.iter().filter(|(_, cell)| **cell != Cell::Null).map(|(column, _)| column).collect();
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(mapped.ignored.len(), 4, "{:?}", mapped.ignored);
    }
    for unusable in [json!(null), json!({}), json!({ "id": null }), json!({ "id": "x" }), json!({ "id": 0 })] {
        assert!(unusable.as_object().is_none_or(|object| company_from(object, &names()).is_none()));
    }
    let mapped = company_from(&record(json!({ "id": 1, "name": "A", "custom_fields": null })), &names()).unwrap();
    assert_eq!(mapped.values.len(), 1);
}

#[test]
fn numbers_that_cannot_stand_in_an_address_are_refused() {
    for number in [json!("a/b"), json!("bulk"), json!(0), json!(-5), json!("12 34"), json!("9".repeat(51))] {
        let mapped = company_from(&record(json!({ "id": 1, "custom_fields": { "account_number": number } })), &names()).unwrap();
        assert_eq!(mapped.account_number, None);
        assert_eq!(mapped.ignored.len(), 1);
    }
}

#[test]
fn a_requester_becomes_a_contact() {
    let requester = record(json!({
        "id": 39_002_531_630_i64, "first_name": "John", "last_name": null, "primary_email": "JSmith@example.com", "secondary_emails": [],
        "work_phone_number": 5_551_234, "department_ids": [21_000_100_001_i64, "21000100001", null], "active": false, "has_logged_in": true,
        "vip_user": null, "custom_fields": { "user_number": "U7" }
    }));
    let mapped = contact_from(&requester, &names()).unwrap();
    assert_eq!(mapped.label, "John <JSmith@example.com>");
    assert_eq!(told(&mapped.values, "name"), "John");
    assert_eq!(told(&mapped.values, "active"), false);
    assert_eq!(told(&mapped.values, "vip_user"), false);
    assert_eq!(told(&mapped.values, "work_phone_number"), "5551234");
    assert_eq!(told(&mapped.values, "secondary_emails"), Value::Null);
    assert_eq!(told(&mapped.values, "user_number"), "U7");
    assert_eq!(mapped.companies, Some(vec!["21000100001".to_owned()]));
    assert_eq!(told(&mapped.observed, "has_logged_in"), true);
    assert_eq!(mapped.ignored, ["department_ids has 1 unusable entries"]);
}

#[test]
fn people_without_names_or_mail_still_have_a_label() {
    let contact = |value| contact_from(&record(value), &names()).unwrap();
    assert_eq!(told(&contact(json!({ "id": 5, "primary_email": "ann@example.com" })).values, "name"), "ann");
    assert_eq!(contact(json!({ "id": 5, "primary_email": null })).label, "Requester 5");
    let odd = contact(json!({ "id": 5, "first_name": {}, "last_name": "Lee", "primary_email": "no address" }));
    assert!(odd.values.get("name").is_none() && odd.values.get("email").is_none());
    assert_eq!(odd.ignored.len(), 2);
}

#[test]
fn the_msp_spellings_are_understood() {
    let contact = contact_from(
        &record(json!({ "id": 5, "name": "Ann Lee", "email": "ann@example.com", "mobile": "1", "phone": "2", "company_id": 8 })),
        &names(),
    )
    .unwrap();
    assert_eq!(told(&contact.values, "name"), "Ann Lee");
    assert_eq!(told(&contact.values, "email"), "ann@example.com");
    assert_eq!(told(&contact.values, "work_phone_number"), "2");
    assert_eq!(contact.companies, Some(vec!["8".to_owned()]));
}

#[test]
fn agents_are_told_from_requesters() {
    assert!(is_agent(&record(json!({ "id": 1, "is_agent": true }))));
    assert!(!is_agent(&record(json!({ "id": 1, "is_agent": null }))));
    let agent =
        agent_from(&record(json!({ "id": 7, "first_name": "Bo", "last_name": null, "email": "bo@msp.example", "active": true,
        "group_ids": [1, 2], "last_active_at": "2026-01-01T00:00:00Z" })))
        .unwrap();
    assert_eq!(told(&agent.values, "group_ids"), "[\"1\",\"2\"]");
    assert!(agent.values.get("name").is_none());
}
