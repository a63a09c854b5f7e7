//! Addresses and answers of Datto RMM: how a page or a record looks, wherever it comes from.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::wire;

/// What may stand unescaped in a part of a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// Its records, as they came.
    pub records: Vec<Value>,
    /// How many records the whole list has, where the vendor says so.
    pub total: Option<u64>,
    /// Whether the vendor says that there is another page.
    pub next: bool,
}

/// A part of a path that cannot lead out of it.
pub(super) fn part(text: &str) -> String {
    let text = text.trim();
    if text.bytes().all(|b| b == b'.') { "-".to_owned() } else { utf8_percent_encode(text, PATH).to_string() }
}

/// A single object, bare or wrapped in one of these keys.
pub(super) fn bare<'j>(json: &'j Value, wrappers: &[&str]) -> Result<&'j Map<String, Value>, String> {
    let object = json.as_object().ok_or_else(|| "an answer that is no object".to_owned())?;
    Ok(wrappers.iter().find_map(|key| object.get(*key)?.as_object()).unwrap_or(object))
}

/// What an audit has members of, whatever the class: an answer without any of them is about something else.
const AUDITED: [&str; 16] = [
    "systemInfo",
    "bios",
    "baseBoard",
    "nics",
    "logicalDisks",
    "processors",
    "physicalMemory",
    "displays",
    "videoBoards",
    "attachedDevices",
    "mobileInfo",
    "snmpInfo",
    "guests",
    "datastores",
    "printer",
    "printerMarkerSupplies",
];

/// An audit, bare or wrapped; `None` when it is there and empty.
pub(super) fn audited(json: &Value) -> Result<Option<&Map<String, Value>>, String> {
    let record = bare(json, &["audit", "data"])?;
    if record.is_empty() {
        return Ok(None);
    }
    let known = AUDITED.iter().any(|member| record.contains_key(*member));
    if known { Ok(Some(record)) } else { Err("an answer that is no audit".to_owned()) }
}

/// Whether this is a page of the list asked for.
pub(super) fn shape(json: &Value, list: &str) -> Result<(), String> {
    if !json.get(list).is_some_and(Value::is_array) {
        return Err(format!("an answer without a list of {list}"));
    }
    match json.get("pageDetails") {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(_) => Err("an answer with unusable page details".to_owned()),
    }
}

pub(super) fn page(mut json: Value, list: &str, size: u32) -> Page {
    let records = match json.get_mut(list).map(Value::take) {
        Some(Value::Array(records)) => records,
        _ => Vec::new(),
    };
    let details = json.get("pageDetails").and_then(Value::as_object);
    let total = details.and_then(|d| wire::integer(d, "totalCount")).and_then(|n| u64::try_from(n).ok());
    let next = match details.and_then(|d| d.get("nextPageUrl")) {
        Some(Value::String(url)) => !url.trim().is_empty() && url.trim() != "null",
        Some(_) => false,
        None => records.len() >= size as usize,
    };
    Page { records, total, next }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_audit_is_about_a_machine() {
        assert!(audited(&json!({ "bios": null, "x": 1 })).unwrap().is_some());
        assert!(audited(&json!({ "audit": { "nics": [] } })).unwrap().is_some());
        assert_eq!(audited(&json!({})), Ok(None));
        for other in [json!([]), json!(null), json!({ "sites": null }), json!({ "error": "busy" })] {
            assert!(audited(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_page_is_what_it_says_it_is() {
        for odd in
            [json!([]), json!({}), json!({ "devices": {} }), json!({ "sites": [] }), json!({ "devices": [], "pageDetails": 7 })]
        {
            assert!(shape(&odd, "devices").is_err(), "{odd}");
        }
        let full = json!({ "pageDetails": { "totalCount": "3", "nextPageUrl": "https://elsewhere.example/?page=1" }, "devices": [1, 2] });
        assert!(shape(&full, "devices").is_ok());
        let read = page(full, "devices", 2);
        assert_eq!((read.records.len(), read.total, read.next), (2, Some(3), true));
        let last = page(json!({ "pageDetails": { "nextPageUrl": null }, "devices": [1, 2] }), "devices", 2);
        assert_eq!((last.total, last.next), (None, false));
        assert!(page(json!({ "devices": [1, 2] }), "devices", 2).next, "without page details a full page is not the last");
    }

    #[test]
    fn parts_of_a_path_stay_in_their_place() {
        assert_eq!(part(" 1b-2c "), "1b-2c");
        assert_eq!(part("a/../b?c"), "a%2F..%2Fb%3Fc");
        assert_eq!(part(".."), "-");
    }

    #[test]
    fn single_objects_come_bare_or_wrapped() {
        assert_eq!(bare(&json!({ "uid": 1 }), &["device"]).unwrap().len(), 1);
        assert_eq!(bare(&json!({ "device": { "uid": 1, "x": 2 } }), &["device"]).unwrap().len(), 2);
        assert!(bare(&json!([{}]), &["device"]).is_err());
    }
}
