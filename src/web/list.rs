//! Answers a list: JSON or CSV, whole or in pages, with the headers that say so.

use std::{
    io::{self, Write as _},
    sync::Arc,
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::{
    ReadRequest, Web,
    cache::Answer,
    columns::Columns,
    csv,
    disclosure::{self, Kept, Readings},
    etag,
    links::{self, Paging},
    memory, read_request, shape,
    text::{self, Accounted, Array, Text, Writer},
};
use crate::{
    db::{
        self, Conn,
        list::{
            ListQuery, ListSpec, Slice,
            beside::{self, Gathered},
        },
    },
    error::{Error, Result},
    types::Scope,
};

/// A page of at most so many rows is read beside everything else; of longer lists few are made at once.
const LIGHT: i64 = 1_000;

/// The seconds of a quarter of a minute.
const QUARTER: i64 = 15;

/// The most members that are chosen.
const MOST_FIELDS: usize = 500;

/// How a list's answer looks.
#[derive(Clone, Debug)]
struct Shape {
    csv: Option<csv::Reader>,
    fields: Option<Vec<String>>,
    framing: Framing,
}

/// What stands around the rows.
#[derive(Clone, Copy, Debug)]
enum Framing {
    /// Nothing: an array.
    Bare,
    /// What `envelope=1` asks for.
    Envelope,
    /// An object of old, with the rows under this name.
    Named(&'static str),
}

/// Where the rows of a list go, one by one; what they become is the caller's choice.
pub struct Rows {
    sink: Sink,
    columns: Option<Columns>,
    /// What is kept beside the rows, where anything is.
    gathered: Option<Gathered>,
    /// Whether any of that is among the members that were chosen.
    tells_beside: bool,
    /// Whether own fields are told among the custom fields: a table that nobody chose the columns of has one for each.
    tells_custom: bool,
    /// Whether the rows have custom fields of vendors.
    has_vendors: bool,
    count: usize,
}

/// A row with what is kept beside it.
#[derive(Serialize)]
struct With<'a, T> {
    #[serde(flatten)]
    row: &'a T,
    #[serde(flatten)]
    beside: Map<String, Json>,
}

enum Sink {
    Json(Writer),
    Csv(Box<csv::Table<Writer>>, csv::Reader),
    Told(Teller),
}

/// Who is told each row: as a table has it, and as JSON has it.
type Teller = Box<dyn FnMut(&Map<String, Json>, &Map<String, Json>) -> Result<()>>;

impl Rows {
    fn new(shape: &Shape, known: &[&'static str], gathered: &Gathered, to: Writer) -> Result<Self> {
        let beside: Vec<String> = gathered.columns().into_iter().map(|column| column.name).collect();
        let unknown = |name: &&String| !known.contains(&name.as_str()) && !beside.contains(name) && !is_whole(name, &beside);
        if let Some(name) = shape.fields.iter().flatten().find(unknown) {
            return Err(shape::unknown(name, known));
        }
        let gathered = gathered.is_used().then(|| gathered.clone());
        let is_beside = |name: &String| beside.contains(name) || is_whole(name, &beside);
        let tells_beside = shape.fields.as_ref().is_none_or(|fields| fields.iter().any(is_beside));
        let has_vendors = known.contains(&beside::CUSTOM);
        let tells_custom = match &shape.fields {
            Some(fields) => fields.iter().any(|name| name == beside::CUSTOM),
            None => shape.csv.is_none(),
        };
        if let Some(reader) = shape.csv {
            let all = || known.iter().map(|name| (*name).to_owned()).chain(beside).collect();
            let columns = Columns::new(&shape.fields.clone().unwrap_or_else(all));
            let table = Box::new(csv::table(&columns, to, reader)?);
            let (sink, columns) = (Sink::Csv(table, reader), Some(columns));
            return Ok(Self { sink, columns, gathered, tells_beside, tells_custom, has_vendors, count: 0 });
        }
        let columns = shape.fields.as_deref().map(Columns::new);
        Ok(Self { sink: Sink::Json(to), columns, gathered, tells_beside, tells_custom, has_vendors, count: 0 })
    }

    /// Rows that are no answer: each is told, whole, as a table has it and as JSON has it.
    pub fn told(gathered: &Gathered, take: impl FnMut(&Map<String, Json>, &Map<String, Json>) -> Result<()> + 'static) -> Self {
        let gathered = gathered.is_used().then(|| gathered.clone());
        let sink = Sink::Told(Box::new(take));
        Self { sink, columns: None, gathered, tells_beside: true, tells_custom: false, has_vendors: false, count: 0 }
    }

    /// One more row.
    ///
    /// # Errors
    /// When it cannot be written, or there is no room for it.
    pub fn push<T: Serialize>(&mut self, row: &T) -> Result<()> {
        let Some(gathered) = &self.gathered else { return self.write(row) };
        let mut id = Columns::new(&["id"]);
        id.read(row)?;
        let id = id.cells().find_map(|(_, text)| serde_json::from_slice(text).ok());
        let kept = id.map(|id| gathered.take(id)).unwrap_or_default();
        if let (Some(id), Some(entity), true) = (id, kept.protected, self.tells_beside) {
            // The thread that makes an answer gathers what it shows.
            Readings::default().note(entity, [id]);
        }
        let mut beside = kept.json;
        if self.columns.is_some() {
            flatten(&mut beside, matches!(self.sink, Sink::Csv(..)));
        }
        if !self.tells_custom || !beside.contains_key(beside::OWN) {
            return self.write(&With { row, beside });
        }
        if !self.has_vendors {
            let mut whole = Map::new();
            beside::put(&mut whole, beside);
            return self.write(&With { row, beside: whole });
        }
        let Json::Object(mut whole) = serde_json::to_value(row).map_err(Error::internal)? else {
            return Err(Error::internal("a list's element is no object"));
        };
        beside::put(&mut whole, beside);
        self.write(&whole)
    }

    fn write<T: Serialize>(&mut self, row: &T) -> Result<()> {
        let first = self.count == 0;
        self.count += 1;
        if let Some(columns) = &mut self.columns {
            columns.read(row)?;
        }
        match (&mut self.sink, &self.columns) {
            (Sink::Csv(table, reader), Some(columns)) => csv::record(table, columns, *reader),
            (Sink::Json(to), Some(columns)) => write_some(to, first, columns).map_err(text::failure),
            (Sink::Json(to), None) => write_row(to, first, row).map_err(text::failure),
            (Sink::Csv(..), None) => Err(Error::internal("a table without columns")),
            (Sink::Told(take), _) => {
                let Json::Object(row) = serde_json::to_value(row).map_err(Error::internal)? else {
                    return Err(Error::internal("a list's element is no object"));
                };
                let mut cells = row.clone();
                flatten(&mut cells, true);
                take(&cells, &row)
            }
        }
    }

    /// The whole text; `total` is how many rows there are on all pages.
    fn finish(self, shape: &Shape, slice: Option<Slice>, total: i64) -> Result<Text> {
        let mut to = match self.sink {
            Sink::Csv(table, _) => return table.into_inner().map_err(|error| text::failure(error.into_error()))?.finish(b""),
            Sink::Json(to) => to,
            Sink::Told(_) => return Err(Error::internal("rows that are no answer")),
        };
        let (limit, offset) = (json!(slice.map(|slice| slice.limit)), slice.map_or(0, |slice| slice.offset));
        let (front, back) = match shape.framing {
            Framing::Bare => ("[".to_owned(), "]".to_owned()),
            Framing::Envelope => {
                ("{\"items\":[".to_owned(), format!("],\"total\":{total},\"limit\":{limit},\"offset\":{offset}}}"))
            }
            Framing::Named(name) => (
                format!("{{\"count\":{},\"{name}\":[", self.count),
                format!("],\"total\":{total},\"offset\":{offset},\"limit\":{limit}}}"),
            ),
        };
        to.write_all(back.as_bytes()).map_err(text::failure)?;
        to.finish(front.as_bytes())
    }
}

/// Whether this is the member that holds all of one's own fields, or all tags.
fn is_whole(name: &str, beside: &[String]) -> bool {
    matches!(name, beside::OWN | beside::CUSTOM) && beside.iter().any(|column| column.starts_with(beside::PREFIX))
}

/// Each own field as a member of its own; tags of a table as words.
fn flatten(beside: &mut Map<String, Json>, is_table: bool) {
    let own: Vec<(String, Json)> = match beside.get(beside::OWN) {
        Some(Json::Object(own)) => own.iter().map(|(key, value)| (format!("{}{key}", beside::PREFIX), value.clone())).collect(),
        _ => Vec::new(),
    };
    beside.extend(own);
    if let Some(tags) = beside.get_mut("tags").filter(|_| is_table) {
        let words: Vec<&str> = tags.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        *tags = words.join(", ").into();
    }
}

fn write_row<T: Serialize>(to: &mut Writer, first: bool, row: &T) -> io::Result<()> {
    if !first {
        to.write_all(b",")?;
    }
    serde_json::to_writer(to, row).map_err(io::Error::from)
}

fn write_some(to: &mut Writer, first: bool, columns: &Columns) -> io::Result<()> {
    to.write_all(if first { b"{" } else { b",{" })?;
    for (index, (name, text)) in columns.cells().enumerate() {
        to.write_all(if index == 0 { b"\"" } else { b",\"" })?;
        to.write_all(name.as_bytes())?;
        to.write_all(b"\":")?;
        to.write_all(text)?;
    }
    to.write_all(b"}")
}

impl ReadRequest {
    /// What the query string asks of this list.
    ///
    /// # Errors
    /// When a new parameter is wrong, naming it.
    pub fn list(&self, spec: &'static ListSpec) -> Result<ListQuery> {
        ListQuery::parse(spec, self.query.iter())
    }

    fn shape(&self, known: &[&'static str]) -> Result<Shape> {
        let fields = self.query.text("fields")?.map(|names| chosen(known, names)).transpose()?;
        let framing = if self.query.is_on("envelope")? { Framing::Envelope } else { Framing::Bare };
        let csv = if self.wants_csv()? { Some(shape::reader(&self.query)?) } else { None };
        Ok(Shape { csv, fields, framing })
    }
}

/// The members that are chosen; whether there are those beside the rows is known when those are read.
fn chosen(known: &[&'static str], names: &str) -> Result<Vec<String>> {
    let mut fields = Vec::new();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let own = beside::key_of(name).map(|key| format!("{}{key}", beside::PREFIX));
        let is_beside = own.is_some() || matches!(name, beside::OWN | beside::CUSTOM | "tags");
        let name = own.as_deref().unwrap_or(name);
        if !is_beside && !known.contains(&name) {
            return Err(shape::unknown(name, known));
        }
        if fields.len() < MOST_FIELDS && !fields.iter().any(|field| field == name) {
            fields.push(name.to_owned());
        }
    }
    Ok(fields)
}

/// Answers with a list that this caller may see; `variant` tells apart callers of one scope to whom
/// the same rows look different. `load` gives the rows, one by one, and says how many there are on all pages.
///
/// # Errors
/// When the question is wrong.
pub async fn respond<F>(
    web: &Web,
    scope: &Scope,
    variant: &str,
    request: &ReadRequest,
    query: ListQuery,
    load: F,
) -> Result<Response>
where
    F: FnOnce(&mut Conn, &ListQuery, &mut Rows) -> Result<i64> + Send + 'static,
{
    let known = (query.spec().fields)();
    respond_as(web, scope, variant, request, query, known, load).await
}

/// The same for rows that have these members, and not the list's own.
///
/// # Errors
/// As [`respond`].
pub async fn respond_as<F>(
    web: &Web,
    scope: &Scope,
    variant: &str,
    request: &ReadRequest,
    query: ListQuery,
    known: &'static [&'static str],
    load: F,
) -> Result<Response>
where
    F: FnOnce(&mut Conn, &ListQuery, &mut Rows) -> Result<i64> + Send + 'static,
{
    let shape = request.shape(known)?;
    shaped(web, scope, variant, request, query, known, shape, load).await
}

/// The same for a list that old clients read as an object with the rows under this name.
///
/// # Errors
/// As [`respond`].
pub async fn respond_named<F>(
    web: &Web,
    scope: &Scope,
    variant: &str,
    request: &ReadRequest,
    query: ListQuery,
    name: &'static str,
    load: F,
) -> Result<Response>
where
    F: FnOnce(&mut Conn, &ListQuery, &mut Rows) -> Result<i64> + Send + 'static,
{
    let known = (query.spec().fields)();
    let shape = Shape { framing: Framing::Named(name), ..request.shape(known)? };
    shaped(web, scope, variant, request, query, known, shape, load).await
}

#[expect(clippy::too_many_arguments, reason = "the two fronts above say what each is")]
async fn shaped<F>(
    web: &Web,
    scope: &Scope,
    variant: &str,
    request: &ReadRequest,
    query: ListQuery,
    known: &'static [&'static str],
    shape: Shape,
    load: F,
) -> Result<Response>
where
    F: FnOnce(&mut Conn, &ListQuery, &mut Rows) -> Result<i64> + Send + 'static,
{
    let gathered = Gathered::default();
    let query = query.gathering(request.sees_all(&web.config), gathered.clone());
    let (spec, slice) = (query.spec(), query.slice());
    let question = format!("{}|{variant}|{scope:?}|{}|{shape:?}", request.path, query.normalised());
    let (is_csv, writer) = (shape.csv.is_some(), web.cache.writer());
    // What hangs on one record is not much, even whole.
    let is_part = slice.map_or(request.path.matches('/').count() > 2, |slice| slice.limit <= LIGHT);
    let weight = if is_part { Weight::Light } else { Weight::Heavy };
    let how = How { entities: spec.entities, weight, lasts: Lasts::UntilChanged };
    let made = answer(web, scope, request, &question, how, move |conn| {
        query.begin_beside(conn)?;
        let mut rows = Rows::new(&shape, known, &gathered, writer)?;
        let total = load(conn, &query, &mut rows)?;
        Ok((rows.finish(&shape, slice, total)?, Some(total)))
    })
    .await?;
    let total = made.total().unwrap_or_default();
    let mut response = sent(web, request, &question, &made).await?;
    if response.status() == StatusCode::OK {
        if is_csv {
            as_csv(&request.path, response.headers_mut());
        }
        response.extensions_mut().insert(shape::Shaped);
        count(&mut response, request, slice, total);
    }
    Ok(response)
}

/// Says how many there are, and where the other pages of them.
fn count(response: &mut Response, request: &ReadRequest, slice: Option<Slice>, total: i64) {
    response.headers_mut().insert("x-total-count", total.into());
    if let Some(links) = slice.and_then(|slice| links::header(request, &Paging { slice, total })) {
        response.headers_mut().insert(header::LINK, links);
    }
}

/// Answers with an object of old around a part of a list, through the cache; `make` also tells how many
/// rows there are on all pages.
pub async fn part<T, F>(
    web: &Web,
    scope: &Scope,
    variant: &str,
    request: &ReadRequest,
    entities: &'static [&'static str],
    slice: Slice,
    make: F,
) -> Result<Response>
where
    T: Serialize,
    F: FnOnce(&mut Conn) -> Result<(T, i64)> + Send + 'static,
{
    let variant = format!("{variant}|{:?}", parameters(request));
    let how = How { entities, weight: Weight::Light, lasts: Lasts::UntilChanged };
    let make = move |conn: &mut Conn, to: &mut Writer| {
        let (value, total) = make(conn)?;
        serde_json::to_writer(to, &value).map_err(text::failure)?;
        Ok(Some(total))
    };
    written(web, scope, &variant, request, how, Some(slice), make).await
}

fn parameters(request: &ReadRequest) -> Vec<(&str, Option<&str>)> {
    request.query.iter().map(|(name, value)| (name, value.ok())).collect()
}

/// Writes a value; tells how many elements it has when it is an array.
fn write_value<T: Serialize>(to: &mut Writer, value: &T) -> Result<Option<i64>> {
    let mut counting = shape::Counting::new(to);
    serde_json::to_writer(&mut counting, value).map_err(text::failure)?;
    Ok(counting.elements())
}

/// Answers with anything that depends on these entities alone, through the cache.
pub async fn value<T, F>(
    web: &Web,
    scope: &Scope,
    variant: &str,
    request: &ReadRequest,
    entities: &'static [&'static str],
    make: F,
) -> Result<Response>
where
    T: Serialize,
    F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
{
    let variant = format!("{variant}|{:?}", parameters(request));
    let how = How { entities, weight: Weight::Light, lasts: Lasts::UntilChanged };
    written(web, scope, &variant, request, how, None, move |conn, to| write_value(to, &make(conn)?)).await
}

/// The same for an array that is written element by element, because it may be long.
pub async fn array<F>(
    web: &Web,
    scope: &Scope,
    variant: &str,
    request: &ReadRequest,
    entities: &'static [&'static str],
    make: F,
) -> Result<Response>
where
    F: FnOnce(&mut Conn, &mut Array<'_>) -> Result<()> + Send + 'static,
{
    let variant = format!("{variant}|{:?}", parameters(request));
    let how = How { entities, weight: Weight::Light, lasts: Lasts::UntilChanged };
    let make = move |conn: &mut Conn, to: &mut Writer| {
        let mut array = Array::begin(to)?;
        make(conn, &mut array)?;
        array.end().map(Some)
    };
    written(web, scope, &variant, request, how, None, make).await
}

/// The same for an answer that also tells what time does to its data: it is made anew with every quarter of a minute.
pub async fn of_this_quarter_minute<T, F>(
    web: &Web,
    scope: &Scope,
    variant: &str,
    request: &ReadRequest,
    entities: &'static [&'static str],
    make: F,
) -> Result<Response>
where
    T: Serialize,
    F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
{
    let quarter = jiff::Timestamp::now().as_second().div_euclid(QUARTER);
    let how = How { entities, weight: Weight::Light, lasts: Lasts::For(quarter) };
    written(web, scope, variant, request, how, None, move |conn, to| write_value(to, &make(conn)?)).await
}

/// Answers with JSON that depends on these entities and on this variant of the question alone (not on
/// any other parameter), through the cache; `make` writes it.
pub async fn json<F>(
    web: &Web,
    scope: &Scope,
    variant: &str,
    request: &ReadRequest,
    entities: &'static [&'static str],
    make: F,
) -> Result<Response>
where
    F: FnOnce(&mut Conn, &mut Writer) -> Result<()> + Send + 'static,
{
    let how = How { entities, weight: Weight::Heavy, lasts: Lasts::UntilChanged };
    written(web, scope, variant, request, how, None, move |conn, to| make(conn, to).map(|()| None)).await
}

async fn written<F>(
    web: &Web,
    scope: &Scope,
    variant: &str,
    request: &ReadRequest,
    how: How,
    slice: Option<Slice>,
    make: F,
) -> Result<Response>
where
    F: FnOnce(&mut Conn, &mut Writer) -> Result<Option<i64>> + Send + 'static,
{
    let question = format!("{}|{variant}|{scope:?}", request.path);
    let mut writer = web.cache.writer();
    let made = answer(web, scope, request, &question, how, move |conn| {
        let total = make(conn, &mut writer)?;
        Ok((writer.finish(b"")?, total))
    })
    .await?;
    let mut response = sent(web, request, &question, &made).await?;
    if let (StatusCode::OK, Some(total)) = (response.status(), made.total()) {
        count(&mut response, request, slice, total);
    }
    Ok(response)
}

/// How an answer is made and kept.
#[derive(Clone, Copy)]
struct How {
    entities: &'static [&'static str],
    weight: Weight,
    lasts: Lasts,
}

/// Whether an answer may have so many rows that only some of the readers may be busy with such.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    Light,
    Heavy,
}

/// How long an answer stays right.
#[derive(Clone, Copy)]
enum Lasts {
    /// Until its data changes.
    UntilChanged,
    /// During this quarter of a minute, unless its data changes.
    For(i64),
}

impl Lasts {
    /// The versions of the data, with the time when that matters.
    fn mark(self, versions: String) -> String {
        match self {
            Self::UntilChanged => versions,
            Self::For(quarter) => format!("{versions}@{quarter}"),
        }
    }

    /// Whether an answer with this mark is of now, as long as its data is.
    fn holds(self, mark: &str) -> bool {
        match self {
            Self::UntilChanged => true,
            Self::For(quarter) => mark.rsplit('@').next().is_some_and(|of| of.parse() == Ok(quarter)),
        }
    }
}

/// The response that sends an answer, or 304 when the caller has it.
async fn sent(web: &Web, request: &ReadRequest, question: &str, made: &Made) -> Result<Response> {
    let answer = match made {
        Made::Answer(answer) => answer,
        Made::Known(etag) => return request.tagged(etag, || StatusCode::NOT_MODIFIED.into_response()),
    };
    let etag = etag::of_question(question, &answer.versions);
    let body = if request.has(&etag) { Body::empty() } else { answer.body.body(web.cache.budget()).await? };
    request.tagged(&etag, || {
        Readings::current().repeat(&answer.protected);
        let mut response = read_request::json_body(body);
        response.extensions_mut().insert(Accounted);
        response
    })
}

/// An answer, or the tag of it when the caller has it already.
enum Made {
    Answer(Answer),
    Known(String),
}

impl Made {
    /// How many rows there are on all pages, for lists that are sent.
    fn total(&self) -> Option<i64> {
        match self {
            Self::Answer(answer) => answer.total,
            Self::Known(_) => None,
        }
    }
}

/// The answer from the cache when its data is unchanged; otherwise made anew, once for all who wait. Who has an answer of the
/// data as it is needs none: its tag follows from the question and the versions.
async fn answer<F>(web: &Web, scope: &Scope, request: &ReadRequest, question: &str, how: How, make: F) -> Result<Made>
where
    F: FnOnce(&mut Conn) -> Result<(Text, Option<i64>)> + Send + 'static,
{
    let How { entities, weight, lasts } = how;
    let change_notifier = || web.db.changes_of(entities);
    let before = change_notifier();
    let current = async || web.db.read(scope, move |conn| Ok(lasts.mark(db::versions(conn, entities)?))).await;
    if let Some(kept) = web.cache.kept(question).await {
        if before.is_some() && kept.change_notifier == before && lasts.holds(&kept.versions) {
            return Ok(Made::Answer(kept));
        }
        if kept.versions == current().await? {
            web.cache.confirm(question, &kept.versions, before).await;
            return Ok(Made::Answer(kept));
        }
    }
    if request.has_some() {
        let etag = etag::of_question(question, &current().await?);
        if request.has(&etag) {
            return Ok(Made::Known(etag));
        }
    }
    let mut slot = web.cache.slot(question).await;
    if let Some(kept) = &*slot
        && kept.versions == current().await?
    {
        return Ok(Made::Answer(kept.clone()));
    }
    let _turn = if weight == Weight::Heavy { Some(web.turn().await?) } else { None };
    let (change_notifier, cache) = (change_notifier(), web.cache.clone());
    let answer = web
        .db
        .read(scope, move |conn| {
            let versions = lasts.mark(db::versions(conn, entities)?);
            let (made, shown) = disclosure::counted(|| make(conn));
            let (body, total) = made?;
            let protected = Arc::new(Kept::within(&shown, cache.budget(), &*cache.spare())?);
            Ok(Answer { versions, change_notifier, body, total, protected })
        })
        .await?;
    if weight == Weight::Heavy {
        memory::tidy_later();
    }
    if !web.config.server.dev {
        web.cache.keep(question, &mut slot, &answer);
    }
    Ok(Made::Answer(answer))
}

/// The headers of CSV, as a file named after the list.
pub(super) fn as_csv(path: &str, headers: &mut HeaderMap) {
    let name: String =
        path.rsplit('/').find(|part| !part.is_empty()).unwrap_or("list").chars().filter(char::is_ascii_alphanumeric).collect();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
}
