//! Records as JSON: the handlers that every record of the one door shares.

use axum::{extract::State, response::Response};
use serde_json::{Map, Value as Json};

use super::{Done, Resource, as_of, bulk, merged};
use crate::{
    auth::{Caller, Reader},
    compliance::RedactionPolicy,
    custom,
    db::{Conn, Write, list::beside},
    entity::once::lasting,
    error::{Error, Result},
    history::{self, Record as _, batches},
    web::{
        Fields, OneOrMany, Path, Preconditions, Query, ReadRequest, Reply, Routes, Web,
        openapi::{Schemas, schema as json},
    },
};

/// Everything that can be done with the records of a list, at these addresses.
#[must_use]
pub fn routes<R: Resource>(list: &'static str, one: &'static str, restored: &'static str) -> Routes {
    let says = |what: &str| lasting(format!("{}: {what}", R::Row::WHAT));
    let written = json::written::<R::Shown>;
    let routes = Routes::new()
        .post(list, create::<R>)
        .makes(says("add one, or all of an array or none"), json::added::<R::Shown>)
        .takes(|schemas| with_own::<R>(R::body(schemas, true)))
        .merge(bulk::routes::<R>(list))
        .get(one, show::<R>)
        .tells(says("read"), shown::<R>)
        .asks(&[as_of::PARAMETER]);
    let routes = if R::IS_MERGED { routes.answers(307, merged::WHEN, merged::described) } else { routes };
    let routes = routes
        .update(one, update::<R>)
        .tells(says("change the fields that are sent"), written)
        .takes(|schemas| with_own::<R>(R::body(schemas, false)))
        .delete(one, retire::<R>)
        .tells(says("retire"), written);
    let routes =
        if R::IS_FORCED { routes.asks(&[("force", "boolean", "Although something is attached to it.")]) } else { routes };
    routes.post(restored, restore::<R>).tells(says("bring back"), written)
}

/// A body with one's own fields and tags, where such records have any.
pub(super) fn with_own<R: Resource>(body: Json) -> Json {
    if custom::noun(R::Row::ENTITY).is_some() { json::with(body, &json::beside()) } else { body }
}

/// A record with those.
fn shown<R: Resource>(schemas: &mut Schemas) -> Json {
    let shown = json::one::<R::Shown>(schemas);
    if custom::noun(R::Row::ENTITY).is_some() {
        schemas.complete(&shown, &json::beside_shown());
    }
    shown
}

/// A record with what is kept beside it.
fn with_beside<T: serde::Serialize>(record: &T, kept: Map<String, Json>) -> Result<Json> {
    let mut whole = serde_json::to_value(record).map_err(Error::internal)?;
    if let Some(members) = whole.as_object_mut() {
        beside::put(members, kept);
    }
    Ok(whole)
}

/// Puts what is kept beside a record into what a write of it answers; an answer that is not the record stays as it is.
fn complete<R: Resource>(w: &mut Write<'_>, id: i64, policy: &RedactionPolicy, mut reply: Reply) -> Result<Reply> {
    if let Some(body) = reply.body.as_object_mut().filter(|body| body.contains_key("id")) {
        beside::put(body, custom::of_record(w, R::Row::ENTITY, id, policy)?.json);
    }
    Ok(reply)
}

/// `GET` of one record.
pub async fn show<R: Resource>(
    State(web): State<Web>,
    caller: Reader,
    Path(key): Path<R::Key>,
    request: ReadRequest,
) -> Result<Response> {
    let view = R::view(&caller, &web.config, &request.query)?;
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    if let Some(was) = as_of::one::<R>(&web, &caller, key.clone(), &request).await? {
        return Ok(was);
    }
    let read = move |c: &mut Conn| {
        let id = R::id(c, &key)?;
        Ok(match merged::winner::<R>(c, id)? {
            Some(winner) => Err(winner),
            None => Ok((id, R::answer(c, id, &view)?, custom::of_record(c, R::Row::ENTITY, id, &policy)?.json)),
        })
    };
    match web.db.read(&caller.scope(), read).await? {
        Ok((id, shown, beside)) if beside.is_empty() => request.row(id, R::rev(&shown), &shown),
        Ok((id, shown, beside)) => request.row(id, R::rev(&shown), &with_beside(&shown, beside)?),
        Err((winner, key)) => merged::lead::<R>(&request, winner, &key),
    }
}

/// `POST` to a list: one record, or all of an array.
pub async fn create<R: Resource>(
    State(web): State<Web>,
    caller: R::Writer,
    whose: R::Whose,
    conditions: Preconditions,
    sent: OneOrMany,
) -> Result<Response> {
    let fields = match sent {
        OneOrMany::One(fields) => fields,
        OneOrMany::Many(items) => return bulk::create::<R>(&web, &caller, whose, conditions, items).await,
    };
    let body = fields.digest();
    let view = R::view(&caller, &web.config, conditions.query())?;
    let policy = RedactionPolicy::of(&caller, &web.config, conditions.query())?;
    let own = custom::Sent::of(&fields)?;
    let input = R::read(fields, true)?;
    let types = caller.types();
    let work = move |w: &mut Write<'_>| {
        let (key, id) = within::<R, _>(w, types.as_deref(), "create", |w| {
            let key = R::create(w, &whose, &input, &view)?;
            let id = R::id(w, &key)?;
            custom::apply(w, R::Row::ENTITY, id, &own, true, &policy)?;
            Ok((key, id))
        })?;
        let reply = R::reply(w, id, &key, &view, Done::Created)?;
        complete::<R>(w, id, &policy, reply)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

/// `PUT` and `PATCH`: the fields that were sent.
pub async fn update<R: Resource>(
    State(web): State<Web>,
    caller: R::Writer,
    Path(key): Path<R::Key>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let view = R::view(&caller, &web.config, conditions.query())?;
    let policy = RedactionPolicy::of(&caller, &web.config, conditions.query())?;
    let mut own = custom::Sent::of(&fields)?;
    if own.names_vendors() {
        own = own.without_standing(&stands::<R>(&web, &caller, key.clone(), view.clone(), policy.clone()).await?);
    }
    let input = fields.of_record(R::read, stands::<R>(&web, &caller, key.clone(), view.clone(), policy.clone())).await?;
    let (request, types) = (conditions.clone(), caller.types());
    let work = move |w: &mut Write<'_>| {
        let id = R::id(w, &key)?;
        merged::refuse::<R>(w, id)?;
        within::<R, _>(w, types.as_deref(), "update", |w| {
            R::update(w, id, &input, request.rev(id)?, &view)?;
            custom::apply(w, R::Row::ENTITY, id, &own, false, &policy)
        })?;
        let reply = R::reply(w, id, &key, &view, Done::Updated)?;
        complete::<R>(w, id, &policy, reply)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

/// Does a write for a caller whose key may be limited to some kinds of records: what it changes of others is refused.
fn within<R: Resource, T>(
    w: &mut Write<'_>,
    types: Option<&[String]>,
    kind: &'static str,
    work: impl FnOnce(&mut Write<'_>) -> Result<T>,
) -> Result<T> {
    if types.is_none() {
        return work(w);
    }
    let batch = batches::begin(w, kind, R::Row::ENTITY)?;
    let done = work(w)?;
    batches::allow(w, batch, types)?;
    batches::end(w, batch)?;
    Ok(done)
}

/// A record with what is kept beside it, as this caller sees it.
async fn stands<R: Resource>(web: &Web, caller: &Caller, key: R::Key, view: R::View, policy: RedactionPolicy) -> Result<Json> {
    let read = move |c: &mut Conn| {
        let id = R::id(c, &key)?;
        Ok((R::answer(c, id, &view)?, custom::of_record(c, R::Row::ENTITY, id, &policy)?.json))
    };
    let (shown, beside) = web.db.read(&caller.scope(), read).await?;
    with_beside(&shown, beside)
}

/// `DELETE`: refused while something is attached, unless `force=true`.
pub async fn retire<R: Resource>(
    State(web): State<Web>,
    caller: R::Retirer,
    Path(key): Path<R::Key>,
    query: Query,
    conditions: Preconditions,
) -> Result<Response> {
    let (force, types) = (R::IS_FORCED && query.is_on("force")?, caller.types());
    let view = R::view(&caller, &web.config, &query)?;
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        let id = R::id(w, &key)?;
        request.check(id, history::get::<R::Row>(w, id)?.rev())?;
        if force {
            // What hangs on it goes with it: taken back as one, and only by whom those may be changed.
            let batch = batches::begin(w, "retire", R::Row::ENTITY)?;
            R::retire(w, id, force)?;
            batches::allow(w, batch, types.as_deref())?;
            batches::end(w, batch)?;
        } else {
            within::<R, _>(w, types.as_deref(), "retire", |w| R::retire(w, id, force))?;
        }
        R::reply(w, id, &key, &view, Done::Retired)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

/// `POST` to a record's `restore`.
pub async fn restore<R: Resource>(
    State(web): State<Web>,
    caller: R::Writer,
    Path(key): Path<R::Key>,
    conditions: Preconditions,
) -> Result<Response> {
    let view = R::view(&caller, &web.config, conditions.query())?;
    let types = caller.types();
    let work = move |w: &mut Write<'_>| {
        let id = R::id(w, &key)?;
        merged::refuse::<R>(w, id)?;
        within::<R, _>(w, types.as_deref(), "restore", |w| R::restore(w, id))?;
        R::reply(w, id, &key, &view, Done::Restored)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}
