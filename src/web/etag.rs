//! Names for versions of answers, so that nobody sends or computes what the caller already has.

use crate::error::{Error, Result};
use aws_lc_rs::digest::{Context, SHA256};
use axum::http::{HeaderMap, HeaderName, header};
use serde::Serialize;
use std::{fmt::Write as _, io, sync::LazyLock, time::UNIX_EPOCH};

/// How many bytes of a hash a tag carries.
const HASH_BYTES: usize = 12;

/// Tells two builds of this program apart, because they may word the same data differently.
static BUILD: LazyLock<String> = LazyLock::new(|| {
    let file = std::env::current_exe().and_then(std::fs::metadata).ok();
    let changed = file.as_ref().and_then(|file| file.modified().ok()?.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{}-{}-{}", env!("CARGO_PKG_VERSION"), file.map_or(0, |file| file.len()), changed.as_nanos())
});

/// A hash of these parts, in hexadecimal; where one part ends and the next begins matters.
#[must_use]
pub fn hash(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&part.len().to_le_bytes());
        context.update(part);
    }
    text_of(context)
}

/// A hash of this as JSON.
#[must_use]
pub fn hash_of(value: &impl Serialize) -> String {
    struct Sink(Context);
    impl io::Write for Sink {
        fn write(&mut self, some: &[u8]) -> io::Result<usize> {
            self.0.update(some);
            Ok(some.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Sink(Context::new(&SHA256));
    // Maps with texts for keys and a sink that takes everything cannot fail.
    let _ = serde_json::to_writer(&mut sink, value);
    text_of(sink.0)
}

fn text_of(context: Context) -> String {
    context.finish().as_ref().iter().take(HASH_BYTES).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The tag of an answer that is the same as long as these are: the question, and versions of its data.
#[must_use]
pub fn of_question(question: &str, versions: &str) -> String {
    format!("\"{}\"", hash(&[BUILD.as_bytes(), question.as_bytes(), versions.as_bytes()]))
}

/// The tag of one record's answer: `If-Match` compares id and revision, `If-None-Match` the whole.
#[must_use]
pub fn of_row(id: i64, rev: i64, body: &[u8]) -> String {
    format!("\"{id}-{rev}-{}\"", hash(&[body]))
}

/// The short tag of one record, as a write answers it.
#[must_use]
pub fn of_rev(id: i64, rev: i64) -> String {
    format!("\"{id}-{rev}\"")
}

/// Whether the caller has this version already.
#[must_use]
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    tags(headers, &header::IF_NONE_MATCH).any(|tag| tag == "*" || tag == etag)
}

/// The revision that the caller's `If-Match` expects of a record; none when there is no such header.
///
/// # Errors
/// `PreconditionFailed` when the header names other records or nothing that we ever sent.
pub fn expected_rev(headers: &HeaderMap, id: i64) -> Result<Option<i64>> {
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    for tag in tags(headers, &header::IF_MATCH) {
        if tag == "*" {
            return Ok(None);
        }
        let mut parts = tag.trim_matches('"').splitn(3, '-');
        let numbers =
            (parts.next().and_then(|part| part.parse::<i64>().ok()), parts.next().and_then(|part| part.parse::<i64>().ok()));
        if let (Some(named), Some(rev)) = numbers
            && id == named
        {
            return Ok(Some(rev));
        }
    }
    Err(Error::PreconditionFailed)
}

fn tags<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/"))
}

#[cfg(test)]
#[path = "etag_tests.rs"]
mod tests;
