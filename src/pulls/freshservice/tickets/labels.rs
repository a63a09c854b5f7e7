//! What an account calls its statuses, from the form's description of itself.

use serde_json::Value;

/// Code and name of every status that the ticket form offers. Accounts describe their choices as
/// `{"8": ["Scheduled", …]}`, `{"8": "Scheduled"}`, `{"Scheduled": 8}`, `[{"id": 8, "value": "Scheduled"}]`
/// or `[["Scheduled", 8]]`.
#[must_use]
pub fn statuses(fields: &[Value]) -> Vec<(i64, String)> {
    let field = fields.iter().find(|field| is_status(field));
    let choices = field.and_then(|field| field.get("choices").or_else(|| field.get("nested_choices")));
    let mut found: Vec<(i64, String)> = match choices {
        Some(Value::Object(map)) => map.iter().filter_map(|(key, value)| from_pair(key, value)).collect(),
        Some(Value::Array(list)) => list.iter().filter_map(from_entry).collect(),
        _ => Vec::new(),
    };
    found.sort();
    found.dedup_by_key(|(code, _)| *code);
    found
}

fn is_status(field: &Value) -> bool {
    let says = |key: &str, word: &str| field.get(key).and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case(word));
    says("name", "status") || says("field_type", "default_status") || says("type", "default_status")
}

fn from_pair(key: &str, value: &Value) -> Option<(i64, String)> {
    match (code(&Value::from(key)), value) {
        (Some(code), value) => Some((code, name(value)?)),
        (None, value) => Some((code(value)?, name(&Value::from(key))?)),
    }
}

fn from_entry(entry: &Value) -> Option<(i64, String)> {
    match entry {
        Value::Object(map) => {
            let code = ["id", "status_id", "key", "code"].iter().find_map(|key| code(map.get(*key)?));
            let name = ["value", "label", "name", "display_value"].iter().find_map(|key| name(map.get(*key)?));
            match (code, name) {
                (Some(code), Some(name)) => Some((code, name)),
                // `{"value": 8, "label": "Scheduled"}`
                (None, Some(_)) => Some((self::code(map.get("value")?)?, self::name(map.get("label")?)?)),
                _ => None,
            }
        }
        Value::Array(pair) => match pair.as_slice() {
            [first, second, ..] => {
                code(first).and_then(|code| Some((code, name(second)?))).or_else(|| Some((code(second)?, name(first)?)))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A status's code: a small positive number, as a number or as text.
fn code(value: &Value) -> Option<i64> {
    let code = match value {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (1..=1_000_000).contains(&code).then_some(code)
}

/// A status's name for agents: the first text of a list, as the second is what requesters read.
fn name(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text,
        Value::Array(list) => list.first()?.as_str()?,
        _ => return None,
    };
    let plain: String = crate::types::clean(text).chars().filter(|c| !c.is_control()).take(100).collect();
    let plain = plain.trim();
    (!plain.is_empty() && plain.parse::<i64>().is_err()).then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_shape_of_choices_is_read() {
        for choices in [
            json!({"2": ["Open", "Being Processed"], "8": ["Scheduled", "Planned"]}),
            json!({"2": "Open", "8": "Scheduled"}),
            json!({"Open": 2, "Scheduled": 8}),
            json!([{"id": 2, "value": "Open"}, {"id": 8, "value": "Scheduled"}]),
            json!([{"id": "8", "label": "Scheduled"}, {"id": 2, "name": "Open"}]),
            json!([{"value": 8, "label": "Scheduled"}, {"value": 2, "label": "Open"}]),
            json!([["Open", 2], [8, "Scheduled"]]),
        ] {
            let fields = [json!({"name": "priority", "choices": {"1": "Low"}}), json!({"name": "status", "choices": choices})];
            assert_eq!(statuses(&fields), [(2, "Open".to_owned()), (8, "Scheduled".to_owned())], "{choices}");
        }
        let typed = [json!({"name": "state", "field_type": "default_status", "choices": {"9": ["Waiting"]}})];
        assert_eq!(statuses(&typed), [(9, "Waiting".to_owned())]);
    }

    #[test]
    fn what_is_no_choice_is_left_out() {
        for odd in [json!(null), json!(7), json!([]), json!({"x": "y", "2": null, "3": [4], "-1": "No"}), json!([1, "a", {}, []])]
        {
            assert!(statuses(&[json!({"name": "status", "choices": odd}), json!(5), json!({})]).is_empty(), "{odd}");
        }
    }
}
