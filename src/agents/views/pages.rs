//! Saved views by the forms above lists.

use axum::{extract::State, response::Response};

use super::{Asker, Patch, SavedView, store};
use crate::{
    agents::PageContext,
    error::{Error, Result},
    types::Scope,
    web::{Fields, Path, Web},
};

fn asker(context: &PageContext) -> Result<Asker> {
    Asker::of(&context.caller).ok_or_else(|| Error::internal("a page for nobody"))
}

/// Where a list shows a view.
fn address(view: &SavedView) -> String {
    let mark = if view.query.is_empty() { "" } else { "&" };
    format!("/{}/?{}{mark}view={}", view.list, view.query, view.id)
}

/// `POST /views`
pub async fn create(State(web): State<Web>, context: PageContext, fields: Fields) -> Result<Response> {
    let asker = asker(&context)?;
    let wanted = Patch::read(fields, true, asker.is_staff)?;
    let view = web.db.write(&Scope::All, &context.actor(), move |w| store::create(w, &asker, &wanted)).await?;
    context.go(&address(&view), &format!("View saved: {}.", view.name))
}

/// `POST /views/{id}`: the fields sent.
pub async fn update(State(web): State<Web>, context: PageContext, Path(id): Path<i64>, fields: Fields) -> Result<Response> {
    let asker = asker(&context)?;
    let read = asker.clone();
    web.db.read(&Scope::All, move |c| store::get(c, &read, id)).await?;
    let wanted = Patch::read(fields, false, asker.is_staff)?;
    let view = web.db.write(&Scope::All, &context.actor(), move |w| store::update(w, &asker, id, &wanted)).await?;
    context.go(&address(&view), "View saved.")
}

/// `POST /views/{id}/delete`
pub async fn delete(State(web): State<Web>, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    let asker = asker(&context)?;
    let view = web.db.write(&Scope::All, &context.actor(), move |w| store::delete(w, &asker, id)).await?;
    context.go(&format!("/{}/?view=all", view.list), &format!("View deleted: {}.", view.name))
}
