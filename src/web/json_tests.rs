use super::*;

fn refusal(text: &[u8]) -> String {
    match object(text) {
        Err(Error::Invalid(fields)) => format!("{}: {}", fields[0].field, fields[0].message),
        Err(other) => other.to_string(),
        Ok(map) => panic!("accepted {map:?}"),
    }
}

#[test]
fn an_object_is_read_as_it_is() {
    let map = object(br#"{"a":1,"b":[true,null,1.5,"x"],"c":{"d":18446744073709551615}}"#).unwrap();
    assert_eq!(Value::Object(map).to_string(), r#"{"a":1,"b":[true,null,1.5,"x"],"c":{"d":18446744073709551615}}"#);
}

#[test]
fn what_cannot_be_understood_is_refused_in_words() {
    assert!(refusal(b"[1]").contains("must be a JSON object, not an array"));
    assert!(refusal(b"{\"a\":").contains("not valid JSON"));
    assert!(refusal(b"{\"a\":1} x").contains("not valid JSON"));
    assert!(refusal(b"").contains("not valid JSON"));
}

#[test]
fn the_field_with_bad_bytes_is_named() {
    assert_eq!(refusal(b"{\"id\":1,\"name\":\"a\xffb\"}"), "name: must be valid UTF-8");
    assert_eq!(refusal(b"{\"a\":{\"name\":\"a\\u0000b\"}}"), "a.name: must not contain a NUL character");
    assert_eq!(refusal(b"{\"tags\":[\"ok\",\"\\u0000\"]}"), "tags[1]: must not contain a NUL character");
}

#[test]
fn a_field_that_is_sent_twice_is_refused() {
    assert_eq!(refusal(br#"{"name":"a","name":"b"}"#), "name: is sent twice");
}

#[test]
fn a_million_elements_are_refused_by_name() {
    let body = format!("{{\"contact_ids\":[{}1]}}", "1,".repeat(999_999));
    assert_eq!(refusal(body.as_bytes()), "contact_ids: must not have more than 10000 elements");
}

#[test]
fn endless_nesting_is_refused_by_name() {
    for (open, shut) in [("[", "]"), ("{\"x\":", "}")] {
        let body = format!("{{\"address\":{}1{}}}", open.repeat(100_000), shut.repeat(100_000));
        assert!(refusal(body.as_bytes()).starts_with("address: must not be nested deeper"));
    }
}
