//! From the former service's text to the value of a field: by the rules of its line in the field table, but cleaned instead
//! of refused, as what vendors tell is. Nothing of a row is lost because one of its cells is odd.

use serde_json::{Map, Value as Json, json};

use crate::{
    companies::contract,
    db::Value,
    entity::{FieldSpec, Format, Kind},
    error::Error,
    tickets::utc,
    types::decimal,
    web::{Fields, Sent},
};

/// A value, and what had to be done to have it, if anything.
pub type Told = (Value, Option<String>);

/// What a field holds of whom nothing is known.
#[must_use]
pub fn empty(spec: &FieldSpec) -> Value {
    match (spec.emptied, spec.kind) {
        (Some(text), _) => text.into(),
        _ if spec.is_nullable => Value::Null,
        (None, Kind::Int | Kind::Decimal(_) | Kind::Reference(_)) => Value::Int(0),
        (None, Kind::Flag) => Value::Bool(false),
        (None, _) => "".into(),
    }
}

/// The value of a text that is not empty; why there is none is the error.
pub fn read(spec: &FieldSpec, text: &str) -> Result<Told, String> {
    match spec.kind {
        Kind::Flag => flag(text).map(|flag| (flag.into(), None)).ok_or_else(|| "is neither true nor false".to_owned()),
        Kind::Int | Kind::Reference(_) => {
            whole(text).map(|number| (number.into(), None)).ok_or_else(|| "is no whole number".to_owned())
        }
        Kind::Decimal(places) => amount(text, places),
        Kind::Day => contract::day(text).map(|day| (day.into(), None)).ok_or_else(|| "is not a certain day".to_owned()),
        Kind::Moment(_) => moment(text),
        Kind::Text(_) if spec.read_as() == Some(Format::Moment) => moment(text),
        Kind::TextList(items, most) => list(text, items, most),
        Kind::Long(_) | Kind::Markdown(_) => Ok((text.into(), None)),
        Kind::Text(most) | Kind::Phone(most) => Ok(short(text, most)),
        _ => checked(spec, text),
    }
}

/// What the field table makes of it.
fn checked(spec: &FieldSpec, text: &str) -> Result<Told, String> {
    let mut fields = Fields::from_form(Map::from_iter([(spec.name.to_owned(), json!(text))]));
    let open = FieldSpec { is_told: false, ..*spec };
    let sent = open.read(&mut fields);
    match (fields.finish(), sent) {
        (Ok(()), Sent::Value(value)) => Ok((value, None)),
        (Ok(()), Sent::Null | Sent::Absent) => Ok((empty(spec), None)),
        (Err(Error::Invalid(wrong)), _) => Err(wrong.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; ")),
        (Err(other), _) => Err(other.to_string()),
    }
}

/// As much of a text as a field takes.
#[must_use]
pub fn fitting(spec: &FieldSpec, text: &str) -> String {
    match spec.kind {
        Kind::Text(most) => cut(text, most).unwrap_or(text).to_owned(),
        _ => text.to_owned(),
    }
}

/// A text without what is too much of it; none when nothing is.
fn cut(text: &str, most: usize) -> Option<&str> {
    text.char_indices().nth(most).map(|(end, _)| text[..end].trim_end())
}

/// Texts that lists are ordered by have an end.
fn short(text: &str, most: usize) -> Told {
    match cut(text, most) {
        Some(cut) => (cut.into(), Some(format!("was cut after {most} characters"))),
        None => (text.into(), None),
    }
}

fn moment(text: &str) -> Result<Told, String> {
    utc(text).map(|at| (at.into(), None)).ok_or_else(|| "is no time".to_owned())
}

/// Yes or no, as databases and people write it.
#[must_use]
pub fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" | "on" => Some(true),
        "0" | "f" | "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A whole number, also as a database without types may have it (`12.0`).
#[must_use]
pub fn whole(text: &str) -> Option<i64> {
    let (digits, rest) = text.split_once('.').unwrap_or((text, ""));
    digits.parse().ok().filter(|_| rest.bytes().all(|digit| digit == b'0'))
}

fn amount(text: &str, places: u32) -> Result<Told, String> {
    if let Ok(exact) = decimal::read(text, places) {
        return Ok((exact.into(), None));
    }
    let number: f64 = text.parse().map_err(|_| "is no number".to_owned())?;
    if !number.is_finite() || number < 0.0 {
        return Err("must be a number from 0 on".to_owned());
    }
    let rounded = format!("{number:.*}", places as usize);
    decimal::read(&rounded, places).map(|value| (value.into(), Some(format!("was rounded to {places} decimals"))))
}

/// A list as JSON, or as people and careless programs write one.
fn list(text: &str, items: usize, most: usize) -> Result<Told, String> {
    let (told, odd) = texts(text).ok_or_else(|| "is no list".to_owned())?;
    let count = told.len();
    let kept: Vec<String> = told.into_iter().filter(|item| item.chars().count() <= most).take(items).collect();
    let note = match (kept.len() < count, odd) {
        (true, _) => Some(format!("had more or longer entries than the {items} of {most} characters that are kept")),
        (false, true) => Some("was no JSON, and was read as a list with commas".to_owned()),
        (false, false) => None,
    };
    Ok((if kept.is_empty() { Value::Null } else { json!(kept).to_string().into() }, note))
}

/// The texts of a list, and whether it was something else than JSON.
fn texts(text: &str) -> Option<(Vec<String>, bool)> {
    let item = |value: &Json| match value {
        Json::String(text) => Some(crate::types::clean(text)).filter(|text| !text.is_empty()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match serde_json::from_str::<Json>(text) {
        Ok(Json::Array(items)) => Some((items.iter().filter_map(item).collect(), false)),
        Ok(Json::Null) => Some((Vec::new(), false)),
        Ok(Json::String(text)) => Some((parted(&text), true)),
        Ok(Json::Number(number)) => Some((vec![number.to_string()], true)),
        Ok(Json::Object(_) | Json::Bool(_)) => None,
        Err(_) => Some((parted(text), true)),
    }
}

fn parted(text: &str) -> Vec<String> {
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    let parts = inner.split([',', ';', '\n']).map(|part| part.trim().trim_matches(['"', '\'']).trim().to_owned());
    parts.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{billing::Plan, companies::Company, contacts::Contact, entity::Fielded as _};

    fn of_company(field: &str, text: &str) -> Result<Told, String> {
        read(&Company::field(field).unwrap().spec, text)
    }

    #[test]
    fn odd_cells_are_cleaned_or_say_why_not() {
        for (field, text, value) in [
            ("contract_start_date", "2024-01-15T00:00:00", Value::from("2024-01-15")),
            ("contract_start_date", "15/01/2024", "2024-01-15".into()),
            ("vendor_created_at", "2024-01-15 10:00:00", "2024-01-15T10:00:00Z".into()),
            ("head_user_id", "12.0", 12_i64.into()),
            ("domains", "[\"acme.com\", \"acme.org\"]", "[\"acme.com\",\"acme.org\"]".into()),
            ("domains", "['acme.com', 'acme.org']", "[\"acme.com\",\"acme.org\"]".into()),
            ("domains", "acme.com", "[\"acme.com\"]".into()),
            ("domains", "[]", Value::Null),
        ] {
            assert_eq!(of_company(field, text).unwrap().0, value, "{field} {text}");
        }
        for (field, text) in [
            ("contract_start_date", "03/04/2024"),
            ("vendor_created_at", "soon"),
            ("head_user_id", "twelve"),
            ("domains", "{\"a\": 1}"),
            ("datto_portal_url", "javascript:alert(1)"),
        ] {
            assert!(of_company(field, text).is_err(), "{field} {text}");
        }
        let (cut, note) = of_company("plan", &"é".repeat(150)).unwrap();
        assert_eq!((cut, note.unwrap().as_str()), ("é".repeat(100).into(), "was cut after 100 characters"));
        assert_eq!(of_company("description", &"a".repeat(30_000)).unwrap().0, "a".repeat(30_000).into());
    }

    #[test]
    fn amounts_flags_and_addresses() {
        let cost = |text: &str| read(&Plan::field("per_user_cents").unwrap().spec, text);
        assert_eq!(cost("19.99"), Ok((1999_i64.into(), None)));
        assert_eq!(cost("150"), Ok((15000_i64.into(), None)));
        assert_eq!(cost("19.999").map(|(value, note)| (value, note.is_some())), Ok((2000_i64.into(), true)));
        assert!(cost("-3").is_err() && cost("free").is_err());
        let spec = &Contact::field("vip_user").unwrap().spec;
        assert_eq!(read(spec, "true"), Ok((true.into(), None)));
        assert_eq!(read(spec, "0"), Ok((false.into(), None)));
        assert!(read(spec, "maybe").is_err());
        assert!(read(&Contact::field("email").unwrap().spec, "nobody").is_err());
        assert_eq!(empty(&Contact::field("email").unwrap().spec), "".into());
        assert_eq!(empty(&Contact::field("employment_type").unwrap().spec), "Full Time".into());
        assert_eq!(empty(&Plan::field("per_user_cents").unwrap().spec), 0_i64.into());
    }
}
