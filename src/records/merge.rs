//! Merging two records that are the same company, person or device: field by field, with everything that belongs to
//! them, so that it is undone as one.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use serde_json::{Map, Value as Json, json};

use super::{
    entities::{self, ENTITIES},
    undo::Undoer,
};
use crate::web::openapi::schema as described;
use crate::{
    assets::{Asset, Assets},
    billing::{
        self,
        counting::{Exclusion, Settings},
    },
    companies::{Companies, Company, store as companies},
    compliance::RedactionPolicy,
    contacts::{Contact, Contacts},
    db::{Conn, Value, Write},
    entity::{Entity, Field, FieldSpec, Kind, noun},
    error::{Error, FieldError, Result},
    history::{
        self, Record as _, batches,
        feed::Change,
        links,
        merges::{self, Merged},
        pins, protection,
        undo::Undone,
    },
    resource::{
        Done, Resource, bulk,
        dependents::{self, Moved},
        merged, whole,
    },
    types::{Actor, Scope},
    web::{Fields, Path, Preconditions, Reference, Routes, Sent, Web},
};

/// The most rows of others that one merge moves: all in one transaction.
const MOST: i64 = 20_000;
/// What is said of a row that was changed because what it belongs to was merged.
const WHY: &str = "what it belongs to was merged into another record";
/// The column that says whose a row is.
const COMPANY: &str = "company_id";
/// Of which each record has one: the winner's own stays.
const ONE_EACH: [&str; 1] = [Settings::ENTITY];
/// What one company says of a record once: said of both, the loser's is retired.
const SAID_ONCE: [&str; 1] = [Exclusion::ENTITY];
/// Under what a merge remembers which links of the loser did not speak for it.
const SILENT: &str = "silent links";
/// What no merge changes of the record that stays: it is how others know it.
const KEPT: [&str; 2] = ["account_number", "account_number_at_vendor"];

/// The routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .merge(of::<Companies>("/api/companies/{acct}/merge"))
        .merge(of::<Contacts>("/api/contacts/{id}/merge"))
        .merge(of::<Assets>("/api/assets/{id}/merge"))
}

fn of<R: Resource>(path: &'static str) -> Routes {
    Routes::new()
        .post(path, post::<R>)
        .tells("Merge another record into this one", |schemas| {
            let beside = [
                ("batch_id", described::or_null(described::int())),
                ("merged_from", described::int()),
                ("moved", described::counts()),
                ("differences", described::array(bulk::difference_answer())),
            ];
            described::with(described::written::<R::Shown>(schemas), &beside)
        })
        .takes(|_| {
            let from = if R::Row::ENTITY == Company::ENTITY { json!("100002") } else { json!(4712) };
            let mut chosen = Map::new();
            chosen.extend(choosable::<R::Row>().next().map(|field| (field.spec.name.to_owned(), json!("from"))));
            let fields = json!({"type": "object", "additionalProperties": {"enum": ["from", "into"]}, "examples": [chosen]});
            described::with(
                described::object(&[("from", json!({"type": ["integer", "string"], "examples": [from]}))]),
                &[("fields", fields)],
            )
        })
}

/// What is to be merged, and what of the other record is taken.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub into: i64,
    pub from: i64,
    /// By the field's name: whether the other record's value is taken. What is not named keeps its value, and is filled
    /// from the other record where it has none.
    pub choices: BTreeMap<String, bool>,
}

/// What a merge has done.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub batch: Option<i64>,
    /// How many rows moved, by what they are.
    pub moved: BTreeMap<String, i64>,
    /// The first changes, as this caller may be told.
    pub differences: Vec<Json>,
}

/// Who merges.
#[derive(Clone, Debug)]
pub struct Merger {
    pub by: Undoer,
    /// Whether the fields that they choose are pinned.
    pub pins: bool,
    /// The kinds of records that they reach.
    pub types: Option<std::sync::Arc<[String]>>,
}

/// `POST` to a record's `merge`.
async fn post<R: Resource>(
    State(web): State<Web>,
    caller: R::Retirer,
    Path(key): Path<R::Key>,
    conditions: Preconditions,
    mut fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    fields.set_creating(true);
    let from = fields.reference("from").max(100).required().not_null().get();
    let choices = choices(&mut fields);
    fields.finish()?;
    let Sent::Value(from) = from else { return Err(Error::field("from", "is required")) };
    let view = R::view(&caller, &web.config, conditions.query())?;
    let policy = RedactionPolicy::of(&caller, &web.config, conditions.query())?;
    let merger = Merger { by: Undoer { policy, is_admin: caller.is_admin() }, pins: caller.actor().pins, types: caller.types() };
    // What moves is no edit of a person's; the fields that they choose are, and are pinned one by one.
    let actor = Actor { pins: false, ..caller.actor() };
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        let into = R::id(w, &key)?;
        request.check(into, history::get::<R::Row>(w, into)?.rev())?;
        let wanted = Wanted { into, from: id_of(w, R::Row::ENTITY, &from)?, choices };
        let done = merge(w, R::Row::ENTITY, &wanted, &merger)?;
        let reply = whole::<R>(w, into, &key, &view, Done::Updated)?;
        Ok(reply
            .with("differences", done.differences)
            .with("moved", json!(done.moved))
            .with("batch_id", done.batch)
            .with("merged_from", wanted.from)
            .with("message", format!("{} merged", R::Row::WHAT)))
    };
    conditions.run(&web, &caller.scope(), &actor, &body, work).await
}

/// Reads which fields are taken of which side.
fn choices(fields: &mut Fields) -> BTreeMap<String, bool> {
    let mut choices = BTreeMap::new();
    let sent = fields.object("fields").get().value().unwrap_or_default();
    for (name, side) in sent {
        match side.as_str() {
            Some("from") => drop(choices.insert(name, true)),
            Some("into") => drop(choices.insert(name, false)),
            _ => fields.refuse(format!("fields.{name}"), "must be from or into"),
        }
    }
    choices
}

/// The row that is named as the other one.
pub fn id_of(c: &mut Conn, entity: &'static str, from: &Reference) -> Result<i64> {
    let id = match from {
        Reference::Id(id) => Some(*id),
        Reference::Key(key) if entity == Company::ENTITY => companies::find_id(c, key)?,
        Reference::Key(key) => key.parse().ok(),
    };
    let named = entities::named(entity)?;
    match id.map(|id| named.find(c, id).map(|()| id)) {
        Some(Ok(id)) => Ok(id),
        None | Some(Err(Error::NotFound { .. })) => Err(Error::field("from", format!("there is no {entity} {from}"))),
        Some(Err(other)) => Err(other),
    }
}

/// Merges one record into another.
///
/// # Errors
/// `Invalid`, naming the field; `Conflict` where they cannot be one record; `Forbidden` for who may not.
pub fn merge(w: &mut Write<'_>, entity: &'static str, wanted: &Wanted, merger: &Merger) -> Result<Outcome> {
    let Wanted { into, from, .. } = wanted;
    let named = entities::named(entity)?;
    allowed(w, entity, *into, *from, &merger.by)?;
    named.refuse_merge(w, *into, *from)?;
    if dependents::moving(w, entity, *from)? > MOST {
        return Err(Error::conflict(format!("more than {MOST} rows would move; retire what is not needed first")));
    }
    let batch = batches::begin(w, batches::MERGE, entity)?;
    let (mut moved, mut counts) = (Map::new(), BTreeMap::new());
    for rows in dependents::hand_over(w, entity, *from, *into)?.into_iter().filter(|rows| !rows.ids.is_empty()) {
        *counts.entry(rows.what.clone()).or_insert(0) += i64::try_from(rows.ids.len()).unwrap_or(i64::MAX);
        if !rows.is_in_history {
            moved.insert(rows.what, json!(rows.ids));
        }
    }
    let silent = links::silent(w, named.name(), *from)?;
    if !silent.is_empty() {
        moved.insert(SILENT.to_owned(), json!(silent));
    }
    refuse_billing(w, batch, &merger.by)?;
    links::hand_over(w, named.name(), *from, *into)?;
    protection::inherit(w, named.name(), *from, *into)?;
    named.absorb(w, wanted, merger.pins)?;
    merges::keep(w, entity, &Merged { loser: *from, winner: *into, moved: Json::Object(moved) }, batch)?;
    tell(w, entity, *from, "absorb", "merged_into", *into)?;
    tell(w, entity, *into, "merge", "merged_from", *from)?;
    batches::allow(w, batch, merger.types.as_deref())?;
    let differences = bulk::differences(w, batch, &merger.by.policy)?;
    Ok(Outcome { batch: batches::end(w, batch)?, moved: counts, differences })
}

/// Refuses whoever could not have changed by themselves what of billing moves.
fn refuse_billing(c: &mut Conn, batch: i64, by: &Undoer) -> Result<()> {
    if !by.is_admin && batches::tally(c, batch)?.keys().any(|kind| billing::OF_ADMINS.contains(&kind.as_str())) {
        return Err(Error::Forbidden(
            "What is billed of these records is decided by administrators, and would move: an administrator merges them"
                .to_owned(),
        ));
    }
    Ok(())
}

fn tell(w: &mut Write<'_>, entity: &'static str, id: i64, action: &str, field: &str, other: i64) -> Result<()> {
    let fields = Map::from_iter([(field.to_owned(), json!([Json::Null, other]))]);
    history::record_change(w, entity, id, action, None, fields)
}

/// Refuses who cannot see all of what would be joined.
fn allowed(c: &mut Conn, entity: &str, into: i64, from: i64, by: &Undoer) -> Result<()> {
    if *c.scope() != Scope::All {
        return Err(Error::Forbidden("Whoever is limited to some companies cannot merge records".to_owned()));
    }
    if into == from {
        return Err(Error::field("from", "is this record itself"));
    }
    if !by.policy.is_cleared() && !protection::among(c, entity, vec![into, from])?.is_empty() {
        return Err(Error::Forbidden("these records are merged by somebody who may see protected records in full".to_owned()));
    }
    Ok(())
}

/// Takes a merge back, as far as it left no change of its own in history.
pub fn back(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    let Some(from) = change.fields["merged_from"]["new"].as_i64() else { return Ok(Undone::Already) };
    let Some(merged) = merges::forget(w, &change.entity, from, change.entity_id)? else { return Ok(Undone::Already) };
    for (what, ids) in merged.moved.as_object().into_iter().flatten().filter(|(what, _)| *what != SILENT) {
        let ids: Vec<i64> = ids.as_array().into_iter().flatten().filter_map(Json::as_i64).collect();
        dependents::hand_back(w, &change.entity, &Moved::without_history(what, ids), (merged.loser, merged.winner))?;
    }
    Ok(Undone::Done)
}

/// The links of the loser that did not speak for it before the merge.
#[must_use]
pub fn silent(merged: &Merged) -> Vec<links::Link> {
    merged.moved.get(SILENT).and_then(|silent| serde_json::from_value(silent.clone()).ok()).unwrap_or_default()
}

/// Refuses to change what went on as another record, of whatever kind.
///
/// # Errors
/// `Conflict`, naming that one.
pub fn refuse_merged(c: &mut Conn, entity: &str, id: i64) -> Result<()> {
    match entity {
        Company::ENTITY => merged::refuse::<Companies>(c, id),
        Contact::ENTITY => merged::refuse::<Contacts>(c, id),
        Asset::ENTITY => merged::refuse::<Assets>(c, id),
        _ => Ok(()),
    }
}

/// How many rows of `E` would move.
pub fn moving<E: Entity>(c: &mut Conn, entity: &str, from: i64) -> Result<usize> {
    if ONE_EACH.contains(&E::ENTITY) {
        return Ok(0);
    }
    let mut count = 0;
    for column in leading::<E>(entity) {
        count += noun::ids_leading::<E>(c, column, from)?.len();
    }
    if is_about::<E>() {
        count += noun::ids_about::<E>(c, entity, from)?.len();
    }
    Ok(count)
}

/// Whether rows of `E` are about a record of any kind.
fn is_about<E: Entity>() -> bool {
    E::COLUMNS.contains(&noun::RECORD.0) && E::COLUMNS.contains(&noun::RECORD.1)
}

/// Whether a row would say with another value what a live one already says of the same company and record.
fn repeats<E: Entity>(c: &mut Conn, id: i64, column: &str, value: &Value) -> Result<bool> {
    let mut row = history::get::<E>(c, id)?;
    if !SAID_ONCE.contains(&E::ENTITY) || row.retired_at().is_some() {
        return Ok(false);
    }
    set(&mut row, column, value)?;
    let value = |row: &E, column: &str| E::field(column).map(|field| Value::from((field.read)(row)));
    let said = [COMPANY, noun::RECORD.0, noun::RECORD.1].map(|column| value(&row, column));
    let [_, Some(Value::Text(entity)), Some(Value::Int(about))] = &said else { return Ok(false) };
    for other in noun::ids_about::<E>(c, entity, *about)?.into_iter().filter(|other| *other != id) {
        if value(&history::get::<E>(c, other)?, COMPANY) == said[0] {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The columns of `E` that lead to rows of another noun.
fn leading<E: Entity>(entity: &str) -> Vec<&'static str> {
    let leads = |spec: &&FieldSpec| spec.leads_to() == Some(entity);
    E::FIELDS.iter().map(|field| &field.spec).filter(leads).map(|spec| spec.column).collect()
}

/// Lets the rows of `E` that lead to one record lead to another; how many there are.
pub fn repoint<E: Entity>(w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<i64>> {
    if ONE_EACH.contains(&E::ENTITY) {
        return Ok(Vec::new());
    }
    let mut moved = Vec::new();
    for column in leading::<E>(entity) {
        for id in noun::ids_leading::<E>(w, column, from)? {
            // A company below the one that it is merged with would be below itself.
            let target = if E::ENTITY == entity && id == to { Value::Null } else { Value::Int(to) };
            if repeats::<E>(w, id, column, &target)? {
                history::retire::<E>(w, id, Some(WHY))?;
            } else {
                history::update(w, id, None, Some(WHY), |row: &mut E| set(row, column, &target))?;
            }
            moved.push(id);
        }
    }
    if is_about::<E>() {
        for id in noun::ids_about::<E>(w, entity, from)? {
            if repeats::<E>(w, id, noun::RECORD.1, &Value::Int(to))? {
                history::retire::<E>(w, id, Some(WHY))?;
            } else {
                history::update(w, id, None, Some(WHY), |row: &mut E| set(row, noun::RECORD.1, &Value::Int(to)))?;
            }
            moved.push(id);
        }
    }
    moved.sort_unstable();
    moved.dedup();
    Ok(moved)
}

fn set<E: Entity>(row: &mut E, column: &str, value: &Value) -> Result<()> {
    let field = E::field(column).ok_or_else(|| Error::internal(format!("{} has no {column}", E::ENTITY)))?;
    (field.write)(row, value)
}

/// The rows of every noun that lead to one record lead to another.
pub fn hand_over(w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<Moved>> {
    ENTITIES.iter().map(|noun| Ok(Moved::in_history(noun.name(), noun.repoint(w, entity, from, to)?))).collect()
}

/// How many rows of every noun lead to a record.
pub fn count(c: &mut Conn, entity: &str, from: i64) -> Result<usize> {
    let mut count = 0;
    for noun in ENTITIES {
        count += noun.moving(c, entity, from)?;
    }
    Ok(count)
}

/// Refuses two records that cannot be one.
pub fn refuse<E: Entity>(c: &mut Conn, into: i64, from: i64) -> Result<()> {
    let rows = [history::get::<E>(c, into)?, history::get::<E>(c, from)?];
    for (name, row) in ["into", "from"].into_iter().zip(&rows) {
        if row.retired_at().is_some() {
            let which = if name == "from" { "the record that is to be merged" } else { "this record" };
            return Err(Error::conflict(format!("{which} is retired; restore it first")));
        }
    }
    if E::ENTITY == Company::ENTITY {
        // Whoever is directly below is lifted; what lies between would be above and below itself.
        let above = companies::ancestors(c, into)?;
        if above.iter().skip(2).any(|(id, _)| *id == from) {
            return Err(Error::conflict("there is a company between these two; merge it first, or move it elsewhere"));
        }
    }
    if E::ENTITY == Asset::ENTITY {
        let companies = rows.each_ref().map(|row| E::field(COMPANY).and_then(|field| int(&(field.read)(row).into())));
        if let [Some(one), Some(other)] = companies
            && one != other
        {
            let why = "these assets belong to different companies; move one of them first if they are the same device";
            return Err(Error::conflict(why));
        }
    }
    Ok(())
}

/// The fields of `E` about which whoever merges decides.
pub fn choosable<E: Entity>() -> impl Iterator<Item = &'static Field<E>> {
    E::FIELDS.iter().filter(|field| {
        let spec = &field.spec;
        !spec.is_told && !leads(spec) && !KEPT.contains(&spec.column) && !E::SECRETS.contains(&spec.column)
    })
}

/// Whether a column leads to another row: nobody chooses between two of them, but a blank one is filled.
fn leads(spec: &FieldSpec) -> bool {
    spec.leads_to().is_some()
}

/// What the winner lacks of where the loser leads, unless it would lead to itself.
fn led<E: Entity>(c: &mut Conn, into: i64, other: &E) -> Result<Vec<(&'static Field<E>, Value)>> {
    let mine = history::get::<E>(c, into)?;
    let mut led = Vec::new();
    for field in E::FIELDS.iter().filter(|field| leads(&field.spec)) {
        let theirs = Value::from((field.read)(other));
        if !is_blank(&Value::from((field.read)(&mine))) || is_blank(&theirs) {
            continue;
        }
        let is_own = leading::<E>(E::ENTITY).contains(&field.spec.column);
        let to = int(&theirs).filter(|_| is_own);
        let is_above =
            |c: &mut Conn, id: i64| Ok::<_, Error>(companies::ancestors(c, id)?.iter().any(|(above, _)| *above == into));
        let is_round = match to {
            Some(id) => id == into || E::ENTITY == Company::ENTITY && is_above(c, id)?,
            None => false,
        };
        if !is_round {
            led.push((field, theirs));
        }
    }
    Ok(led)
}

fn is_called(spec: &FieldSpec, name: &str) -> bool {
    [spec.name, spec.emitted, spec.column].contains(&name) || spec.others.contains(&name)
}

/// Takes what is wanted of another record, which retires.
pub fn absorb<E: Entity>(w: &mut Write<'_>, wanted: &Wanted, pins: bool) -> Result<()> {
    let Wanted { into, from, choices } = wanted;
    let unknown = |name: &&String| !choosable::<E>().any(|field| is_called(&field.spec, name));
    let wrong: Vec<FieldError> = choices
        .keys()
        .filter(unknown)
        .map(|name| {
            let known: Vec<&str> = choosable::<E>().map(|field| field.spec.name).collect();
            let message = format!("is no field that a merge can choose; those are {}", known.join(", "));
            FieldError { field: format!("fields.{name}"), message }
        })
        .collect();
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let other = history::get::<E>(w, *from)?;
    let led = led::<E>(w, *into, &other)?;
    history::retire::<E>(w, *from, Some(&format!("merged into {} {into}", E::ENTITY)))?;
    let updated = history::update(w, *into, None, Some(&format!("merged with {} {from}", E::ENTITY)), |row: &mut E| {
        for field in choosable::<E>() {
            let (mine, theirs) = (Value::from((field.read)(row)), Value::from((field.read)(&other)));
            let chosen = choices.iter().find(|(name, _)| is_called(&field.spec, name)).map(|(_, takes)| *takes);
            if stricter(&field.spec, &mine, &theirs) || chosen.unwrap_or(is_blank(&mine) && !is_blank(&theirs)) {
                (field.write)(row, &theirs)?;
            }
        }
        led.iter().try_for_each(|(field, theirs)| (field.write)(row, theirs))
    })?;
    if pins && links::exists(w, E::ENTITY, *into)? {
        for (column, ..) in &updated.changed {
            pins::pin(w, E::ENTITY, *into, column)?;
        }
    }
    Ok(())
}

/// People stay as strictly protected as they were in either company.
fn stricter(spec: &FieldSpec, mine: &Value, theirs: &Value) -> bool {
    let level = |value: &Value| protection::LEVELS.iter().position(|level| text(value) == Some(*level));
    spec.kind == Kind::Choice(protection::LEVELS) && level(theirs) > level(mine)
}

fn int(value: &Value) -> Option<i64> {
    if let Value::Int(number) = value { Some(*number) } else { None }
}

fn text(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

fn is_blank(value: &Value) -> bool {
    matches!(value, Value::Null) || text(value) == Some("")
}
