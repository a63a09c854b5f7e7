use serde_json::json;

use super::*;
use crate::config::Config;

fn names() -> FieldNames {
    Config::for_instance(std::path::Path::new("/nonexistent")).unwrap().freshservice.fields
}

fn record(json: &Value) -> Map<String, Value> {
    json.as_object().cloned().unwrap()
}

fn put(operation: Operation, column: &str, wanted: Value, vendor: &Value) -> Value {
    let mut body = Map::new();
    find(operation, column).unwrap().put(&wanted, &record(vendor), &names(), &mut body);
    Value::Object(body)
}

#[test]
fn an_account_number_travels_as_an_integer_when_it_is_one() {
    let empty = json!({ "custom_fields": {} });
    let number = |wanted: &str| put(Operation::Department, "account_number", json!(wanted), &empty);
    assert_eq!(number("204729"), json!({ "custom_fields": { "account_number": 204_729 } }));
    assert_eq!(number("ACME-1"), json!({ "custom_fields": { "account_number": "ACME-1" } }));
    assert_eq!(number("000123"), json!({ "custom_fields": { "account_number": "000123" } }), "no digit is lost");
}

#[test]
fn values_are_spelled_as_the_vendor_has_them() {
    let has = json!({ "custom_fields": { "managed_users": 12, "billing_plan": "Gold" }, "domains": ["a.example"] });
    assert_eq!(
        put(Operation::Department, "managed_users", json!("14"), &has),
        json!({ "custom_fields": { "managed_users": 14 } })
    );
    assert_eq!(put(Operation::Department, "plan", json!("Tin"), &has), json!({ "custom_fields": { "billing_plan": "Tin" } }));
    assert_eq!(put(Operation::Department, "domains", Value::Null, &has), json!({ "domains": [] }));
    assert_eq!(put(Operation::Requester, "email", json!("a@b.example"), &has), json!({ "primary_email": "a@b.example" }));
}

#[test]
fn what_is_read_back_compares_with_what_is_stored() {
    let names = names();
    let vendor = record(&json!({
        "name": " Acme ", "domains": ["a.example", "b.example"], "head_user_id": "21000500007",
        "custom_fields": { "account_number": 204_729.0, "plan_selected": null }
    }));
    let says = |column: &str| find(Operation::Department, column).unwrap().read(&vendor, &names);
    assert_eq!(says("account_number"), json!("204729"));
    assert_eq!((says("name"), says("plan"), says("head_user_id")), (json!("Acme"), Value::Null, json!(21_000_500_007_i64)));
    let domains = find(Operation::Department, "domains").unwrap();
    assert_eq!(domains.ours(&json!(r#"["a.example","b.example"]"#)), says("domains"));
    let flag = find(Operation::Requester, "can_see_all_tickets").unwrap();
    assert_eq!((flag.ours(&json!(1)), flag.ours(&json!(false))), (json!(true), json!(false)));
}

#[test]
fn a_name_is_two_fields_at_the_vendor() {
    let mut contact = Contact { name: "Ada King".to_owned(), first_name: Some("Ada".to_owned()), ..Contact::default() };
    contact.last_name = Some("King".to_owned());
    assert_eq!(Value::Object(of_contact(&contact, "name").unwrap()), json!({ "first_name": "Ada", "last_name": "King" }));
    contact.name = "Ada Mary Lovelace".to_owned();
    assert_eq!(
        Value::Object(of_contact(&contact, "name").unwrap()),
        json!({ "first_name": "Ada Mary", "last_name": "Lovelace" })
    );
    assert!(of_contact(&contact, "employment_type").is_err());
}
