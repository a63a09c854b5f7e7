//! Reads a form post into the same map that a JSON body becomes.
//!
//! The last value of a repeated name wins, so that a check box can follow a hidden `false`; names that
//! end in `[]` make a list without its empty entries, so that a hidden empty one can send "none".

use crate::error::{Error, Result};
use serde_json::{Map, Value};

/// The most pairs that a form may have.
const MAX_PAIRS: usize = 10_000;

/// Reads `application/x-www-form-urlencoded`.
///
/// # Errors
/// When a value is not UTF-8 or holds a NUL, which names the field, or when there are too many.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>> {
    let mut map = Map::new();
    for (index, pair) in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).enumerate() {
        if index >= MAX_PAIRS {
            return Err(Error::BadRequest(format!("a form must not have more than {MAX_PAIRS} fields")));
        }
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = decode(halves.next().unwrap_or_default()).map_err(|why| Error::BadRequest(format!("a field's name {why}")))?;
        let value = decode(halves.next().unwrap_or_default()).map_err(|why| Error::field(name.clone(), why))?;
        add(&mut map, &name, value);
    }
    Ok(map)
}

fn add(map: &mut Map<String, Value>, name: &str, value: String) {
    let Some(list) = name.strip_suffix("[]") else {
        map.insert(name.to_owned(), Value::String(value));
        return;
    };
    let entry = map.entry(list).or_insert_with(|| Value::Array(Vec::new()));
    if let (Value::Array(items), false) = (entry, value.is_empty()) {
        items.push(Value::String(value));
    }
}

/// Undoes the encoding of one name or value.
///
/// # Errors
/// In words that follow the field's name.
pub fn decode(encoded: &[u8]) -> Result<String, &'static str> {
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let text = percent_encoding::percent_decode(&spaced).decode_utf8().map_err(|_| "must be valid UTF-8")?;
    if text.contains('\0') { Err("must not contain a NUL character") } else { Ok(text.replace("\r\n", "\n")) }
}
