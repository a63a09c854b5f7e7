//! Reading an answer of a vendor that is broken in a few letters: what cannot be text is replaced, record by
//! record, instead of refusing the whole page.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::types::hex;

/// What stands where a character was broken.
const BROKEN: char = '\u{fffd}';
/// How many records are named.
const NAMED: usize = 50;
/// The members by which a record can be recognised.
const IDS: [&str; 5] = ["id", "uid", "alertUid", "display_id", "name"];

/// What had to be mended in the answers of one run.
#[derive(Clone, Debug, Default)]
pub struct Mended {
    known: HashSet<String>,
    named: Vec<String>,
}

impl Mended {
    /// Adds the records of an answer; one that is read again counts once.
    pub fn add(&mut self, found: Vec<String>) {
        for line in found {
            if self.known.insert(line.clone()) && self.named.len() < NAMED {
                self.named.push(line);
            }
        }
    }

    /// How many records.
    #[must_use]
    pub fn count(&self) -> usize {
        self.known.len()
    }

    /// The first of them, in words.
    #[must_use]
    pub fn named(&self) -> &[String] {
        &self.named
    }
}

/// JSON, with what had to be mended in it; each record that was touched in words, never with its values.
///
/// # Errors
/// Those of the parser, when it is not JSON even so.
pub fn read(body: &[u8]) -> Result<(Value, Vec<String>), serde_json::Error> {
    let (mut json, repaired) = match serde_json::from_slice::<Value>(body) {
        Ok(json) => (json, false),
        Err(first) => {
            let text = repair(&String::from_utf8_lossy(body));
            (serde_json::from_str::<Value>(&text).map_err(|_| first)?, true)
        }
    };
    // A NUL can only stand as an escape in what was read at once.
    let suspicious = repaired || body.windows(6).any(|six| six == b"\\u0000");
    let found = if suspicious { records(&mut json) } else { Vec::new() };
    Ok((json, found))
}

/// The text with every escape, letter and number replaced that no parser takes. What is cut off or of another
/// grammar stays so.
fn repair(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut letters = text.trim_start_matches('\u{feff}').chars().peekable();
    let mut inside = false;
    while let Some(letter) = letters.next() {
        match (inside, letter) {
            (_, '"') => {
                inside = !inside;
                out.push('"');
            }
            (true, '\\') => {
                let rest: String = letters.clone().take(11).collect();
                let (written, taken) = escape(&rest);
                out.push_str(&written);
                letters.by_ref().take(taken).for_each(drop);
            }
            (_, '\0') => {}
            (true, control) if control.is_control() && u32::from(control) < 0x20 => {
                out.push_str("\\u");
                out.push_str(&hex(&[0, u8::try_from(control).unwrap_or_default()]));
            }
            (false, '-' | '0'..='9') => {
                let mut number = String::from(letter);
                while let Some(more) = letters.next_if(|c| matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')) {
                    number.push(more);
                }
                let beyond = number.parse::<f64>().is_ok_and(f64::is_infinite);
                out.push_str(if beyond { "null" } else { &number });
            }
            (_, other) => out.push(other),
        }
    }
    out
}

/// What becomes of a backslash before `rest`, and how many letters of it are used up.
fn escape(rest: &str) -> (String, usize) {
    let unit = |text: Option<&str>| {
        let digits = text.filter(|text| text.len() == 4 && text.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    match rest.chars().next() {
        Some('u') => match unit(rest.get(1..5)) {
            Some(0xD800..=0xDBFF) => match unit(rest.get(5..).and_then(|more| more.strip_prefix("\\u"))) {
                Some(0xDC00..=0xDFFF) => (format!("\\{rest}").chars().take(12).collect(), 11),
                _ => (BROKEN.to_string(), 5),
            },
            Some(0xDC00..=0xDFFF) => (BROKEN.to_string(), 5),
            Some(_) => (format!("\\{}", rest.get(..5).unwrap_or_default()), 5),
            None => (BROKEN.to_string(), 1),
        },
        Some(known @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => (format!("\\{known}"), 1),
        Some('\0') => (String::new(), 1),
        _ => ("\\\\".to_owned(), 0),
    }
}

/// Takes NUL out of every record of an answer; says which of them were touched.
fn records(json: &mut Value) -> Vec<String> {
    let mut found = Vec::new();
    let Value::Object(members) = json else {
        return clean_one("the answer", json).into_iter().collect();
    };
    let mut own = Map::new();
    for (key, value) in std::mem::take(members) {
        match value {
            Value::Array(mut all) => {
                for (at, record) in all.iter_mut().enumerate() {
                    let id = IDS.iter().find_map(|id| record.get(*id).and_then(word));
                    let name = format!(
                        "{} {}",
                        key.strip_suffix('s').unwrap_or(&key),
                        id.unwrap_or_else(|| format!("(record {})", at + 1))
                    );
                    found.extend(clean_one(&name, record));
                }
                members.insert(key, Value::Array(all));
            }
            mut value @ Value::Object(_) => {
                let id = IDS.iter().find_map(|id| value.get(*id).and_then(word)).unwrap_or_default();
                found.extend(clean_one(format!("{key} {id}").trim(), &mut value));
                members.insert(key, value);
            }
            value => {
                own.insert(key, value);
            }
        }
    }
    let mut own = Value::Object(own);
    let id = IDS.iter().find_map(|id| own.get(*id).and_then(word)).unwrap_or_default();
    found.extend(clean_one(format!("record {id}").trim(), &mut own));
    if let Value::Object(own) = own {
        members.extend(own);
    }
    found
}

/// A short word by which a record can be found at the vendor.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.chars().filter(|c| !c.is_control()).take(60).collect()),
        _ => None,
    }
}

fn clean_one(name: &str, record: &mut Value) -> Option<String> {
    let mut fields: Vec<String> = Vec::new();
    if let Value::Object(members) = record {
        for (key, value) in members.iter_mut() {
            if clean(value) {
                fields.push(key.chars().filter(|c| !c.is_control()).collect());
            }
        }
        if members.keys().any(|key| key.contains(['\0', BROKEN])) {
            *members = std::mem::take(members).into_iter().map(|(key, value)| (key.replace('\0', ""), value)).collect();
            fields.push("the name of a field".to_owned());
        }
    } else if clean(record) {
        fields.push("its text".to_owned());
    }
    (!fields.is_empty()).then(|| format!("{name}: broken characters in {}", fields.join(", ")))
}

/// Takes NUL out of a value; whether anything in it was broken.
fn clean(value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            let broken = text.contains(['\0', BROKEN]);
            if text.contains('\0') {
                *text = text.replace('\0', "");
            }
            broken
        }
        Value::Array(all) => all.iter_mut().fold(false, |broken, one| clean(one) | broken),
        Value::Object(members) => {
            let broken = members.values_mut().fold(false, |broken, one| clean(one) | broken);
            let odd = members.keys().any(|key| key.contains(['\0', BROKEN]));
            if odd {
                *members = std::mem::take(members).into_iter().map(|(key, value)| (key.replace('\0', ""), value)).collect();
            }
            broken || odd
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_broken_letter_costs_nothing_else() {
        let body = b"{\"requesters\": [{\"id\": 1, \"first_name\": \"Ava\"}, {\"id\": 2, \"first_name\": \"Bo\\ud83d\", \"x\": \"\\ud83d\\ude00\"},\
            {\"id\": 3, \"first_name\": \"C\xff\xfey\"}, {\"id\": 4, \"first_name\": \"D\\u0000d\", \"b\": \"\\\\u0000\"}, {\"id\": 5, \"n\": \"a\x00b\x01c\\q\", \"big\": 1e999}]}";
        let (json, found) = read(body).unwrap();
        let names: Vec<&str> = json["requesters"].as_array().unwrap().iter().filter_map(|r| r["first_name"].as_str()).collect();
        assert_eq!(names, ["Ava", "Bo\u{fffd}", "C\u{fffd}\u{fffd}y", "Dd"]);
        assert_eq!(json["requesters"][1]["x"], "😀");
        assert_eq!(json["requesters"][3]["b"], "\\u0000");
        assert_eq!(json["requesters"][4]["n"], "ab\u{1}c\\q");
        assert_eq!(found, [2, 3, 4].map(|id| format!("requester {id}: broken characters in first_name")));
        let (json, found) =
            read(br#"{"departments": [{"id": 7, "name": "a\u0000b", "custom_fields": {"x\u0000": ["\u0000"]}}]}"#).unwrap();
        assert_eq!(json.to_string(), r#"{"departments":[{"id":7,"name":"ab","custom_fields":{"x":[""]}}]}"#);
        assert_eq!(found, ["department 7: broken characters in name, custom_fields"]);
    }

    #[test]
    fn what_is_no_json_stays_none_and_what_is_whole_stays_as_it_is() {
        for none in ["{\"a\": [1, 2", "{\"a\": \"\\ud83d", "nonsense", "{a: 1}", "\u{0}\u{1}"] {
            assert!(read(none.as_bytes()).is_err(), "{none}");
        }
        let (json, found) = read("{\"a\": \"\u{fffd}\", \"n\": 204729.0}".as_bytes()).unwrap();
        assert_eq!((json["a"].as_str(), found.len()), (Some("\u{fffd}"), 0));
        assert_eq!(read("\u{feff}{\"a\": 1}".as_bytes()).unwrap().0["a"], 1);
    }
}
