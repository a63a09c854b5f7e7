//! Records as JSON: the handlers that every record of the one door shares.

use axum::{extract::State, response::Response};
use serde_json::Value as Json;

use super::{Done, MayWrite, Resource};
use crate::{
    auth::{Caller, Editor, Reader},
    db::{Conn, Write},
    entity::once::lasting,
    error::{Error, Result},
    history::{self, Record as _},
    web::{Fields, Path, Preconditions, Query, ReadRequest, Routes, Web, openapi::schema as json},
};

/// Everything that can be done with the records of a list, at these addresses.
#[must_use]
pub fn routes<R: Resource>(list: &'static str, one: &'static str, restored: &'static str) -> Routes {
    let says = |what: &str| lasting(format!("{}: {what}", R::Row::WHAT));
    let written = json::written::<R::Shown>;
    let routes = Routes::new()
        .post(list, create::<R>)
        .makes(says("add"), written)
        .takes(|schemas| R::body(schemas, true))
        .get(one, show::<R>)
        .tells(says("read"), json::one::<R::Shown>)
        .update(one, update::<R>)
        .tells(says("change the fields that are sent"), written)
        .takes(|schemas| R::body(schemas, false))
        .delete(one, retire::<R>)
        .tells(says("retire"), written);
    let routes =
        if R::IS_FORCED { routes.asks(&[("force", "boolean", "Although something is attached to it.")]) } else { routes };
    routes.post(restored, restore::<R>).tells(says("bring back"), written)
}

/// `GET` of one record.
pub async fn show<R: Resource>(
    State(web): State<Web>,
    caller: Reader,
    Path(key): Path<R::Key>,
    request: ReadRequest,
) -> Result<Response> {
    let view = R::view(&caller, &web.config, &request.query)?;
    let read = move |c: &mut Conn| {
        let id = R::id(c, &key)?;
        Ok((id, R::answer(c, id, &view)?))
    };
    let (id, shown) = web.db.read(&caller.scope(), read).await?;
    request.row(id, R::rev(&shown), &shown)
}

/// `POST` to a list.
pub async fn create<R: Resource>(
    State(web): State<Web>,
    caller: Editor,
    _: MayWrite<R>,
    whose: R::Whose,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let view = R::view(&caller, &web.config, conditions.query())?;
    let input = R::read(fields, true)?;
    let work = move |w: &mut Write<'_>| {
        let key = R::create(w, &whose, &input, &view)?;
        let id = R::id(w, &key)?;
        R::reply(w, id, &key, &view, Done::Created)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

/// `PUT` and `PATCH`: the fields that were sent.
pub async fn update<R: Resource>(
    State(web): State<Web>,
    caller: Editor,
    _: MayWrite<R>,
    Path(key): Path<R::Key>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let view = R::view(&caller, &web.config, conditions.query())?;
    let input = fields.of_record(R::read, stands::<R>(&web, &caller, key.clone(), view.clone())).await?;
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        let id = R::id(w, &key)?;
        R::update(w, id, &input, request.rev(id)?, &view)?;
        R::reply(w, id, &key, &view, Done::Updated)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

/// A record as this caller sees it.
async fn stands<R: Resource>(web: &Web, caller: &Caller, key: R::Key, view: R::View) -> Result<Json> {
    let read = move |c: &mut Conn| {
        let id = R::id(c, &key)?;
        R::answer(c, id, &view)
    };
    let shown = web.db.read(&caller.scope(), read).await?;
    serde_json::to_value(shown).map_err(Error::internal)
}

/// `DELETE`: refused while something is attached, unless `force=true`.
pub async fn retire<R: Resource>(
    State(web): State<Web>,
    caller: R::Retirer,
    Path(key): Path<R::Key>,
    query: Query,
    conditions: Preconditions,
) -> Result<Response> {
    let force = R::IS_FORCED && query.is_on("force")?;
    let view = R::view(&caller, &web.config, &query)?;
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        let id = R::id(w, &key)?;
        request.check(id, history::get::<R::Row>(w, id)?.rev())?;
        R::retire(w, id, force)?;
        R::reply(w, id, &key, &view, Done::Retired)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

/// `POST` to a record's `restore`.
pub async fn restore<R: Resource>(
    State(web): State<Web>,
    caller: Editor,
    _: MayWrite<R>,
    Path(key): Path<R::Key>,
    conditions: Preconditions,
) -> Result<Response> {
    let view = R::view(&caller, &web.config, conditions.query())?;
    let work = move |w: &mut Write<'_>| {
        let id = R::id(w, &key)?;
        R::restore(w, id)?;
        R::reply(w, id, &key, &view, Done::Restored)
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}
