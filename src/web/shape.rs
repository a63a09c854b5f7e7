//! How an answer looks when that is asked for, whatever made it: some of its members (`fields=`), or CSV
//! (`format=csv`, `Accept: text/csv`). Lists of the list engine do this themselves; this does it for every
//! other list and record. It is also where a time that is not served is refused (`as_of=`).

use super::{Query, csv, list, text};
use crate::error::{Error, Result};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Map, Value};
use std::io::Write;

/// The largest answer that is read again to be given another shape.
const LARGEST: usize = 8 * 1024 * 1024;

/// Marks an answer that has the shape that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Shaped;

/// On an answer that tells what was at the moment that was asked about.
#[derive(Clone, Copy, Debug)]
pub struct AsOf;

/// The shape that is asked for.
#[derive(Debug)]
struct Wish {
    fields: Option<Vec<String>>,
    csv: Option<csv::Reader>,
}

/// Whose CSV is asked for.
///
/// # Errors
/// When `for` names nobody.
pub fn reader(query: &Query) -> Result<csv::Reader> {
    match query.text("for")? {
        None | Some("machines" | "programs") => Ok(csv::Reader::Program),
        Some("excel" | "people") => Ok(csv::Reader::Person),
        Some(_) => Err(Error::field("for", "must be excel or machines")),
    }
}

/// Whether the caller accepts CSV and no JSON.
#[must_use]
pub fn accepts_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/csv") && !accept.contains("application/json")
}

/// What tells the tag of a shaped answer from that of the plain one.
#[must_use]
pub fn tag(query: &Query, headers: &HeaderMap) -> Option<String> {
    let said = ["fields", "format", "for"].map(|name| query.get(name).unwrap_or_default());
    let csv = accepts_csv(headers);
    (csv || said.iter().any(|text| !text.is_empty()))
        .then(|| super::etag::hash(&[said[0].as_bytes(), said[1].as_bytes(), said[2].as_bytes(), &[u8::from(csv)]]))
}

/// The error of a member that there is not.
pub fn unknown<T: AsRef<str>>(name: &str, known: &[T]) -> Error {
    let short: String = name.chars().filter(|letter| !letter.is_control()).take(40).collect();
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    Error::field("fields", format!("there is no {short}; possible are {}", known.join(", ")))
}

/// How many elements a JSON array has; none for anything else.
#[must_use]
pub fn elements(body: &[u8]) -> Option<i64> {
    let mut counting = Counting::new(std::io::sink());
    counting.read(body);
    counting.elements()
}

/// Passes JSON on, and counts the elements of its outermost array on the way.
pub struct Counting<W> {
    to: W,
    depth: u32,
    quoted: bool,
    escaped: bool,
    is_array: Option<bool>,
    has_any: bool,
    commas: i64,
}

impl<W> Counting<W> {
    /// Nothing has passed yet.
    pub fn new(to: W) -> Self {
        Self { to, depth: 0, quoted: false, escaped: false, is_array: None, has_any: false, commas: 0 }
    }

    /// How many elements there were; none when the whole was no array.
    pub fn elements(&self) -> Option<i64> {
        (self.is_array == Some(true)).then_some(if self.has_any { self.commas + 1 } else { 0 })
    }

    fn read(&mut self, text: &[u8]) {
        for byte in text {
            if self.is_array.is_none() {
                self.is_array = Some(*byte == b'[');
                self.depth = 1;
                continue;
            }
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.quoted => self.escaped = true,
                b'"' => {
                    self.quoted = !self.quoted;
                    self.has_any = true;
                }
                _ if self.quoted => {}
                b'[' | b'{' => {
                    self.depth += 1;
                    self.has_any = true;
                }
                b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                b',' if self.depth == 1 => self.commas += 1,
                byte if !byte.is_ascii_whitespace() => self.has_any = true,
                _ => {}
            }
        }
    }
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        let written = self.to.write(text)?;
        self.read(text.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

/// Around every handler.
pub async fn around(request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let asks_of_past = query.iter().any(|(name, _)| name == "as_of") && !request.uri().path().starts_with("/static/");
    // Without a body there is nothing to shape.
    let asked = *request.method() == Method::GET && tag(&query, request.headers()).is_some();
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    let response = next.run(request).await;
    let is_answer = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    if asks_of_past && is_answer && response.extensions().get::<AsOf>().is_none() {
        let message = "is not served here: this address shows what is now. What was is in the records and lists of the API, in \
                       /api/history/{entity}/{id} and in /api/changes";
        return Error::field("as_of", message).into_response();
    }
    if !asked || response.status() != StatusCode::OK || response.extensions().get::<Shaped>().is_some() || !is_json(&response) {
        return response;
    }
    match wish(&query, &headers) {
        Ok(Wish { fields: None, csv: None }) => response,
        Ok(wish) => reshaped(&path, &wish, response).await.unwrap_or_else(IntoResponse::into_response),
        Err(error) => error.into_response(),
    }
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("application/json")
}

fn wish(query: &Query, headers: &HeaderMap) -> Result<Wish> {
    let names = |text: &str| text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let wants_csv = match query.text("format")? {
        Some("csv") => true,
        Some("json") => false,
        Some(_) => return Err(Error::field("format", "must be json or csv")),
        None => accepts_csv(headers),
    };
    let csv = if wants_csv { Some(reader(query)?) } else { None };
    Ok(Wish { fields: query.text("fields")?.map(names), csv })
}

async fn reshaped(path: &str, wish: &Wish, response: Response) -> Result<Response> {
    let (mut parts, body) = response.into_parts();
    // What is made here is counted as waiting to be sent like everything else.
    parts.extensions.remove::<text::Accounted>();
    let bytes = Limited::new(body, LARGEST).collect().await.map_err(|_| too_large(wish))?.to_bytes();
    let mut value: Value = serde_json::from_slice(&bytes).map_err(Error::internal)?;
    drop(bytes);
    parts.headers.remove(header::CONTENT_LENGTH);
    if let (false, Some(total)) = (parts.headers.contains_key("x-total-count"), total(&value)) {
        parts.headers.insert("x-total-count", total.into());
    }
    if let Some(fields) = &wish.fields {
        choose(&mut value, fields)?;
    }
    let Some(reader) = wish.csv else {
        let body = serde_json::to_vec(&value).map_err(Error::internal)?;
        return Ok(Response::from_parts(parts, Body::from(body)));
    };
    let rows = rows(value);
    let mut columns: Vec<String> = wish.fields.clone().unwrap_or_default();
    if columns.is_empty() {
        for name in rows.iter().flat_map(Map::keys) {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
    }
    list::as_csv(path, &mut parts.headers);
    parts.headers.entry(header::VARY).or_insert(HeaderValue::from_static("Accept, Authorization, Cookie"));
    Ok(Response::from_parts(parts, Body::from(csv::of_rows(&columns, &rows, reader)?)))
}

fn too_large(wish: &Wish) -> Error {
    let name = if wish.fields.is_some() { "fields" } else { "format" };
    Error::field(name, "is not possible here, because the answer is too large for it; ask the lists that it is made of")
}

/// Whether an object is one record, and not a list with something around it.
fn is_record(object: &Map<String, Value>) -> bool {
    ["id", "rev", "account_number", "job_id"].iter().any(|name| object.contains_key(*name)) || lists(object).next().is_none()
}

fn lists(object: &Map<String, Value>) -> impl Iterator<Item = (&String, &Vec<Value>)> {
    let of_rows = |items: &&Vec<Value>| items.iter().all(Value::is_object);
    object.iter().filter_map(move |(name, value)| Some((name, value.as_array().filter(of_rows)?)))
}

fn total(value: &Value) -> Option<u64> {
    let said = |pointer: &str| value.pointer(pointer).and_then(Value::as_u64);
    match value {
        Value::Array(items) => Some(items.len() as u64),
        Value::Object(object) if !is_record(object) => said("/total")
            .or_else(|| said("/pagination/total"))
            .or_else(|| Some(lists(object).map(|(_, items)| items.len() as u64).sum())),
        _ => None,
    }
}

/// Leaves these members of every row, or of the one record.
fn choose(value: &mut Value, fields: &[String]) -> Result<()> {
    match value {
        Value::Array(items) => choose_rows(items.iter_mut(), fields),
        Value::Object(object) if is_record(object) => choose_rows(std::iter::once(value), fields),
        Value::Object(object) => {
            let of_rows = |items: &&mut Vec<Value>| items.iter().all(Value::is_object);
            let rows = object.values_mut().filter_map(|value| value.as_array_mut().filter(of_rows)).flatten();
            choose_rows(rows, fields)
        }
        _ => Ok(()),
    }
}

fn choose_rows<'v>(rows: impl Iterator<Item = &'v mut Value>, fields: &[String]) -> Result<()> {
    let mut rows: Vec<&mut Map<String, Value>> = rows.filter_map(Value::as_object_mut).collect();
    let mut known: Vec<String> = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if !known.contains(name) {
            known.push(name.clone());
        }
    }
    if let Some(wrong) = fields.iter().find(|field| !rows.is_empty() && !known.contains(field)) {
        return Err(unknown(wrong, &known));
    }
    for row in &mut rows {
        let mut whole = std::mem::take(*row);
        **row = fields.iter().map(|field| (field.clone(), whole.remove(field).unwrap_or(Value::Null))).collect();
    }
    Ok(())
}

/// The rows of an answer, for CSV; those of several lists say which list they are of.
fn rows(value: Value) -> Vec<Map<String, Value>> {
    let row = |value: Value| match value {
        Value::Object(object) => object,
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    match value {
        Value::Array(items) => items.into_iter().map(row).collect(),
        Value::Object(object) if is_record(&object) => vec![object],
        Value::Object(object) => {
            let several = lists(&object).count() > 1;
            let named: Vec<(String, Vec<Value>)> = lists(&object).map(|(name, items)| (name.clone(), items.clone())).collect();
            let of = |(name, items): (String, Vec<Value>)| {
                items.into_iter().map(row).map(move |row| {
                    let start = several.then(|| ("list".to_owned(), Value::String(name.clone())));
                    start.into_iter().chain(row).collect()
                })
            };
            named.into_iter().flat_map(of).collect()
        }
        other => vec![row(other)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_counted_without_reading_them() {
        for (body, count) in [
            ("[]", Some(0)),
            ("[1]", Some(1)),
            (r#"[{"a":[1,2],"b":"x,]\"}"},{"c":{}}]"#, Some(2)),
            (r#"["a,b","c\\",3]"#, Some(3)),
            ("{}", None),
            ("", None),
        ] {
            assert_eq!(elements(body.as_bytes()), count, "{body}");
        }
    }
}
