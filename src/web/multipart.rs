//! Reads one file out of a form that a browser sends in parts.

use axum::http::{HeaderMap, header};
use bytes::Bytes;

use crate::error::{Error, Result};

/// The content of the part of this name.
///
/// # Errors
/// `UnsupportedMedia` for another kind of body, `Invalid`, naming the field, when there is no such part.
pub fn file(headers: &HeaderMap, body: &Bytes, name: &str) -> Result<Bytes> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = kind.strip_prefix("multipart/form-data").and_then(|rest| {
        let value = rest.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
        Some(value.trim_matches('"').to_owned()).filter(|value| !value.is_empty() && value.len() <= 70)
    });
    let boundary =
        boundary.ok_or_else(|| Error::UnsupportedMedia("the body must be multipart/form-data with a file".to_owned()))?;
    let missing = || Error::field(name, "is required");
    let mark = format!("--{boundary}");
    let mut rest = after(body, mark.as_bytes()).ok_or_else(missing)?;
    while let Some(part) = rest.strip_prefix(b"\r\n".as_slice()) {
        let end = position(part, format!("\r\n{mark}").as_bytes()).ok_or_else(missing)?;
        let (whole, next) = part.split_at(end);
        let blank = position(whole, b"\r\n\r\n").ok_or_else(missing)?;
        let (head, content) = whole.split_at(blank);
        if is_named(head, name) {
            return Ok(body.slice_ref(content.get(4..).unwrap_or_default()));
        }
        rest = next.get(mark.len() + 2..).unwrap_or_default();
    }
    Err(missing())
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn after<'a>(text: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    text.get(position(text, wanted)? + wanted.len()..)
}

fn is_named(head: &[u8], name: &str) -> bool {
    let head = String::from_utf8_lossy(head);
    let lines = head.split("\r\n").filter(|line| line.to_ascii_lowercase().starts_with("content-disposition:"));
    lines.flat_map(|line| line.split(';')).any(|parameter| parameter.trim() == format!("name=\"{name}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(kind: &'static str, body: &str, name: &str) -> Result<String> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, axum::http::HeaderValue::from_static(kind))]);
        file(&headers, &Bytes::from(body.to_owned()), name).map(|found| String::from_utf8_lossy(&found).into_owned())
    }

    #[test]
    fn the_part_of_a_name_is_found_whole() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n--y\r\n--x\r\nContent-Disposition: form-data; name=\"json_file\"; filename=\"a.json\"\r\nContent-Type: application/json\r\n\r\n{\"a\":\r\n1}\r\n--x--\r\n";
        let kind = "multipart/form-data; boundary=x";
        assert_eq!(sent(kind, body, "json_file").unwrap(), "{\"a\":\r\n1}");
        assert_eq!(sent(kind, body, "note").unwrap(), "--y");
        assert!(matches!(sent(kind, body, "other"), Err(Error::Invalid(_))));
        assert!(matches!(sent(kind, "--x\r\nno end", "note"), Err(Error::Invalid(_))));
        assert!(matches!(sent("application/json", "{}", "note"), Err(Error::UnsupportedMedia(_))));
    }
}
