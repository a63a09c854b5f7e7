//! Tags as JSON: what there are, how they are merged, and which records have them.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json as Body, extract::State, response::Response};
use serde_json::{Value as Json, json};

use crate::{
    auth::{Admin, Editor, Reader},
    compliance::RedactionPolicy,
    custom::{self, Tag, noun, nouns, store},
    db::{Conn, Write},
    entity::{Patch, schema},
    error::{Error, OnConstraint as _, Result},
    history::{self, Record as _, batches},
    resource::{Resource, api as door},
    web::{
        Fields, Path, Preconditions, ReadRequest, Reply, Routes, Web, list,
        openapi::{Schemas, schema as described},
    },
};

/// The most records that are tagged at once.
const MOST: usize = 10_000;
/// What is done to many records at once is taken back as one, by this number.
const BATCH: &str = "batch_id";

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/tags", index)
        .tells("List tags, with how many records have each", |schemas| {
            described::array(described::with(described::one::<Tag>(schemas), &[("records", described::int())]))
        })
        .asks(&[("retired", "hide|include", "Whether retired ones are shown too.")])
        .merge(door::routes::<Tags>("/api/tags", "/api/tags/{id}", "/api/tags/{id}/restore"))
        .post("/api/tags/{id}/merge", merge)
        .tells("Give the records of a tag another one, and retire it", |schemas| {
            described::with(described::written::<Tag>(schemas), &[(BATCH, described::or_null(described::int()))])
        })
        .takes(|_| described::object(&[("into", described::id_of("tag"))]))
        .post("/api/tags/{id}/records", mark)
        .tells("Add a tag to records, or remove it", |_| {
            described::done(&[("changed", described::int()), (BATCH, described::or_null(described::int()))])
        })
        .takes(|_| {
            let kinds: Vec<&str> = nouns().iter().map(|noun| noun.entity).collect();
            described::with(
                described::object(&[("type", described::choice(&kinds)), ("ids", described::array(described::id_of("company")))]),
                &[("remove", described::flag())],
            )
        })
        .form("/records/{entity}/tags", "/", mark_chosen)
}

async fn index(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let with_retired = match request.query.text("retired")? {
        None | Some("hide") => false,
        Some("include") => true,
        Some(_) => return Err(Error::field("retired", "must be include or hide")),
    };
    let entities: &'static [&'static str] = crate::entity::once::of_type::<Tags, Vec<&'static str>>(|| {
        nouns().iter().map(|noun| noun.entity).chain([Tag::ENTITY]).collect()
    });
    list::value(&web, &caller.scope(), "", &request, entities, move |c| {
        let counts = store::tagged(c)?;
        let mut all = Vec::new();
        for tag in store::tags(c)?.into_iter().filter(|tag| with_retired || tag.retired_at.is_none()) {
            let mut told = serde_json::to_value(&tag).map_err(Error::internal)?;
            told["records"] = counts.get(&tag.id).copied().unwrap_or_default().into();
            all.push(told);
        }
        Ok(all)
    })
    .await
}

/// Tags as the one door writes them.
pub struct Tags;

impl Resource for Tags {
    type Row = Tag;
    type Key = i64;
    type Whose = ();
    type View = ();
    type Input = Patch<Tag>;
    type Shown = Tag;
    type Writer = Editor;
    type Retirer = Editor;
    const IS_FORCED: bool = false;

    fn id(_: &mut Conn, key: &i64) -> Result<i64> {
        Ok(*key)
    }

    fn path(key: &i64) -> String {
        format!("/api/tags/{key}")
    }

    fn body(schemas: &mut Schemas, creating: bool) -> Json {
        if creating { schema::new::<Tag>(schemas) } else { schema::changed::<Tag>(schemas) }
    }

    fn read(mut fields: Fields, creating: bool) -> Result<Patch<Tag>> {
        fields.set_creating(creating);
        let patch: Patch<Tag> = Patch::read(&mut fields)?;
        if patch.row().name.contains(',') {
            fields.refuse("name", "must not contain a comma");
        }
        fields.finish()?;
        Ok(patch)
    }

    fn create(w: &mut Write<'_>, (): &(), input: &Patch<Tag>, (): &()) -> Result<i64> {
        let tag = input.made(|tag| {
            if tag.color.is_empty() {
                "gray".clone_into(&mut tag.color);
            }
        })?;
        history::create(w, &tag, None).map(|tag| tag.id).on_unique("name", TAKEN)
    }

    fn update(w: &mut Write<'_>, id: i64, input: &Patch<Tag>, rev: Option<i64>, (): &()) -> Result<bool> {
        let updated = history::update(w, id, rev, None, |tag: &mut Tag| input.apply(tag)).on_unique("name", TAKEN)?;
        Ok(!updated.changed.is_empty())
    }

    fn restore(w: &mut Write<'_>, id: i64) -> Result<()> {
        history::restore::<Tag>(w, id, None).map(drop).on_unique("name", TAKEN)
    }

    fn answer(c: &mut Conn, id: i64, (): &()) -> Result<Tag> {
        history::get(c, id)
    }

    fn rev(shown: &Tag) -> i64 {
        shown.rev
    }
}

/// What is said of a name that another tag has.
const TAKEN: &str = "another tag has this name";

/// Gives every record of a tag another one, and retires it.
async fn merge(
    State(web): State<Web>,
    caller: Admin,
    Path(id): Path<i64>,
    conditions: Preconditions,
    mut fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let into = fields.int("into").required().value().unwrap_or_default();
    fields.finish()?;
    let policy = RedactionPolicy::of(&caller, &web.config, conditions.query())?;
    let types = caller.types();
    let work = move |w: &mut Write<'_>| {
        let (tag, batch) = merge_into(w, id, into, &policy, types.as_deref())?;
        Ok(Reply::ok(&tag)?.tagged(tag.id, tag.rev).with(BATCH, batch))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

/// As [`merge`]; the tag that is left, and what was done as one.
///
/// # Errors
/// `Invalid` for another tag that there is not; `NotFound`; `Conflict` when too many records have it.
pub fn merge_into(
    w: &mut Write<'_>,
    id: i64,
    into: i64,
    policy: &RedactionPolicy,
    types: Option<&[String]>,
) -> Result<(Tag, Option<i64>)> {
    let tag: Tag = history::get(w, id)?;
    let other: Option<Tag> = history::find(w, into)?;
    let other = other.filter(|other| other.retired_at.is_none() && other.id != id);
    let other = other.ok_or_else(|| Error::field("into", format!("there is no other tag {into} in use")))?;
    let marked = store::marked(w, id, i64::try_from(MOST + 1).map_err(Error::internal)?)?;
    if marked.len() > MOST {
        return Err(Error::conflict(format!(
            "more than {MOST} records have this tag: give some of them the other one first, and take this one away"
        )));
    }
    let mut records: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (entity, record) in marked {
        records.entry(entity).or_default().push(record);
    }
    let batch = batches::begin(w, "merge", Tag::ENTITY)?;
    // What a retired tag was on is seen again when it comes back.
    let removed = Some(id).filter(|_| tag.retired_at.is_none());
    for (entity, ids) in records {
        if let Some(noun) = noun(&entity) {
            custom::set_tags(w, noun, &ids, (Some(other.id), removed), policy)?;
        }
    }
    if tag.retired_at.is_none() {
        history::retire::<Tag>(w, id, Some(&format!("merged into {}", other.name)))?;
    }
    batches::allow(w, batch, types)?;
    let batch = batches::end(w, batch)?;
    Ok((history::get(w, into)?, batch))
}

/// What is asked of records of a kind.
struct Marking {
    entity: String,
    ids: Vec<i64>,
    remove: bool,
    policy: RedactionPolicy,
    types: Option<Arc<[String]>>,
}

/// Marks records with a tag in use, or takes it away, as one; how many are marked otherwise now.
fn mark_all(w: &mut Write<'_>, tag: i64, asked: &Marking) -> Result<Json> {
    let Marking { entity, ids, remove, policy, types } = asked;
    let known: Vec<&str> = nouns().iter().map(|noun| noun.entity).collect();
    let noun = noun(entity).ok_or_else(|| Error::field("type", format!("must be one of {}", known.join(", "))))?;
    let there = store::exists(w, noun, ids.clone())?;
    if let Some(gone) = ids.iter().find(|id| !there.contains(id)) {
        return Err(Error::field("ids", format!("there is no {} {gone}", noun.entity)));
    }
    let tag: Tag = history::get(w, tag)?;
    if tag.retired_at.is_some() {
        return Err(Error::conflict("this tag is retired"));
    }
    let which = if *remove { (None, Some(tag.id)) } else { (Some(tag.id), None) };
    let batch = batches::begin(w, "update", noun.entity)?;
    let changed = custom::set_tags(w, noun, &there, which, policy)?;
    batches::allow(w, batch, types.as_deref())?;
    let batch = batches::end(w, batch)?;
    Ok(json!({ "success": true, "changed": changed, BATCH: batch }))
}

async fn mark(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    conditions: Preconditions,
    mut fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    fields.set_creating(true);
    let entity = fields.text("type").required().max(50).value().unwrap_or_default();
    let ids = fields.int_list("ids").required().max_items(MOST).value().unwrap_or_default();
    let remove = fields.bool("remove").value().unwrap_or_default();
    fields.finish()?;
    let policy = RedactionPolicy::of(&caller, &web.config, conditions.query())?;
    let asked = Marking { entity, ids, remove, policy, types: caller.types() };
    let work = move |w: &mut Write<'_>| Reply::ok(&mark_all(w, id, &asked)?);
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

/// `POST /records/{entity}/tags`: what the bar of a list page sends for the rows that are chosen.
async fn mark_chosen(
    State(web): State<Web>,
    caller: Editor,
    context: crate::agents::PageContext,
    Path(entity): Path<String>,
    mut fields: Fields,
) -> Result<Body<Json>> {
    fields.set_creating(true);
    let ids = fields.int_list("ids").required().max_items(MOST).value().unwrap_or_default();
    let name = fields.text("tag").required().max(40).value().unwrap_or_default();
    let remove = fields.bool("remove").value().unwrap_or_default();
    fields.finish()?;
    let policy = RedactionPolicy::of(&caller, &web.config, &context.query)?;
    let asked = Marking { entity, ids, remove, policy, types: caller.types() };
    let work = move |w: &mut Write<'_>| {
        let tag = store::tags(w)?.into_iter().find(|tag| tag.retired_at.is_none() && tag.name == name);
        let tag = tag.ok_or_else(|| Error::field("tag", "there is no such tag"))?;
        mark_all(w, tag.id, &asked)
    };
    web.db.write(&caller.scope(), &caller.actor(), work).await.map(Body)
}
