use super::*;
use serde_json::json;

fn fields(value: Value) -> Fields {
    let Value::Object(map) = value else { panic!("not an object") };
    Fields::new(map)
}

fn errors(fields: Fields) -> Vec<String> {
    match fields.finish() {
        Err(Error::Invalid(errors)) => errors.into_iter().map(|error| format!("{} {}", error.field, error.message)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn absent_null_and_value_are_told_apart() {
    let mut fields = fields(json!({"cleared": null, "emptied": "  ", "name": " Acme "}));
    assert_eq!(fields.text("absent").get(), Sent::Absent);
    assert_eq!(fields.text("cleared").get(), Sent::Null);
    assert_eq!(fields.text("emptied").get(), Sent::Null);
    assert_eq!(fields.text("name").get(), Sent::Value("Acme".to_owned()));
    let mut place = Some("old".to_owned());
    fields.text("absent").get().store(&mut place);
    assert_eq!(place.as_deref(), Some("old"));
    fields.text("cleared").get().store(&mut place);
    assert_eq!(place, None);
    fields.finish().unwrap();
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let mut fields = fields(json!({
        "name": true, "role": "chief", "age": "old", "active": "yes", "mail": "a b@c", "day": "2026-02-31",
        "long": "xxxx", "ids": [1, "two"], "site": "javascript:alert(1)",
    }));
    fields.set_creating(true);
    let _ = fields.text("name").required().max(3).get();
    let _ = fields.text("missing").required().get();
    let _ = fields.text("role").one_of(&["billing", "technical"]).get();
    let _ = fields.int("age").get();
    let _ = fields.bool("active").get();
    let _ = fields.text("mail").email().get();
    let _ = fields.text("day").date().get();
    let _ = fields.text("long").max(3).get();
    let _ = fields.int_list("ids").get();
    let _ = fields.text("site").url().get();
    assert_eq!(
        errors(fields),
        [
            "name must be text, not true or false",
            "missing is required",
            "role must be one of billing, technical",
            "age must be a whole number",
            "active must be true or false, not text",
            "mail must be an e-mail address",
            "day must be a date like 2026-01-31",
            "long must not be longer than 3 characters (it has 4)",
            "ids element 1 must be a whole number",
            "site must be an address that starts with https:// or http://",
        ]
    );
}

#[test]
fn a_required_field_need_not_be_sent_again_but_cannot_be_emptied() {
    let mut fields = fields(json!({"name": ""}));
    let _ = fields.text("name").required().get();
    let _ = fields.text("other").required().get();
    assert_eq!(errors(fields), ["name must not be empty"]);
}

#[test]
fn forms_mean_the_same_as_json() {
    let map =
        form::object(b"name=A+%26+B&active=false&active=on&age=7&empty=&tags%5B%5D=&tags%5B%5D=x&tags%5B%5D=y&none[]=").unwrap();
    let mut fields = Fields::from_form(map);
    assert_eq!(fields.text("name").value().as_deref(), Some("A & B"));
    assert_eq!(fields.bool("active").value(), Some(true));
    assert_eq!(fields.int("age").value(), Some(7));
    assert_eq!(fields.int("empty").get(), Sent::Null);
    assert_eq!(fields.text_list("tags").value(), Some(vec!["x".to_owned(), "y".to_owned()]));
    assert_eq!(fields.int_list("none").value(), Some(vec![]));
    fields.finish().unwrap();
}

#[test]
fn lists_are_read_in_every_form_that_clients_use() {
    let mut fields = fields(json!({
        "array": ["a.com", " b.com "], "encoded": "[\"a.com\",\"b.com\"]", "commas": "a.com, b.com", "lines": "a.com\nb.com\n",
        "keys": [100_001, "00123"],
    }));
    for name in ["array", "encoded", "commas", "lines"] {
        assert_eq!(fields.text_list(name).value(), Some(vec!["a.com".to_owned(), "b.com".to_owned()]), "{name}");
    }
    assert_eq!(fields.key_list("keys").value(), Some(vec!["100001".to_owned(), "00123".to_owned()]));
    fields.finish().unwrap();
}

#[test]
fn a_second_name_counts_only_when_the_first_is_not_sent() {
    let mut fields = fields(json!({"name": "second", "phone": "1"}));
    fields.alias("hostname", "name");
    fields.alias("name", "phone");
    assert_eq!(fields.text("hostname").value().as_deref(), Some("second"));
    assert_eq!(fields.text("name").value().as_deref(), Some("second"));
}
