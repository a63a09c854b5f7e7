//! Saved views as JSON, for people.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{Asker, Patch, SavedView, store};
use crate::{
    auth::Person,
    error::{Error, Result},
    types::Scope,
    web::{Fields, Path, Prefix, ReadRequest, Web},
};

fn asker(person: &Person) -> Result<Asker> {
    Asker::of(&person.0).ok_or_else(|| Error::internal("a person without a token"))
}

/// `GET /api/views?list=`
pub async fn index(State(web): State<Web>, person: Person, request: ReadRequest) -> Result<Response> {
    let asker = asker(&person)?;
    let list = request.query.text("list")?.map(|list| list.trim_matches('/').to_owned());
    let views = web.db.read(&Scope::All, move |c| store::all(c, &asker, list.as_deref())).await?;
    request.value(&views)
}

/// `GET /api/views/{id}`
pub async fn show(State(web): State<Web>, person: Person, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let asker = asker(&person)?;
    let view = web.db.read(&Scope::All, move |c| store::get(c, &asker, id)).await?;
    request.value(&view)
}

/// `POST /api/views`
pub async fn create(State(web): State<Web>, person: Person, prefix: Prefix, fields: Fields) -> Result<Response> {
    let asker = asker(&person)?;
    let wanted = Patch::read(fields, true, asker.is_staff)?;
    let view = web.db.write(&Scope::All, &person.0.actor(), move |w| store::create(w, &asker, &wanted)).await?;
    let location = [(header::LOCATION, format!("{prefix}/api/views/{}", view.id))];
    Ok((StatusCode::CREATED, location, Json(view)).into_response())
}

/// `PUT /api/views/{id}`: the fields sent.
pub async fn update(State(web): State<Web>, person: Person, Path(id): Path<i64>, fields: Fields) -> Result<Json<SavedView>> {
    let asker = asker(&person)?;
    let read = asker.clone();
    web.db.read(&Scope::All, move |c| store::get(c, &read, id)).await?;
    let wanted = Patch::read(fields, false, asker.is_staff)?;
    let view = web.db.write(&Scope::All, &person.0.actor(), move |w| store::update(w, &asker, id, &wanted)).await?;
    Ok(Json(view))
}

/// `DELETE /api/views/{id}`
pub async fn delete(State(web): State<Web>, person: Person, Path(id): Path<i64>) -> Result<StatusCode> {
    let asker = asker(&person)?;
    web.db.write(&Scope::All, &person.0.actor(), move |w| store::delete(w, &asker, id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
