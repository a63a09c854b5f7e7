//! One answer of a vendor, from bytes that may be anything to a value or a reason against it.

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::{
    fault::{Cause, quote},
    mend,
};

/// The largest body that is read; a page of a list is far below it.
const LARGEST_BODY: usize = 8 * 1024 * 1024;
/// The most values one answer may have: in memory each takes far more room than in the body.
const MOST_VALUES: usize = 300_000;

/// The body, read whole or not at all.
pub async fn body(response: &mut reqwest::Response) -> Result<Vec<u8>, Cause> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST_BODY => {
                return Err(Cause::Broken(format!("the answer is larger than {} MB", LARGEST_BODY / 1024 / 1024)));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => {
                return Err(Cause::Broken(format!("the answer broke off after {} bytes: {}", body.len(), reason(&error))));
            }
        }
    }
}

/// A JSON value of the right shape, with the records of it that had to be mended; or what it is instead.
pub fn parse(body: &[u8], shape: &impl Fn(&Value) -> Result<(), String>) -> Result<(Value, Vec<String>), String> {
    if is_empty(body) {
        return Err("an empty answer with status 200".to_owned());
    }
    if body.trim_ascii_start().starts_with(b"<") {
        return Err("HTML instead of JSON, with status 200".to_owned());
    }
    if body.split(|byte| *byte == b',').count() > MOST_VALUES {
        return Err(format!("an answer of more than {MOST_VALUES} values"));
    }
    let (json, mended) = mend::read(body).map_err(|e| format!("not JSON, or only part of it ({e})"))?;
    shape(&json)?;
    Ok((json, mended))
}

/// What a write was answered: JSON, or nothing at all (null). Anything else is no answer of this API.
pub fn outcome(body: &[u8]) -> Result<(Value, Vec<String>), String> {
    if is_empty(body) { Ok((Value::Null, Vec::new())) } else { parse(body, &|_| Ok(())) }
}

/// Whether there is nothing in it.
fn is_empty(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

/// Whether a body is a JSON object: how an API says no, and a firewall does not.
#[must_use]
pub fn is_object(body: &[u8]) -> bool {
    matches!(serde_json::from_slice::<Value>(body), Ok(Value::Object(_)))
}

/// The words of an error body: whichever of the usual members are there, with what it says of fields.
pub fn words(body: &[u8]) -> String {
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(body) else { return String::new() };
    let said = ["description", "message", "code", "error", "error_description", "errorMessage", "reason"];
    let said = said.iter().filter_map(|key| object.get(*key)?.as_str().map(str::to_owned));
    let errors = object.get("errors").and_then(Value::as_array).into_iter().flatten().take(3);
    // The message of a field may repeat its value, which is nobody's business here.
    let fields = errors.filter_map(|e| Some(format!("{}: {}", e.get("field")?.as_str()?, e.get("code")?.as_str()?)));
    said.chain(fields).collect::<Vec<_>>().join(", ")
}

/// A header as text.
#[must_use]
pub fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// A header as a number.
#[must_use]
pub fn number(headers: &HeaderMap, name: &str) -> Option<u32> {
    header(headers, name)?.trim().parse().ok()
}

/// Why there was no answer, and from which host and port; not the whole address, which may hold credentials.
pub fn reason(error: &reqwest::Error) -> String {
    let place = error.url().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    let place = place.map_or_else(|| "the vendor".to_owned(), |(host, port)| format!("{host}:{port}"));
    if error.is_timeout() {
        return format!("{place} gives no answer in time");
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    if kind == Some(std::io::ErrorKind::ConnectionRefused) || text.contains("Connection refused") {
        return format!("{place} refuses the connection");
    }
    if text.contains("lookup address") || text.contains("dns error") {
        return format!("the name of {place} is not known");
    }
    let text = text.split(" (os error").next().unwrap_or_default();
    format!("{place}: {}", quote(text, &[]))
}
