//! Many records in one request: all of an array are added or none, and what a list's own question finds is changed or
//! retired as one.

use axum::{extract::State, response::Response};
use serde_json::{Map, Value as Json, json};

use super::{Resource, merged};
use crate::web::openapi::schema as described;
use crate::{
    auth::Caller,
    compliance::{RedactedChange, RedactionPolicy, trail},
    custom,
    db::{
        Conn, Write,
        list::{
            ListQuery, ListSpec, Slice,
            beside::{self, Gathered},
        },
    },
    entity::once::lasting,
    error::{Error, FieldError, Result},
    history::{Record as _, batches, feed},
    web::{Fields, Preconditions, Query, Reply, Routes, Web},
};

/// The most rows that one request adds or changes: they are one transaction, and everybody else waits for it.
pub const MOST: usize = 5_000;
/// The most changes that are told of what was changed.
const TOLD: i64 = 20;
/// The most errors that are told.
const MOST_ERRORS: usize = 200;

/// `PATCH` and `DELETE` of a list.
pub fn routes<R: Resource>(list: &'static str) -> Routes {
    if R::list().is_none() {
        return Routes::new();
    }
    let says = |what: &str| lasting(format!("{}: {what}", R::Row::WHAT));
    let answer = |_: &mut _| {
        described::done(&[
            ("message", described::text()),
            ("matched", described::int()),
            ("changed", described::int()),
            ("batch_id", described::or_null(described::int())),
            ("differences", described::array(difference_answer())),
            ("dry_run", described::flag()),
        ])
    };
    let routes = Routes::new()
        .patch(list, update::<R>)
        .tells(says("change the fields that are sent, of every row that the list's own filters find"), answer)
        .takes(|schemas| described::closed(super::api::with_own::<R>(R::body(schemas, false))))
        .delete(list, retire::<R>)
        .tells(says("retire every row that the list's own filters find"), answer);
    if R::IS_FORCED { routes.asks(&[("force", "boolean", "Although something is attached to them.")]) } else { routes }
}

/// What is wrong with some of many, each by its place.
#[derive(Default)]
struct Wrong {
    errors: Vec<FieldError>,
    is_conflict: bool,
}

impl Wrong {
    /// What came of one of them; what is wrong with it is noted under its place.
    fn take<T>(&mut self, place: &str, result: Result<T>) -> Result<Option<T>> {
        let field = |name: &str| if name.is_empty() { place.to_owned() } else { format!("{place}.{name}") };
        match result {
            Ok(done) => return Ok(Some(done)),
            Err(Error::Invalid(wrong)) => {
                self.errors.extend(wrong.into_iter().map(|wrong| FieldError { field: field(&wrong.field), ..wrong }));
            }
            Err(Error::Conflict { message, .. }) => {
                self.is_conflict = true;
                self.errors.push(FieldError { field: field(""), message });
            }
            Err(error @ Error::NotFound { .. }) => {
                self.errors.push(FieldError { field: field(""), message: error.to_string() });
            }
            Err(other) => return Err(other),
        }
        Ok(None)
    }

    /// # Errors
    /// `Invalid` or `Conflict` with all of them.
    fn finish(mut self) -> Result<()> {
        if self.errors.is_empty() {
            return Ok(());
        }
        let count = self.errors.len();
        self.errors.truncate(MOST_ERRORS);
        if !self.is_conflict {
            return Err(Error::Invalid(self.errors));
        }
        let what = if count == 1 { "1 error".to_owned() } else { format!("{count} errors") };
        let mut details = Map::new();
        details.insert("errors".to_owned(), json!(self.errors));
        Err(Error::Conflict { message: format!("nothing was done: {what}"), details })
    }
}

/// `POST` of an array to a list: the rows in the same order.
pub async fn create<R: Resource>(
    web: &Web,
    caller: &Caller,
    whose: R::Whose,
    conditions: Preconditions,
    items: Vec<Fields>,
) -> Result<Response> {
    if items.is_empty() {
        return Err(Error::BadRequest("the body must have at least one row".to_owned()));
    }
    if items.len() > MOST {
        return Err(Error::BadRequest(format!("at most {MOST} rows are added at once; these are {}", items.len())));
    }
    let body: Vec<String> = items.iter().map(Fields::digest).collect();
    let view = R::view(caller, &web.config, conditions.query())?;
    let policy = RedactionPolicy::of(caller, &web.config, conditions.query())?;
    let types = caller.types();
    let (mut inputs, mut wrong) = (Vec::with_capacity(items.len()), Wrong::default());
    for (index, fields) in items.into_iter().enumerate() {
        let read = custom::Sent::of(&fields).and_then(|own| Ok((R::read(fields, true)?, own)));
        inputs.extend(wrong.take(&format!("[{index}]"), read)?);
    }
    wrong.finish()?;
    let work = move |w: &mut Write<'_>| {
        let batch = batches::begin(w, "create", R::Row::ENTITY)?;
        let (mut keys, mut wrong) = (Vec::with_capacity(inputs.len()), Wrong::default());
        for (index, (input, own)) in inputs.iter().enumerate() {
            let made = R::create(w, &whose, input, &view).and_then(|key| {
                let id = R::id(w, &key)?;
                custom::apply(w, R::Row::ENTITY, id, own, true, &policy).map(|_| key)
            });
            keys.extend(wrong.take(&format!("[{index}]"), made)?);
        }
        wrong.finish()?;
        batches::allow(w, batch, types.as_deref())?;
        batches::end(w, batch)?;
        let mut rows = Vec::with_capacity(keys.len());
        for key in &keys {
            let id = R::id(w, key)?;
            let mut row = serde_json::to_value(R::answer(w, id, &view)?).map_err(Error::internal)?;
            if let Some(members) = row.as_object_mut() {
                beside::put(members, custom::of_record(w, R::Row::ENTITY, id, &policy)?.json);
            }
            rows.push(row);
        }
        Ok(Reply { status: axum::http::StatusCode::CREATED, ..Reply::ok(&rows)? })
    };
    conditions.run(web, &caller.scope(), &caller.actor(), &body.join(","), work).await
}

/// `PATCH` of a list: the fields sent, in every row that is meant.
async fn update<R: Resource>(
    State(web): State<Web>,
    caller: R::Writer,
    whose: R::Whose,
    conditions: Preconditions,
    mut fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let asked = Asked::<R>::read(&web, &caller, whose, &conditions)?;
    if fields.map().is_empty() {
        return Err(Error::BadRequest("the body must have at least one field to change".to_owned()));
    }
    let own = custom::Sent::of(&fields)?;
    let watch = fields.watch();
    let input = R::read(fields, false)?;
    watch.refuse_unknown(custom::is_member)?;
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        // A row's tag says nothing of many.
        request.rev(0)?;
        asked.run(w, "update", |w, id| {
            merged::refuse::<R>(w, id)?;
            R::update(w, id, &input, None, &asked.view)?;
            custom::apply(w, R::Row::ENTITY, id, &own, false, &asked.policy).map(drop)
        })
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

/// `DELETE` of a list: every row that is meant.
async fn retire<R: Resource>(
    State(web): State<Web>,
    caller: R::Retirer,
    whose: R::Whose,
    conditions: Preconditions,
) -> Result<Response> {
    let force = R::IS_FORCED && conditions.query().is_on("force")?;
    let asked = Asked::<R>::read(&web, &caller, whose, &conditions)?;
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        request.rev(0)?;
        asked.run(w, "retire", |w, id| R::retire(w, id, force))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

/// Which rows are meant, and who asks.
struct Asked<R: Resource> {
    whose: R::Whose,
    query: ListQuery,
    parameters: Query,
    view: R::View,
    policy: RedactionPolicy,
    types: Option<std::sync::Arc<[String]>>,
    is_rehearsal: bool,
}

impl<R: Resource> Asked<R> {
    fn read(web: &Web, caller: &Caller, whose: R::Whose, conditions: &Preconditions) -> Result<Self> {
        let parameters = conditions.query().clone();
        let view = R::view(caller, &web.config, &parameters)?;
        let policy = RedactionPolicy::of(caller, &web.config, &parameters)?;
        let query = question(R::list().ok_or(Error::NotFound { what: R::Row::WHAT })?, &parameters)?;
        let query = query.gathering(policy.sees_all(), Gathered::default());
        let is_rehearsal = parameters.is_rehearsal()?;
        Ok(Self { whose, query, parameters, view, policy, types: caller.types(), is_rehearsal })
    }

    /// Does something to every row that is meant, as one.
    fn run(&self, w: &mut Write<'_>, kind: &'static str, each: impl FnMut(&mut Write<'_>, i64) -> Result<()>) -> Result<Reply> {
        let most = i64::try_from(MOST).unwrap_or(i64::MAX);
        let found = self.query.clone().with_slice(Some(Slice { limit: most + 1, offset: 0 }));
        let ids = R::chosen(w, &self.whose, found, &self.parameters, &self.view)?;
        if ids.len() > MOST {
            return Err(Error::BadRequest(format!("this means more than {MOST} rows; narrow the filters and do it in parts")));
        }
        let Together { changed, batch, differences } = together::<R>(w, kind, &ids, (self.types.as_deref(), &self.policy), each)?;
        let done = if kind == "retire" { "retired" } else { "changed" };
        let done = if self.is_rehearsal { format!("would be {done}") } else { done.to_owned() };
        let message = format!("{changed} of {} {done}", ids.len());
        // What was only rehearsed leaves nothing that could be undone.
        let batch = batch.filter(|_| !self.is_rehearsal);
        Reply::ok(&json!({
            "success": true, "message": message, "matched": ids.len(), "changed": changed, "batch_id": batch,
            "differences": differences,
        }))
    }
}

/// What came of something that was done to many rows.
pub struct Together {
    /// How many rows it changed.
    pub changed: i64,
    /// What undoes it as one; nothing when nothing changed.
    pub batch: Option<i64>,
    /// The first of what it changed.
    pub differences: Vec<Json>,
}

/// Does something to each of these rows, as one; `types` is what the caller may write, where that is limited.
///
/// # Errors
/// What is wrong with any of them, by `#` and its id.
pub fn together<R: Resource>(
    w: &mut Write<'_>,
    kind: &'static str,
    ids: &[i64],
    (types, policy): (Option<&[String]>, &RedactionPolicy),
    mut each: impl FnMut(&mut Write<'_>, i64) -> Result<()>,
) -> Result<Together> {
    let batch = batches::begin(w, kind, R::Row::ENTITY)?;
    let mut wrong = Wrong::default();
    for id in ids {
        let done = each(w, *id);
        wrong.take(&format!("#{id}"), done)?;
    }
    wrong.finish()?;
    batches::allow(w, batch, types)?;
    let changed = batches::changed(w, batch, R::Row::ENTITY)?;
    let differences = differences(w, batch, policy)?;
    Ok(Together { changed, batch: batches::end(w, batch)?, differences })
}

/// The first of what a batch has changed, as this caller may be told.
pub fn differences(c: &mut Conn, batch: i64, policy: &RedactionPolicy) -> Result<Vec<Json>> {
    let first = feed::first_of_batch(c, batch, TOLD)?;
    Ok(trail::changes(c, first, policy)?.into_iter().map(difference).collect())
}

/// What [`differences`] tells of each row.
#[must_use]
pub fn difference_answer() -> Json {
    let sides = described::object(&["from", "to"].map(|side| (side, described::held())));
    let alone = ["withheld", "pinned"].map(|word| described::object(&[(word, described::flag())]));
    let fields = described::map(json!({"anyOf": [sides, alone[0], alone[1]]}));
    described::object(&[
        ("entity", described::text()),
        ("id", described::int()),
        ("action", described::text()),
        ("fields", fields),
    ])
}

fn difference(change: RedactedChange) -> Json {
    let side = |mut sides: Json| match (sides.get_mut("old").map(Json::take), sides.get_mut("new").map(Json::take)) {
        (Some(from), Some(to)) => json!({ "from": from, "to": to }),
        _ => sides,
    };
    let fields: Map<String, Json> = match change.fields {
        Json::Object(fields) => fields.into_iter().map(|(field, sides)| (field, side(sides))).collect(),
        _ => Map::new(),
    };
    json!({ "entity": change.entity, "id": change.entity_id, "action": change.action, "fields": fields })
}

/// The parameters of a write that say nothing about which rows are meant.
const CONDITIONS: [&str; 4] = ["dry_run", "pin", "force", "filter"];

/// Reads which rows of a list are meant. A parameter that is no filter is refused, and so is none at all: a slip of the
/// pen never means every row.
fn question(spec: &'static ListSpec, parameters: &Query) -> Result<ListQuery> {
    let (mut wrong, mut seen) = (Vec::new(), Vec::new());
    for (name, value) in parameters.iter().filter(|(name, _)| !CONDITIONS.contains(name)) {
        let column = name.split_once("__").map_or(name, |(column, _)| column);
        let is_search = matches!(name, "q" | "search") && spec.search.is_some();
        let is_life = matches!(name, "retired" | "include_retired") && spec.retired.is_some();
        let is_beside = beside::is_beside(name) && beside::of(spec).is_some();
        let known = is_search
            || is_life
            || is_beside
            || spec.own.contains(&name)
            || spec.columns.iter().any(|known| known.name == column);
        let why = match value {
            _ if !known => "is no filter of this list",
            // A row can have several tags.
            _ if seen.contains(&name) && name != beside::TAG => "is there twice",
            Ok(value) if value.trim().is_empty() => "must have a value",
            _ => {
                seen.push(name);
                continue;
            }
        };
        let field: String = name.chars().filter(|letter| !letter.is_control()).take(40).collect();
        wrong.push(FieldError { field, message: why.to_owned() });
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let query = ListQuery::parse(spec, parameters.iter())?;
    let searches = seen.iter().any(|name| matches!(*name, "q" | "search"));
    if searches && query.search().is_none() {
        return Err(Error::field("q", "has no letter or digit to look for"));
    }
    if seen.iter().all(|name| matches!(*name, "retired" | "include_retired")) {
        let why = "the rows that are meant must be named by at least one of the list's own filters, such as id__in=1,2";
        return Err(Error::BadRequest(why.to_owned()));
    }
    Ok(query)
}
