use super::*;
use askama::Template as _;

#[test]
fn counts_and_initials_read_as_people_write_them() {
    for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (30_112, "30,112"), (-1_234_567, "-1,234,567")] {
        assert_eq!(thousands(count), text);
    }
    for (name, letters) in [("Ada Lovelace", "AL"), ("jürgen", "J"), ("", ""), ("M. de la Cruz", "MC"), ("élise O'Neil", "ÉN")]
    {
        assert_eq!(initials(name), letters, "{name}");
    }
}

#[test]
fn what_a_value_holds_stays_text() -> askama::Result<()> {
    let evil = "<script>alert(1)</script>\"'";
    let values = [
        Value::words(evil),
        Value::link(format!("/x?{evil}"), evil),
        Value::Mail(evil.into()),
        Value::Phone(evil.into()),
        Value::Code(evil.into()),
        Value::Lines(evil.into()),
        Value::Date(evil.into()),
        Value::badge("info", evil),
    ];
    for value in values {
        let html = value.render()?;
        assert!(!html.contains("<script") && !html.contains("\"'"), "{html}");
    }
    Ok(())
}

#[test]
fn only_web_addresses_are_ways_out() {
    assert!(matches!(Value::away(Some("javascript:alert(1)"), "x"), Value::Text(_)));
    assert!(matches!(Value::away(Some("https://example.com"), "x"), Value::Away { .. }));
    assert!(matches!(Value::away(None, "x"), Value::None));
}

#[test]
fn errors_stand_beside_their_fields_and_the_rest_above() {
    let mut fields = [Field::text("name", "Name", ""), Field::text("domains", "Domains", "")];
    let wrong = |field: &str| crate::error::FieldError { field: field.into(), message: "is wrong".into() };
    let rest = form::place_errors(&mut fields, &[wrong("name"), wrong("domains[2]"), wrong("other")]);
    assert_eq!(fields.each_ref().map(|field| field.error.is_some()), [true, true]);
    assert_eq!(rest, ["other: is wrong"]);
}
