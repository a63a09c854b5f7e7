//! Fields that administrators add to a noun, as JSON, and the rules that hold for them.

use axum::{extract::State, response::Response};
use serde_json::{Value as Json, json};

use crate::{
    auth::{Admin, Staff},
    custom::{AddedField, KINDS, noun, nouns, read, store},
    db::{Conn, Write},
    entity::{Patch, schema},
    error::{Error, Result},
    history::{
        self, Record as _,
        feed::Change,
        undo::{self, Undone},
    },
    web::{
        Fields, Path, Preconditions, ReadRequest, Reply, Routes, Sent, Web, list,
        openapi::{NOT_BLANK, schema as described},
    },
};

/// The kind of which somebody says what it offers.
const CHOICE: &str = "choice";
/// The most fields of one noun.
const MOST: usize = 100;
/// How many values are read at once when a field becomes of another kind.
const SOME: i64 = 1_000;

/// The routes.
pub fn routes() -> Routes {
    let written = described::written::<AddedField>;
    Routes::new()
        .get("/api/custom_fields", index)
        .tells("List the fields that administrators have added", described::list::<AddedField>)
        .asks(&[
            ("type", "string", "Only those of this record type."),
            ("retired", "hide|include", "Whether retired ones are shown too."),
        ])
        .post("/api/custom_fields", create)
        .makes("Add a field to a record type", written)
        .takes(|schemas| body(schema::new::<AddedField>(schemas)))
        .get("/api/custom_fields/{id}", show)
        .tells("Read an added field", described::one::<AddedField>)
        .update("/api/custom_fields/{id}", update)
        .tells("Change an added field", written)
        .takes(|schemas| body(schema::changed::<AddedField>(schemas)))
        .delete("/api/custom_fields/{id}", retire)
        .tells("Retire an added field: it is hidden, and its values are kept", written)
        .post("/api/custom_fields/{id}/restore", restore)
        .tells("Bring an added field back with its values", written)
}

/// What [`input`] and [`fits`] hold beyond the field table, as the API description says it.
fn body(mut fields: Json) -> Json {
    let types: Vec<&str> = nouns().iter().map(|noun| noun.entity).collect();
    let others: Vec<&str> = KINDS.into_iter().filter(|kind| *kind != CHOICE).collect();
    let choices = json!({"type": "array", "minItems": 1, "items": {"pattern": NOT_BLANK}});
    fields["properties"]["type"]["enum"] = json!(types);
    fields["properties"]["key"]["pattern"] = json!("^[a-z](_?[a-z0-9])*_?$");
    fields["allOf"] = json!([{"anyOf": [
        {"properties": {"kind": {"enum": [CHOICE]}, "choices": choices}, "required": ["choices"]},
        {"properties": {"kind": {"enum": others}, "choices": {"maxItems": 0}}},
    ]}]);
    fields
}

async fn index(State(web): State<Web>, caller: Staff, request: ReadRequest) -> Result<Response> {
    let entity = request.query.text("type")?.map(str::to_owned);
    let with_retired = match request.query.text("retired")? {
        None | Some("hide") => false,
        Some("include") => true,
        Some(_) => return Err(Error::field("retired", "must be include or hide")),
    };
    list::value(&web, &caller.scope(), "", &request, &[AddedField::ENTITY], move |c| {
        let mut fields = store::all_fields(c)?;
        fields.retain(|field| with_retired || field.retired_at.is_none());
        fields.retain(|field| entity.as_ref().is_none_or(|entity| field.entity == *entity));
        Ok(fields)
    })
    .await
}

async fn show(State(web): State<Web>, caller: Staff, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let field: AddedField = web.db.read(&caller.scope(), move |c| history::get(c, id)).await?;
    request.row(id, field.rev, &field)
}

async fn create(State(web): State<Web>, caller: Admin, conditions: Preconditions, fields: Fields) -> Result<Response> {
    let (body, input) = (fields.digest(), input(fields, true)?);
    let work = move |w: &mut Write<'_>| {
        let field = add(w, &input)?;
        Ok(reply(&field, Reply::created(&field, format!("/api/custom_fields/{}", field.id))?))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

async fn update(
    State(web): State<Web>,
    caller: Admin,
    Path(id): Path<i64>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let (body, input) = (fields.digest(), input(fields, false)?);
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        let field = change(w, id, &input, request.rev(id)?)?;
        Ok(reply(&field, Reply::ok(&field)?))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

async fn retire(State(web): State<Web>, caller: Admin, Path(id): Path<i64>, conditions: Preconditions) -> Result<Response> {
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        request.check(id, history::get::<AddedField>(w, id)?.rev)?;
        let field = history::retire::<AddedField>(w, id, None)?;
        Ok(reply(&field, Reply::ok(&field)?))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

async fn restore(State(web): State<Web>, caller: Admin, Path(id): Path<i64>, conditions: Preconditions) -> Result<Response> {
    let work = move |w: &mut Write<'_>| {
        let field = history::restore::<AddedField>(w, id, None)?;
        Ok(reply(&field, Reply::ok(&field)?))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

fn reply(field: &AddedField, reply: Reply) -> Reply {
    reply.tagged(field.id, field.rev)
}

/// Reads what was sent for a field.
///
/// # Errors
/// `Invalid` with every member that is wrong.
pub fn input(mut fields: Fields, creating: bool) -> Result<Patch<AddedField>> {
    fields.set_creating(creating);
    let patch = Patch::read(&mut fields)?;
    let row: &AddedField = patch.row();
    if patch.has("entity") && noun(&row.entity).is_none() {
        let known: Vec<&str> = nouns().iter().map(|noun| noun.entity).collect();
        fields.refuse("type", format!("must be one of {}", known.join(", ")));
    }
    let is_key = |key: &str| {
        key.starts_with(|first: char| first.is_ascii_lowercase())
            && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && !key.contains("__")
    };
    if patch.has("key") && !row.key.is_empty() && !is_key(&row.key) {
        fields.refuse("key", "must be lower-case letters, digits and single underscores, beginning with a letter");
    }
    fields.finish()?;
    Ok(patch)
}

/// Adds a field.
///
/// # Errors
/// `Invalid`; `Conflict` for a key that the noun has already.
pub fn add(w: &mut Write<'_>, input: &Patch<AddedField>) -> Result<AddedField> {
    let field = input.made(|_| {})?;
    let known: Vec<AddedField> = store::all_fields(w)?.into_iter().filter(|known| known.entity == field.entity).collect();
    if known.iter().any(|known| known.key == field.key) {
        return Err(Error::conflict(format!("key: {} has a field {} already, in use or retired", field.entity, field.key)));
    }
    if known.len() >= MOST {
        return Err(Error::field("type", format!("has {MOST} fields already, which is the most")));
    }
    fits(&field)?;
    history::create(w, &field, None)
}

/// Changes a field; its values follow where they fit.
///
/// # Errors
/// `Invalid`, naming what cannot change; `PreconditionFailed`.
pub fn change(w: &mut Write<'_>, id: i64, input: &Patch<AddedField>, rev: Option<i64>) -> Result<AddedField> {
    let before: AddedField = history::get(w, id)?;
    let mut after = before.clone();
    input.apply(&mut after)?;
    for (name, old, new) in [("type", &before.entity, &after.entity), ("key", &before.key, &after.key)] {
        if old != new {
            return Err(Error::field(name, format!("stays {old}; add another field instead")));
        }
    }
    follow(w, &before, &after)?;
    let changed = history::update(w, id, rev, None, |field: &mut AddedField| {
        *field = after;
        Ok(())
    })?;
    Ok(changed.record)
}

/// Takes a change of a field back; its values follow where they fit, as they do when somebody changes it.
///
/// # Errors
/// Those of the write.
pub fn take_back(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    match undo::row_with::<AddedField>(w, change, follow) {
        Err(Error::Invalid(wrong)) => {
            let why: Vec<String> = wrong.into_iter().map(|wrong| format!("{}: {}", wrong.field, wrong.message)).collect();
            Ok(Undone::Refused(why.join("; ")))
        }
        other => other,
    }
}

/// What follows for values from a field that is about to be another one.
fn follow(w: &mut Write<'_>, before: &AddedField, after: &AddedField) -> Result<()> {
    fits(after)?;
    if before.kind != after.kind || before.choices != after.choices {
        convert(w, after, before.kind != after.kind)?;
    }
    Ok(())
}

/// Holds a field to the rules over several of its members.
fn fits(field: &AddedField) -> Result<()> {
    let is_choice = field.kind == CHOICE;
    match field.offers() {
        offers if is_choice && offers.is_empty() => Err(Error::field("choices", "are required for a choice")),
        offers if !is_choice && !offers.is_empty() => Err(Error::field("choices", "are for the kind choice alone")),
        _ => Ok(()),
    }
}

/// Reads every value again as the field is now; nothing is kept anew unless all of them fit.
fn convert(w: &mut Write<'_>, field: &AddedField, is_kept_anew: bool) -> Result<()> {
    let (mut unfit, mut first) = (0_usize, None);
    each_value(w, field, |_, record, kept| {
        if kept.is_none() {
            unfit += 1;
            first.get_or_insert(record);
        }
        Ok(())
    })?;
    let Some(first) = first else {
        return if is_kept_anew {
            each_value(w, field, |w, record, kept| store::keep(w, field.id, &field.entity, record, kept))
        } else {
            Ok(())
        };
    };
    let name = if is_kept_anew { "kind" } else { "choices" };
    let what =
        if unfit == 1 { "1 record has a value that does".to_owned() } else { format!("{unfit} records have values that do") };
    // The value itself may be of a record that not everybody sees.
    Err(Error::field(name, format!("{what} not fit, such as {} {first}", field.entity)))
}

/// Gives each value of a field to `take`, read as the field is now; none where it does not fit.
fn each_value(
    w: &mut Write<'_>,
    field: &AddedField,
    mut take: impl FnMut(&mut Write<'_>, i64, Option<&store::Kept>) -> Result<()>,
) -> Result<()> {
    let (name, mut after) = (field.name(), 0);
    loop {
        let some = store::values_of_field(w, field.id, after, SOME)?;
        let Some((last, _)) = some.last() else { return Ok(()) };
        after = *last;
        for (record, value) in some {
            let mut sent = Fields::from_form(serde_json::Map::from_iter([(name.clone(), Json::from(value.as_str()))]));
            match (read(field, &name, &mut sent), sent.finish()) {
                (Sent::Value(kept), Ok(())) => take(w, record, Some(&kept))?,
                _ => take(w, record, None)?,
            }
        }
    }
}

/// Every field with how many records have a value in it, for the page.
pub fn all(c: &mut Conn) -> Result<Vec<(AddedField, i64)>> {
    let counts = store::counts(c)?;
    Ok(store::all_fields(c)?
        .into_iter()
        .map(|field| (counts.get(&field.id).copied().unwrap_or_default(), field))
        .map(|(n, f)| (f, n))
        .collect())
}

/// What a form of a field begins with.
#[must_use]
pub fn begin() -> Json {
    json!({ "kind": "text", "position": 0 })
}
